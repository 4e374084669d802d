// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched serve: metrics for Prometheus. */
#include "cmd.h"
#include "err.h"
#include "outfile.h"
#include "run.h"
#include "sink_serve.h"
#include "version.h"

enum { OPT_ONCE = 0x200, OPT_LISTEN, OPT_RING, OPT_PER_VCPU, OPT_MAX_VMS, OPT_NO_CLASSES };

struct serve_cmd {
	struct options o; /* first: the groups see only this */
	struct sink_serve_opts show;
	const char *listen[SOCKETS_MAX];
	unsigned listens;
};

static void verify(const struct serve_cmd *c, struct argp_state *state)
{
	if (c->show.once && !*c->show.once)
		argp_error(state, "--once \"\": not a file");
	if (c->show.once && !c->o.input && !c->o.duration_ns)
		argp_error(state, "--once: for how long? -d TIME, or -i DIR for a recording");
	if (c->show.once && c->listens)
		argp_error(state, "--once writes a file: it does not --listen");
	if (c->show.no_classes && c->o.ring)
		argp_error(state, "--no-classes: records have them, so not with --ring");
	if (c->o.command)
		argp_error(state, "%s: a command has no place here; record traces one",
			   c->o.command[0]);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct serve_cmd *c = state->input;
	__u64 n;

	switch (key) {
	case OPT_ONCE:
		c->show.once = arg;
		break;
	case OPT_LISTEN:
		if (c->listens == SOCKETS_MAX)
			argp_error(state, "--listen: at most %d times", SOCKETS_MAX);
		c->listen[c->listens++] = arg;
		break;
	case OPT_RING:
		c->o.ring = true;
		c->o.live_only = "--ring";
		break;
	case OPT_NO_CLASSES:
		c->show.no_classes = true;
		c->o.live_only = "--no-classes";
		break;
	case OPT_PER_VCPU:
		c->show.metrics.per_vcpu = true;
		break;
	case OPT_MAX_VMS:
		if (units__u64(arg, &n) || !n || n > 1000000)
			argp_error(state, "--max-vms %s: not a number from 1 to 1000000", arg);
		c->show.metrics.max_vms = n;
		break;
	case ARGP_KEY_END:
		verify(c, state);
		return 0;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Metrics:", 6},
	{"once", OPT_ONCE, "FILE", 0,
	 "write them to FILE, as a whole, and end: for node_exporter's textfile collector (- is "
	 "standard output)",
	 6},
	{"listen", OPT_LISTEN, "ADDR:PORT", 0,
	 "answer there: 192.0.2.1:10098, [2001:db8::1]:10098, or :10098 for every address; can be "
	 "repeated (default: port 10098 of the loopback addresses, or systemd's sockets)",
	 6},
	{"ring", OPT_RING, NULL, 0,
	 "live: from records of every transition, and not from the kernel's sums", 6},
	{"no-classes", OPT_NO_CLASSES, NULL, 0,
	 "live, by the kernel's sums: do not look who took the CPU, which costs a little more for "
	 "each preemption",
	 6},
	{"per-vcpu", OPT_PER_VCPU, NULL, 0, "a series per vCPU, where there would be one per VM",
	 6},
	{"max-vms", OPT_MAX_VMS, "N", 0,
	 "VMs that have series; others are only counted "
	 "(default 1000)",
	 6},
	{0},
};

static const struct argp_child children[] = {
	{&options_source, 0, "Source:", 1},
	{&options_filter, 0, NULL, 2},
	{&options_window, 0, NULL, 3},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Metrics for Prometheus, over HTTP (/metrics), or as a file.\v"
	       "Live, until SIGTERM or Ctrl-C; or the totals of a recording with -i. "
	       "Exit status: 0 fine; 1 an error; with --once 3: records were lost, or nothing was seen.",
	.children = children,
};

/* Before anything else is done: a port that is taken is known at once, and whoever connects while a
 * trace begins or a recording is read waits for an answer instead of being refused. */
static int open_sockets(const struct serve_cmd *c, struct sockets *s)
{
	int err = sockets__inherit(s);

	for (unsigned i = 0; i < c->listens && !err; i++)
		err = sockets__listen(s, c->listen[i]);
	if (!err && !s->count)
		err = sockets__listen_loopback(s, SERVE_PORT);
	return err;
}

/* Over HTTP, what is lost or missing is told by the metrics, and to be told to stop is no failure.
 */
static int serve(struct serve_cmd *c)
{
	struct sink_serve out;
	struct sink sink;
	int status;

	c->show.live = !c->o.input;
	sink_serve__init(&sink, &out, &c->show);
	status = run(&c->o, &sink);
	sink_serve__free(&out);
	return !c->show.once && status == EXIT_INCONCLUSIVE ? EXIT_FINE : status;
}

int cmd_serve(int argc, char **argv)
{
	struct sockets sockets = {0};
	struct serve_cmd c = {.show = {.metrics = {.max_vms = METRICS_VMS,
						   .version = KVMSCHED_VERSION,
						   .commit = KVMSCHED_COMMIT},
				       .sockets = &sockets}};
	int status = EXIT_ERROR;

	options__init(&c.o);
	if (options__parse(&argp, argc, argv, &c.o, &c))
		return EXIT_ERROR;
	if (c.show.once ? !outfile__probe(c.show.once, true, c.o.input)
			: !open_sockets(&c, &sockets))
		status = serve(&c);
	sockets__free(&sockets);
	return status;
}
