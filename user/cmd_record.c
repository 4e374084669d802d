// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched record: rings to files, nothing decoded on the way. */
#include "cmd.h"
#include "err.h"
#include "run.h"

#define DEFAULT_DIR "kvmsched.ctf"

static const struct argp_child children[] = {
	{&options_trace, 0, "Tracing:", 1},
	{&options_filter, 0, NULL, 2},
	{&options_record, 0, NULL, 4},
	{0},
};

static const struct argp argp = {
	.parser = options__parse_none,
	.args_doc = "[-- CMD [ARG...]]",
	.doc = "Records to a directory until TIME, CMD's end, the maximal size or Ctrl-C.\v"
	       "The recording is CTF 1.8 (see kvmsched-ctf(5)) and sound at every moment. "
	       "Exit status: 0 fine; 1 an error; 3 records were lost, or nothing was seen; else CMD's.",
	.children = children,
};

int cmd_record(int argc, char **argv)
{
	struct options o;

	options__init(&o);
	if (options__parse(&argp, argc, argv, &o, &o))
		return EXIT_ERROR;
	if (!o.output)
		o.output = DEFAULT_DIR;
	return run(&o, NULL);
}
