// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched check: ordering rules and assertions; its exit status is the verdict. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "run.h"
#include "rule_set.h"
#include "sink_check.h"

#define ASSERTIONS_MAX 64

enum { OPT_RULE = 0x200, OPT_MODEL, OPT_ASSERT, OPT_FORMAT, OPT_LIST, OPT_SHOW, OPT_KEEP };

struct check_cmd {
	struct options o; /* first: the groups see only this */
	const char *show;
	bool list, format_given;
	struct assertion assertion[ASSERTIONS_MAX];
	struct rule_set rules;
	struct sink_check out;
};

/* ---- options ------------------------------------------------------------------------------ */

static void add_assertion(struct check_cmd *c, const char *text, struct argp_state *state)
{
	const char *why, *at;

	if (c->out.assertions == ASSERTIONS_MAX)
		argp_error(state, "--assert: at most %d", ASSERTIONS_MAX);
	if (assertion__parse(&c->assertion[c->out.assertions], text, &why, &at))
		argp_error(state, "--assert '%s': at '%s': %s", text, at, why);
	c->out.assertions++;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_cmd *c = state->input;

	switch (key) {
	case OPT_RULE:
		if (rule_set__want(&c->rules, arg))
			argp_failure(state, EXIT_ERROR, ENOMEM, "--rule");
		break;
	case OPT_MODEL:
		if (rule_set__add_file(&c->rules, arg))
			argp_error(state, "--model: at most %d", MODELS_MAX);
		break;
	case OPT_ASSERT:
		add_assertion(c, arg, state);
		break;
	case OPT_FORMAT:
		if (sink_check__parse_format(arg, &c->out.format))
			argp_error(state, "--format %s: not text, ktap, junit or json", arg);
		c->format_given = true;
		break;
	case ARGP_KEY_END:
		if (c->o.json && c->format_given && c->out.format != CHECK_JSON)
			argp_error(state, "--json and another --format exclude each other");
		break;
	case OPT_KEEP:
		c->o.keep = arg;
		break;
	case OPT_LIST:
		c->list = true;
		break;
	case OPT_SHOW:
		c->show = arg;
		break;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to check:", 6},
	{"rule", OPT_RULE, "NAME[,NAME]", 0,
	 "only these rules; * ? [] match, and none is no rule at all", 6},
	{"model", OPT_MODEL, "FILE.dot", 0, "also this rule, see kvmsched-models(5)", 6},
	{"assert", OPT_ASSERT, "EXPR", 0,
	 "also this: FN(measure) OP VALUE [by vm|vcpu], as in 'p99(run_delay) < 2ms'", 6},
	{"list", OPT_LIST, NULL, 0, "say what the rules are", 6},
	{"show", OPT_SHOW, "RULE", 0, "print the rule's graph, for dot(1)", 6},
	{NULL, 0, NULL, 0, "The verdict:", 7},
	{"format", OPT_FORMAT, "FORMAT", 0, "text, ktap, junit or json (as --json)", 7},
	{"keep", OPT_KEEP, "DIR", 0,
	 "keep the recording from 1 s before the first violation to 1 s after", 7},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- CMD [ARG...]]",
	.doc = "Checks that scheduled_out, preempted, ready, loads and puts obey KVM's rules.\v"
	       "Live (with --full, until -d TIME, CMD's end or Ctrl-C), or of a recording with -i. "
	       "Exit status: 0 all held; 1 an error; 2 one was violated; 3 inconclusive: records were "
	       "lost, or nothing was decided; else CMD's.",
	.children = options_show,
};

/* ---- running ------------------------------------------------------------------------------ */

static int collect(struct check_cmd *c)
{
	int err = rule_set__choose(&c->rules, "--rule ");

	if (!err && !c->rules.rules && !c->out.assertions)
		err = err__say(0, "no rule and no assertion: there is nothing to check");
	return err;
}

static int list(const struct check_cmd *c)
{
	for (unsigned i = 0; i < c->rules.rules; i++)
		printf("%-24s%s\n", c->rules.rule[i]->name, c->rules.rule[i]->help);
	return EXIT_FINE;
}

static int show(const struct check_cmd *c)
{
	const struct automaton *a = rule_set__find(&c->rules, c->show);

	if (!a) {
		err__say(0, "--show %s: no such rule; --list names them", c->show);
		return EXIT_ERROR;
	}
	fputs(a->dot, stdout);
	return EXIT_FINE;
}

static int check(struct check_cmd *c)
{
	struct sink sink;
	int status;

	if (!c->o.input && c->o.live.mode == MODE_DEFAULT)
		c->o.live.mode = MODE_FULL;
	if (c->o.json)
		c->out.format = CHECK_JSON;
	c->out.rule = c->rules.rule;
	c->out.rules = c->rules.rules;
	c->out.assertion = c->assertion;
	c->out.color = c->o.color;
	sink_check__init(&sink, &c->out);
	status = run(&c->o, &sink);
	sink_check__free(&c->out);
	return status;
}

int cmd_check(int argc, char **argv)
{
	static struct check_cmd c;
	int status = EXIT_ERROR;

	options__init(&c.o);
	if (options__parse(&argp, argc, argv, &c.o, &c))
		return EXIT_ERROR;
	if (c.o.list_measures)
		return measure__list(stdout) ? EXIT_ERROR : EXIT_FINE;
	if (!collect(&c))
		status = c.list ? list(&c) : c.show ? show(&c) : check(&c);
	rule_set__free(&c.rules);
	if ((c.list || c.show) && (fflush(stdout) || ferror(stdout))) {
		err__say(errno, "writing to standard output");
		return EXIT_ERROR;
	}
	return status;
}
