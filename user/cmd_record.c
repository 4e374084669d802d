// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched record: rings to files, nothing decoded on the way; with --flight to memory, until
 * something happens. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "flight.h"
#include "rule_set.h"
#include "run.h"
#include "sink_flight.h"

#define DEFAULT_DIR	   "kvmsched.ctf"
#define DEFAULT_FLIGHT_DIR "kvmsched.flight"

#define DEFAULT_SIZE	    "64M"
#define DEFAULT_BYTES	    (64ULL << 20)
#define DEFAULT_AFTER_NS    1000000000ULL
#define DEFAULT_COOLDOWN_NS 10000000000ULL
#define DEFAULT_DUMPS	    16

enum { OPT_FLIGHT = 0x200, OPT_ON, OPT_AFTER, OPT_COOLDOWN, OPT_MAX_DUMPS, OPT_MODEL };

struct record_cmd {
	struct options o; /* first: the groups see only this */
	struct flight_opts flight;
	struct rule_set rules;
	const char *needs_flight; /* the last option that does; NULL: none */
};

/* ---- options ------------------------------------------------------------------------------ */

static void parse_time(const char *option, const char *arg, __u64 *ns, struct argp_state *state)
{
	if (units__time(arg, ns))
		argp_error(state, "%s %s: not a time (number and ns, us, ms, s, m or h)", option,
			   arg);
}

/* TIME[,SIZE] */
static void parse_flight(struct record_cmd *c, const char *arg, struct argp_state *state)
{
	const char *comma = strchrnul(arg, ',');
	char time[64] = "";

	if (comma - arg < (long)sizeof(time))
		memcpy(time, arg, comma - arg);
	if (units__time(time, &c->flight.span_ns) ||
	    (*comma && (units__size(comma + 1, &c->flight.bytes) || !c->flight.bytes)))
		argp_error(state,
			   "--flight %s: not TIME[,SIZE], as in 30s,256M: how much is held in "
			   "memory",
			   arg);
	if (*comma)
		c->flight.size = comma + 1;
	if (!c->flight.span_ns)
		argp_error(state, "--flight %s: too short: nothing would be held", arg);
	c->o.cuts = true;
}

static void parse_on(struct record_cmd *c, const char *arg, struct argp_state *state)
{
	const char *why, *at;

	bool all = !strcmp(arg, "check");

	if (all || !strncmp(arg, "rule:", 5)) {
		if (rule_set__want(&c->rules, all ? "*" : arg + 5))
			argp_failure(state, EXIT_ERROR, ENOMEM, "--on");
	} else if (c->flight.ons == FLIGHT_ON_MAX) {
		argp_error(state, "--on: at most %d", FLIGHT_ON_MAX);
	} else if (assertion__parse_bound(&c->flight.on[c->flight.ons++], arg, &why, &at)) {
		argp_error(state, "--on '%s': at '%s': %s", arg, at, why);
	}
}

