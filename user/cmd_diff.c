// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched diff: what changed between two recordings, or two windows of one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cmd.h"
#include "diff_show.h"
#include "err.h"
#include "run.h"

#define LIMITS_MAX 64
#define PAIRS_MAX  64

enum { OPT_TIME_A = 0x200, OPT_TIME_B, OPT_FAIL_ON, OPT_LEAST, OPT_SEED, OPT_ALL, OPT_PAIR };

struct diff_cmd {
	struct options o; /* first: the groups see only this. Its input is A */
	const char *b;
	struct units_window window[2];
	bool has_window[2];
	struct assertion_limit limit[LIMITS_MAX];
	unsigned limits;
	const char *pair[PAIRS_MAX + 1]; /* up to a NULL */
	unsigned pairs;
	double least;
	__u64 seed;
	bool all;
};

/* ---- options ------------------------------------------------------------------------------ */

static void add_limit(struct diff_cmd *c, const char *text, struct argp_state *state)
{
	const char *why, *at;

	if (c->limits == LIMITS_MAX)
		argp_error(state, "--fail-on: at most %d", LIMITS_MAX);
	if (assertion__parse_limit(&c->limit[c->limits], text, &why, &at))
		argp_error(state, "--fail-on '%s': at '%s': %s", text, at, why);
	c->limits++;
}

static void add_pair(struct diff_cmd *c, const char *text, struct argp_state *state)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text || !equals[1])
		argp_error(state, "--pair %s: not NAME=NAME, of a VM in A and in B", text);
	if (c->pairs == PAIRS_MAX)
		argp_error(state, "--pair: at most %d", PAIRS_MAX);
	c->pair[c->pairs++] = text;
}

static void add_recording(struct diff_cmd *c, const char *dir, struct argp_state *state)
{
	if (!*dir)
		argp_error(state, "\"\" is no recording: a directory is wanted");
	if (c->b)
		argp_error(state, "%s: a third recording? Two are compared, A and B", dir);
	if (c->o.input)
		c->b = dir;
	else
		c->o.input = dir;
}

/* "5" or "5%", with a fraction. */
static int parse_least(const char *s, double *least)
{
	char *end;
	double v;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	v = strtod(s, &end);
	if (*end == '%')
		end++;
	if (*end || !(v >= 0 && v <= 1000))
		return -EINVAL;
	*least = v / 100;
	return 0;
}

