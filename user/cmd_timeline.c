// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched timeline: what each vCPU did, over time, as a picture. */
#include "cmd.h"
#include "err.h"
#include "outfile.h"
#include "run.h"
#include "sink_timeline.h"

enum { OPT_FORCE = 0x200, OPT_WIDTH };

struct timeline_cmd {
	struct options o; /* first: the groups see only this */
	struct timeline_show show;
};

static void set_width(struct timeline_cmd *c, const char *arg, struct argp_state *state)
{
	__u64 n;

	if (units__u64(arg, &n) || n < TIMELINE_WIDTH_MIN || n > TIMELINE_WIDTH_MAX)
		argp_error(state, "--width %s: not a number from %d to %d", arg, TIMELINE_WIDTH_MIN,
			   TIMELINE_WIDTH_MAX);
	c->show.width = n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct timeline_cmd *c = state->input;

	switch (key) {
	case 'o':
		c->show.svg = arg;
		break;
	case OPT_FORCE:
		c->show.force = true;
		break;
	case OPT_WIDTH:
		set_width(c, arg, state);
		break;
	case ARGP_KEY_END:
		if (c->show.svg && c->o.json)
			argp_error(state, "-o draws an SVG: --json has no place with it");
		if (c->show.force && !c->show.svg)
			argp_error(state, "--force is for -o");
		break;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "The picture:", 6},
	{"output", 'o', "FILE", 0, "draw it as SVG into FILE (- is standard output)", 6},
	{"force", OPT_FORCE, NULL, 0, "replace FILE", 6},
	{"width", OPT_WIDTH, "N", 0,
	 "its width: characters (default: the terminal's), of an SVG pixels (default 1200), with "
	 "--json columns of the strips (default 200)",
	 6},
	{0},
};

static const struct argp_child children[] = {
	{&options_source, 0, "Source:", 1},
	{&options_filter, 0, NULL, 2},
	{&options_window, 0, NULL, 3},
	{&options_output, 0, NULL, 5},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- CMD [ARG...]]",
	.doc = "What each vCPU did, over time: strips of states, who took the CPU, the longest waits.\v"
	       "Live (until -d TIME, CMD's end or Ctrl-C; drawn then), or of a recording with -i. "
	       "Exit status: 0 fine; 1 an error; 3 records were lost, or nothing was seen; else CMD's.",
	.children = children,
};

int cmd_timeline(int argc, char **argv)
{
	struct timeline_cmd c = {0};
	struct sink_timeline out;
	struct sink sink;
	int status;

	options__init(&c.o);
	if (options__parse(&argp, argc, argv, &c.o, &c))
		return EXIT_ERROR;
	if (c.o.list_measures)
		return options__list_measures();
	if (c.show.svg && outfile__probe(c.show.svg, c.show.force, c.o.input))
		return EXIT_ERROR;
	c.show.json = c.o.json;
	c.show.color = c.o.color;
	sink_timeline__init(&sink, &out, &c.show);
	status = run(&c.o, &sink);
	timeline__free(&out.t);
	return status;
}
