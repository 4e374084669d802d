// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched top: what is going on now. */
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "run.h"
#include "sink_top.h"

enum { OPT_ONCE = 0x200, OPT_INTERVAL, OPT_SORT, OPT_BY, OPT_RING };

#define SHORTEST_NS 10000000ULL /* a live trace is looked at every 50 ms */

struct top_cmd {
	struct options o; /* first: the groups see only this */
	struct top_opts show;
};

static unsigned word(const char *const *words, unsigned n, const char *arg)
{
	unsigned i = 0;

	while (i < n && strcmp(words[i], arg))
		i++;
	return i;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top_cmd *t = state->input;

	switch (key) {
	case OPT_ONCE:
		t->show.count = 1;
		t->show.plain = true;
		break;
	case 'n':
		if (units__u64(arg, &t->show.count) || !t->show.count)
			argp_error(state, "-n %s: not a number of intervals", arg);
		break;
	case OPT_INTERVAL:
		if (units__time(arg, &t->show.interval_ns) || t->show.interval_ns < SHORTEST_NS)
			argp_error(state, "--interval %s: not a time of 10ms or more", arg);
		break;
	case OPT_SORT:
		t->show.sort = word(top_sort_names, TOP_SORTS, arg);
		if (t->show.sort == TOP_SORTS)
			argp_error(state,
				   "--sort %s: not delay, p99, max, preempted, running, switches, "
				   "since or name",
				   arg);
		break;
	case OPT_BY:
		t->show.group = word(top_group_names, TOP_GROUPS, arg);
		if (t->show.group == TOP_GROUPS)
			argp_error(state, "--by %s: not vcpu, vm or cpu", arg);
		break;
	case OPT_RING:
		t->o.ring = true;
		t->o.live_only = "--ring";
		break;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to show:", 6},
	{"once", OPT_ONCE, NULL, 0, "one interval, as plain text (or JSON), and end", 6},
	{"count", 'n', "N", 0, "end after N intervals", 6},
	{"interval", OPT_INTERVAL, "TIME", 0, "how long each is (default 1s)", 6},
	{"sort", OPT_SORT, "WORD", 0,
	 "by delay (default), p99, max, preempted, running, switches, since or name", 6},
	{"ring", OPT_RING, NULL, 0,
	 "live: by records, which names who took the CPU, and not by the kernel's sums", 6},
	{"by", OPT_BY, "GROUP", 0, "a line per vcpu (default), vm or host cpu", 6},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- CMD [ARG...]]",
	.doc = "What is going on now: which vCPUs wait for a CPU, and who has it.\v"
	       "Live (until q, -d TIME, CMD's end or Ctrl-C), or of a recording with -i, in real time. On a "
	       "terminal a full screen: h shows the keys. Else a screen of plain text per interval. "
	       "Exit status: 0 fine; 1 an error; 3 records were lost, or nothing was seen; else CMD's.",
	.children = options_show,
};

int cmd_top(int argc, char **argv)
{
	struct top_cmd t = {.show.interval_ns = 1000000000};
	struct sink_top out;
	struct sink sink;
	int status;

	options__init(&t.o);
	if (options__parse(&argp, argc, argv, &t.o, &t))
		return EXIT_ERROR;
	if (t.o.list_measures)
		return options__list_measures();
	t.show.json = t.o.json;
	t.show.color = t.o.color;
	sink_top__init(&sink, &out, &t.show);
	status = run(&t.o, &sink);
	if (status == EXIT_FINE && t.o.input && !out.any && !out.top.quit) {
		err__note("no interval has a vCPU");
		status = EXIT_INCONCLUSIVE;
	}
	sink_top__free(&out);
	return status;
}