static void complete(struct diff_cmd *c, struct argp_state *state)
{
	bool two = c->has_window[0] && c->has_window[1];

	if (c->o.list_measures)
		return;
	if (c->o.command)
		argp_error(state, "recordings are compared: there is no command to trace here");
	if (!c->o.input)
		argp_error(state, "two recordings are wanted: A, as it was, and B, as it is now");
	if (!c->b && !two)
		argp_error(state, "a second recording is wanted; or two windows of this one: "
				  "--time-a and --time-b");
	if ((c->o.has_window || c->o.last_ns) && (c->has_window[0] || c->has_window[1]))
		argp_error(state,
			   "--time and --last are for both recordings, --time-a and --time-b "
			   "for one: not together");
	if (!c->b)
		c->b = c->o.input;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct diff_cmd *c = state->input;
	unsigned which = key == OPT_TIME_B;

	switch (key) {
	case OPT_TIME_A:
	case OPT_TIME_B:
		if (units__window(arg, &c->window[which]))
			argp_error(
				state,
				"--time-%c %s: not FROM,TO (times from the start, or wall times)",
				"ab"[which], arg);
		c->has_window[which] = true;
		break;
	case OPT_FAIL_ON:
		add_limit(c, arg, state);
		break;
	case OPT_LEAST:
		if (parse_least(arg, &c->least))
			argp_error(state, "--least %s: not a percentage", arg);
		break;
	case OPT_SEED:
		if (units__u64(arg, &c->seed))
			argp_error(state, "--seed %s: not a number", arg);
		break;
	case OPT_PAIR:
		add_pair(c, arg, state);
		break;
	case OPT_ALL:
		c->all = true;
		break;
	case ARGP_KEY_ARG:
		add_recording(c, arg, state);
		break;
	case ARGP_KEY_END:
		complete(c, state);
		break;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Window of one of them:", 3},
	{"time-a", OPT_TIME_A, "FROM,TO", 0, "as --time, of recording A only", 3},
	{"time-b", OPT_TIME_B, "FROM,TO", 0, "as --time, of recording B only", 3},
	{NULL, 0, NULL, 0, "Verdict:", 4},
	{"pair", OPT_PAIR, "NAME=NAME", 0,
	 "compare this VM of A with that of B, whose names differ (may be repeated)", 2},
	{"fail-on", OPT_FAIL_ON, "LIMIT", 0,
	 "exit status 2 if a number grew or fell by more: FN(measure) +N%|-N%|+TIME|-TIME [by vm], "
	 "as in 'p99(run_delay) +10%'",
	 4},
	{"least", OPT_LEAST, "N%", 0, "changes of less are not worth telling (default 5%)", 4},
	{"seed", OPT_SEED, "N", 0, "of the random numbers (default 1)", 4},
	{"all", OPT_ALL, NULL, 0, "also show what did not change", 5},
	{0},
};

static const struct argp_child children[] = {
	{&options_filter, 0, NULL, 2},
	{&options_window, 0, NULL, 3},
	{&options_output, 0, NULL, 5},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "A B",
	.doc = "What changed from recording A to recording B, per VM, with 95 % intervals.\v"
	       "Two windows of one recording are compared by --time-a and --time-b. "
	       "Exit status: 0 fine, whatever changed; 1 an error; 2 a --fail-on was violated; "
	       "3 inconclusive: records were lost, or there is too little to decide.",
	.children = children,
};

/* ---- running ------------------------------------------------------------------------------ */

/* One of the two. Its exit status. */
static int read_one(struct diff_cmd *c, unsigned which, struct profile *p)
{
	struct options o = c->o;
	struct sink sink;

	err__set_command(which ? "diff: B" : "diff: A");
	if (which)
		o.input = c->b;
	if (c->has_window[which]) {
		o.window = c->window[which];
		o.has_window = true;
	}
	profile__init(p, &sink);
	return run(&o, &sink);
}

/* Of one recording the windows must not share anything. */
static int verify_apart(const struct diff_cmd *c, const struct profile *a, const struct profile *b)
{
	struct stat x, y;

	if (stat(c->o.input, &x) || stat(c->b, &y) || x.st_dev != y.st_dev || x.st_ino != y.st_ino)
		return 0;
	if (a->from_ns >= b->to_ns || b->from_ns >= a->to_ns)
		return 0;
	return err__say(0, "A and B are the same recording%s",
			c->has_window[0] || c->has_window[1]
				? ", and the windows overlap: what is in both cannot differ"
				: "; two windows of it are compared by --time-a and --time-b");
}

static int verdict(const struct diff *d, int status)
{
	bool violated = false, inconclusive = false;

	for (unsigned i = 0; i < d->limits; i++) {
		violated |= d->limit[i].status == EXIT_VIOLATED;
		inconclusive |= d->limit[i].status == EXIT_INCONCLUSIVE;
	}
	if (!d->vms)
		err__note(
			"no VM is in both: they go by name or uuid; --pair NAME=NAME compares one of A "
			"with one of B");
	else if (!d->decided)
		err__note("no change that this data can show: there is too little of it");
	if (violated)
		return EXIT_VIOLATED;
	return status ?: inconclusive || !d->decided ? EXIT_INCONCLUSIVE : EXIT_FINE;
}

#define NAMES 8 /* are enough to see how VMs are called */

/* Not escaped: messages are. */
static const char *names_of(const struct profile *p, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (unsigned i = 0; i < p->vms && i < NAMES && n < size; i++)
		n += snprintf(out + n, size - n, "%s%s", i ? ", " : "", p->vm[i].name);
	if (p->vms > NAMES && n < size)
		snprintf(out + n, size - n, " and %u more", p->vms - NAMES);
	return out;
}

static int tell_no_pair(const struct diff *d)
{
	char a[NAMES * PROFILE_NAME + 64], b[sizeof(a)];

	return err__say(0,
			"--pair %s: a VM of A and one of B, each in one pair; in A: %s; in B: %s",
			d->no_pair, names_of(d->a, a, sizeof(a)), names_of(d->b, b, sizeof(b)));
}

static int compare(const struct diff_cmd *c, const struct profile *a, const struct profile *b,
		   int status)
{
	struct diff d;
	int err = diff__make(&d, a, b, c->pair, c->least, c->seed, c->limit, c->limits);

	if (err) {
		err__say(err, "comparing");
	} else if (d.no_pair) {
		err = tell_no_pair(&d);
	} else {
		status = verdict(&d, status);
		err = c->o.json ? diff_json__write(&d, status)
				: diff_text__write(&d, c->o.color, c->all);
		errno = 0;
		if (fflush(stdout) || ferror(stdout) || err)
			err = err__say(errno ?: err ?: EIO, "writing to standard output");
	}
	diff__free(&d);
	return err ? EXIT_ERROR : status;
}

static int diff(struct diff_cmd *c)
{
	struct profile a = {.blocks = 0}, b = {.blocks = 0};
	int status = read_one(c, 0, &a), other = EXIT_FINE;

	if (status != EXIT_ERROR)
		other = read_one(c, 1, &b);
	err__set_command("diff");
	if (status == EXIT_ERROR || other == EXIT_ERROR || verify_apart(c, &a, &b))
		status = EXIT_ERROR;
	else
		status = compare(c, &a, &b, status ?: other);
	profile__free(&a);
	profile__free(&b);
	return status;
}

int cmd_diff(int argc, char **argv)
{
	static struct diff_cmd c = {.least = 0.05, .seed = 1};

	options__init(&c.o);
	if (options__parse(&argp, argc, argv, &c.o, &c))
		return EXIT_ERROR;
	if (c.o.list_measures)
		return options__list_measures();
	return diff(&c);
}
