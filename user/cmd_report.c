// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched report: the summary as tables or JSON. */
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "run.h"
#include "sink_report.h"

static const struct argp argp = {
	.parser = options__parse_none,
	.args_doc = "[-- CMD [ARG...]]",
	.doc = "Per VM and vCPU: time in each state, switches, migrations, delays, and who took the CPU.\v"
	       "Live (until -d TIME, CMD's end or Ctrl-C), or of a recording with -i. "
	       "Exit status: 0 fine; 1 an error; 3 records were lost, or nothing was seen; else CMD's.",
	.children = options_show,
};

int cmd_report(int argc, char **argv)
{
	struct options o;
	struct sink sink;
	struct sink_report out;

	options__init(&o);
	if (options__parse(&argp, argc, argv, &o, &o))
		return EXIT_ERROR;
	if (o.list_measures)
		return options__list_measures();
	sink_report__init(&sink, &out, o.json, o.color);
	return run(&o, &sink);
}