static void verify(const struct record_cmd *c, struct argp_state *state)
{
	const struct flight_opts *f = &c->flight;

	if (c->needs_flight && !f->span_ns)
		argp_error(state, "%s is about --flight, which is not there", c->needs_flight);
	if (f->span_ns && c->o.input && !f->ons && !c->rules.patterns)
		argp_error(state,
			   "--flight -i %s: without --on there is no reason to write anything",
			   c->o.input);
	if (c->rules.files && !c->rules.patterns)
		argp_error(state, "--model is for --on check or --on rule:NAME, neither is there");
	for (unsigned i = 0; i < f->ons; i++)
		if (f->span_ns && f->on[i].value >= f->span_ns)
			argp_error(state,
				   "--on '%s': its time must be shorter than --flight TIME, or "
				   "the dump would not have where the absence began",
				   f->on[i].text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record_cmd *c = state->input;
	__u64 n;

	switch (key) {
	case OPT_FLIGHT:
		parse_flight(c, arg, state);
		break;
	case OPT_ON:
		parse_on(c, arg, state);
		c->needs_flight = "--on";
		break;
	case OPT_AFTER:
		parse_time("--after", arg, &c->flight.after_ns, state);
		c->needs_flight = "--after";
		break;
	case OPT_COOLDOWN:
		parse_time("--cooldown", arg, &c->flight.cooldown_ns, state);
		c->needs_flight = "--cooldown";
		break;
	case OPT_MAX_DUMPS:
		if (units__u64(arg, &n) || !n || n > 1000000)
			argp_error(state, "--max-dumps %s: not a number from 1 to 1000000", arg);
		c->flight.max_dumps = n;
		c->needs_flight = "--max-dumps";
		break;
	case OPT_MODEL:
		if (rule_set__add_file(&c->rules, arg))
			argp_error(state, "--model: at most %d", MODELS_MAX);
		c->needs_flight = "--model";
		break;
	case ARGP_KEY_END:
		verify(c, state);
		break;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Flight recorder:", 5},
	{"flight", OPT_FLIGHT, "TIME[,SIZE]", 0,
	 "hold the last TIME in memory, at most SIZE (64M), and write it when:", 5},
	{"on", OPT_ON, "EXPR", 0,
	 "an absence is too long ('run_delay > 20ms'), while it still goes on; or a rule is "
	 "violated (check, rule:NAME); SIGUSR1 always does. Several: any of them",
	 5},
	{"model", OPT_MODEL, "FILE.dot", 0,
	 "also this rule is one for check and rule:NAME, see kvmsched-models(5)", 5},
	{"after", OPT_AFTER, "TIME", 0, "go on for TIME after that (default 1s)", 5},
	{"cooldown", OPT_COOLDOWN, "TIME", 0,
	 "for TIME after that, nothing else is a reason (default 10s)", 5},
	{"max-dumps", OPT_MAX_DUMPS, "N", 0, "stop after N (default 16)", 5},
	{0},
};

static const struct argp_child children[] = {
	{&options_trace, 0, "Tracing:", 1},
	{&options_filter, 0, NULL, 2},
	{&options_record, 0, NULL, 4},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- CMD [ARG...]]\n--flight=TIME[,SIZE] -i DIR",
	.doc = "Records to a directory until TIME, CMD's end, the maximal size or Ctrl-C.\v"
	       "The recording is CTF 1.8 (see kvmsched-ctf(5)) and sound at every moment. "
	       "Exit status: 0 fine; 1 an error; 3 records were lost, or nothing was seen; else CMD's.",
	.children = children,
};

/* ---- running ------------------------------------------------------------------------------ */

static int fly(struct record_cmd *c)
{
	struct sink_flight rules = {.rule = c->rules.rule};
	struct sink sink;
	int status;
	bool model;

	if (c->rules.patterns && rule_set__choose(&c->rules, "--on rule:"))
		return EXIT_ERROR;
	rules.rules = c->rules.rules;
	model = rules.rules || (c->o.input && filter__any(&c->o.filter));

	c->flight.dir = c->o.output ?: DEFAULT_FLIGHT_DIR;
	c->flight.force = c->o.force;
	c->flight.max_bytes = c->o.max_bytes;
	c->o.output = NULL;
	if (flight__new(&c->o.flight, &c->flight))
		return EXIT_ERROR;
	if (rules.rules && !c->o.input && c->o.live.mode == MODE_DEFAULT)
		c->o.live.mode = MODE_FULL; /* as check does */
	rules.flight = c->o.flight;
	sink_flight__init(&sink, &rules);
	/* whether a recording has the vCPUs that are asked for, a model tells */
	if (!rules.rules)
		sink = (struct sink){.times_only = true};
	status = run(&c->o, model ? &sink : NULL);
	sink_flight__free(&rules);
	flight__free(c->o.flight);
	return status;
}

int cmd_record(int argc, char **argv)
{
	static struct record_cmd c = {.flight = {.bytes = DEFAULT_BYTES,
						 .size = DEFAULT_SIZE,
						 .after_ns = DEFAULT_AFTER_NS,
						 .cooldown_ns = DEFAULT_COOLDOWN_NS,
						 .max_dumps = DEFAULT_DUMPS}};
	int status;

	options__init(&c.o);
	if (options__parse(&argp, argc, argv, &c.o, &c))
		return EXIT_ERROR;
	if (c.flight.span_ns) {
		status = fly(&c);
		rule_set__free(&c.rules);
		return status;
	}
	if (!c.o.output)
		c.o.output = DEFAULT_DIR;
	return run(&c.o, NULL);
}
