// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched timehist: one line per absence. */
#include "cmd.h"
#include "err.h"
#include "measure.h"
#include "run.h"
#include "sink_timehist.h"

enum { OPT_MIN = 0x200, OPT_STATE, OPT_WALL };

struct timehist {
	struct options o; /* first: the groups see only this */
	struct timehist_opts show;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct timehist *t = state->input;

	switch (key) {
	case OPT_MIN:
		if (units__time(arg, &t->show.min_ns))
			argp_error(state, "--min %s: not a time (10us, 1.5ms)", arg);
		break;
	case OPT_STATE:
		if (timehist__parse_states(arg, &t->show.reasons))
			argp_error(state, "--state %s: not of preempted, ioctl, halted, sleeping",
				   arg);
		break;
	case OPT_WALL:
		t->show.wall = true;
		break;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Which absences:", 6},
	{"min", OPT_MIN, "TIME", 0, "those of TIME or longer", 6},
	{"state", OPT_STATE, "LIST", 0,
	 "those in these states: preempted, halted, sleeping; or ioctl, the part of preempted that was "
	 "not in the guest's service",
	 6},
	{"wall", OPT_WALL, NULL, 0, "wall-clock times instead of seconds since the start", 6},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- CMD [ARG...]]",
	.doc = "One line per absence, when it ends: which vCPU, why, how long, and who took the CPU.\v"
	       "Live (until -d TIME, CMD's end or Ctrl-C), or of a recording with -i. Those that go on "
	       "when the trace ends come last. "
	       "Exit status: 0 fine; 1 an error; 3 records were lost, or nothing was seen; else CMD's.",
	.children = options_show,
};

int cmd_timehist(int argc, char **argv)
{
	struct timehist t = {0};
	struct sink_timehist out;
	struct sink sink;

	options__init(&t.o);
	if (options__parse(&argp, argc, argv, &t.o, &t))
		return EXIT_ERROR;
	if (t.o.list_measures)
		return options__list_measures();
	t.show.json = t.o.json;
	t.show.color = t.o.color;
	sink_timehist__init(&sink, &out, &t.show);
	return run(&t.o, &sink);
}
