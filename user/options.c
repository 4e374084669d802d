// SPDX-License-Identifier: BSD-2-Clause
/* The shared option groups. Every parser gets the command's struct options as its input. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "measure.h"
#include "options.h"

enum {
	OPT_FULL = 0x100,
	OPT_LIGHT,
	OPT_LOADS,
	OPT_BUFFER,
	OPT_MAX_VCPUS,
	OPT_BTF,
	OPT_VM,
	OPT_VCPU,
	OPT_CGROUP,
	OPT_TIME,
	OPT_LAST,
	OPT_JSON,
	OPT_COLOR,
	OPT_FORCE,
	OPT_MAX_SIZE,
	OPT_LIST_MEASURES,
	OPT_RING
};

void options__init(struct options *o)
{
	memset(o, 0, sizeof(*o));
	o->live.ring_bytes = 1 << 20;
	o->live.filter = &o->filter;
	o->max_bytes = 1ULL << 30;
}

static error_t bad(struct argp_state *state, const char *option, const char *arg, const char *want)
{
	argp_error(state, "%s %s: not %s", option, arg, want);
	return EINVAL;
}

/* ---- where events come from --------------------------------------------------------------- */

static error_t parse_source(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	__u64 n;

	switch (key) {
	case 'i':
		if (!*arg)
			return bad(state, "-i", "\"\"", "a directory");
		o->input = arg;
		break;
	case 'd':
		o->live_only = "-d";
		if (units__time(arg, &o->duration_ns) || !o->duration_ns)
			return bad(state, "-d", arg, "a time (number and ns, us, ms, s, m or h)");
		break;
	case OPT_FULL:
	case OPT_LIGHT:
		if (o->live.mode != MODE_DEFAULT)
			argp_error(state, "--full and --light exclude each other");
		o->live.mode = key == OPT_FULL ? MODE_FULL : MODE_LIGHT;
		o->live_only = key == OPT_FULL ? "--full" : "--light";
		break;
	case OPT_LOADS:
		o->live.loads = 1;
		o->live_only = "--loads";
		break;
	case OPT_BUFFER:
		if (units__size(arg, &o->live.ring_bytes) || !o->live.ring_bytes)
			return bad(state, "--buffer", arg, "a size (number and K, M or G)");
		if (o->live.ring_bytes > LIVE_RING_MAX)
			argp_error(state, "--buffer %s: at most 896M, for each CPU", arg);
		o->live_only = "--buffer";
		break;
	case OPT_MAX_VCPUS:
		if (units__u64(arg, &n) || !n || n > KS_SLOTS)
			return bad(state, "--max-vcpus", arg, "a number from 1 to 4096");
		o->live.max_vcpus = n;
		o->live_only = "--max-vcpus";
		break;
	case OPT_BTF:
		o->live.btf = arg;
		o->live_only = "--btf";
		break;
	case ARGP_KEY_ARG:
		argp_error(
			state,
			"%s: what is this? A recording is read with -i %s, a command to trace goes "
			"behind --",
			arg, arg);
		break;
	case ARGP_KEY_END:
		if (o->live.loads && o->live.mode == MODE_LIGHT)
			argp_error(state, "--light has no loads: --loads needs another mode");
		if (o->force && !o->keep && !o->cuts)
			o->live_only = "--force";
		if (o->writes && !o->cuts)
			o->live_only = o->writes;
		if (o->input && (o->live_only || o->command))
			argp_error(state,
				   "-i reads a recording: %s, which directs a live trace, has no "
				   "place with it",
				   o->live_only ?: "CMD");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* record, which reads one only to cut it. */
static error_t parse_trace(int key, char *arg, struct argp_state *state)
{
	const struct options *o = state->input;

	if (key == ARGP_KEY_END && o->input && !o->cuts)
		argp_error(state, "-i reads a recording, to cut it with --flight: record traces");
	if (key == ARGP_KEY_ARG)
		argp_error(
			state,
			"%s: what is this? The recording goes to -o %s, a command to trace behind "
			"--",
			arg, arg);
	return parse_source(key, arg, state);
}

static const struct argp_option source_options[] = {
	{"input", 'i', "DIR", 0, "read the recording in DIR instead of tracing", 1},
	{"duration", 'd', "TIME", 0, "trace for TIME (10s, 500ms); else until Ctrl-C, or CMD's end",
	 1},
	{"full", OPT_FULL, NULL, 0, "also the inside of loads and puts: what they cost", 1},
	{"light", OPT_LIGHT, NULL, 0, "two hooks only: absences; running and user are one", 1},
	{"loads", OPT_LOADS, NULL, 0, "a record for every bare load and put", 1},
	{"buffer", OPT_BUFFER, "SIZE", 0, "ring per CPU (default 1M, at most 896M)", 1},
	{"max-vcpus", OPT_MAX_VCPUS, "N", 0,
	 "vCPUs tracked at once, at most 4096 (the default; of the kernel's sums 1024)", 1},
	{"btf", OPT_BTF, "FILE", 0, "the kernel's BTF, if it is not in /sys/kernel/btf", 1},
	{0},
};
const struct argp options_source = {.options = source_options, .parser = parse_source};

/* record's words, where it differs. */
static char *trace_help(int key, const char *text, void *input)
{
	const char *own = key == 'i' ? "with --flight: cut the dumps out of the recording in DIR"
			  : key == OPT_MAX_VCPUS
				  ? "vCPUs tracked at once, at most 4096 (the default)"
				  : NULL;

	(void)input;
	return own ? strdup(own) : (char *)text;
}

const struct argp options_trace = {
	.options = source_options, .parser = parse_trace, .help_filter = trace_help};

/* ---- filters ------------------------------------------------------------------------------ */

static error_t parse_filter(int key, char *arg, struct argp_state *state)
{
	static const struct {
		int key, kind;
		const char *name, *want;
	} kinds[] = {
		{OPT_VM, 'v', "--vm", "a name"},
		{'p', 'p', "-p", "a process id"},
		{OPT_VCPU, 'V', "--vcpu", "numbers (0,2-5)"},
		{'t', 't', "-t", "a thread id"},
		{'C', 'C', "-C", "CPU numbers (0,2-5)"},
		{OPT_CGROUP, 'g', "--cgroup", "a path"},
	};
	struct options *o = state->input;
	int err;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (kinds[i].key != key)
			continue;
		err = filter__add(&o->filter, kinds[i].kind, arg);
		if (err == -E2BIG)
			argp_error(state, "%s: at most %d values", kinds[i].name, FILTER_MAX);
		return err ? bad(state, kinds[i].name, arg, kinds[i].want) : 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option filter_options[] = {
	{NULL, 0, NULL, 0, "Filters (values of one kind OR, kinds AND):", 2},
	{"vm", OPT_VM, "NAME", 0, "VMs of this name; * ? [] match", 2},
	{"pid", 'p', "PID", 0, "the VM of this VMM process", 2},
	{"vcpu", OPT_VCPU, "N[,N-M]", 0, "vCPUs of these numbers", 2},
	{"tid", 't', "TID", 0, "the vCPU of this thread", 2},
	{"cpu", 'C', "CPU[,CPU-CPU]", 0, "what happens on these host CPUs", 2},
	{"cgroup", OPT_CGROUP, "PATH", 0, "VMs in or below this cgroup", 2},
	{0},
};
const struct argp options_filter = {.options = filter_options, .parser = parse_filter};

/* ---- the window --------------------------------------------------------------------------- */

static error_t parse_window(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_TIME:
		if (units__window(arg, &o->window))
			return bad(state, "--time", arg,
				   "A,B (times from the start, or wall times)");
		o->has_window = true;
		break;
	case OPT_LAST:
		if (units__time(arg, &o->last_ns) || !o->last_ns)
			return bad(state, "--last", arg, "a time");
		break;
	case ARGP_KEY_END:
		if ((o->has_window || o->last_ns) && !o->input)
			argp_error(state, "--time and --last cut a recording: they need -i");
		if (o->has_window && o->last_ns)
			argp_error(state, "--time and --last exclude each other");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option window_options[] = {
	{NULL, 0, NULL, 0, "Window of a recording:", 3},
	{"time", OPT_TIME, "A,B", 0,
	 "from A to B: times from the start (1.5s), or wall times "
	 "(12:00:01.2, 2026-01-31T12:00); an empty side is open",
	 3},
	{"last", OPT_LAST, "TIME", 0, "the last TIME", 3},
	{0},
};
const struct argp options_window = {.options = window_options, .parser = parse_window};

/* ---- output ------------------------------------------------------------------------------- */

static error_t parse_output(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_COLOR:
		if (term__parse_color(arg, &o->color))
			return bad(state, "--color", arg, "auto, always or never");
		break;
	case OPT_LIST_MEASURES:
		o->list_measures = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option output_options[] = {
	{NULL, 0, NULL, 0, "Output:", 5},
	{"json", OPT_JSON, NULL, 0, "for machines; all times in ns", 5},
	{"color", OPT_COLOR, "WHEN", 0, "auto, always or never", 5},
	{"list-measures", OPT_LIST_MEASURES, NULL, 0, "say what is measured, and what it needs", 5},
	{0},
};
const struct argp options_output = {.options = output_options, .parser = parse_output};

static error_t parse_record(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		if (!*arg)
			return bad(state, "-o", "\"\"", "a directory");
		o->output = arg;
		o->writes = "-o";
		break;
	case OPT_FORCE:
		o->force = true;
		break;
	case OPT_MAX_SIZE:
		if (units__size(arg, &o->max_bytes) || !o->max_bytes)
			return bad(state, "--max-size", arg, "a size (number and K, M or G)");
		o->writes = "--max-size";
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option record_options[] = {
	{NULL, 0, NULL, 0, "Recording:", 4},
	{"output", 'o', "DIR", 0, "keep the recording in DIR", 4},
	{"force", OPT_FORCE, NULL, 0, "replace DIR if it is a kvmsched recording, or empty", 4},
	{"max-size", OPT_MAX_SIZE, "SIZE", 0, "no more is recorded than SIZE (default 1G)", 4},
	{0},
};
const struct argp options_record = {.options = record_options, .parser = parse_record};

const struct argp_child options_show[] = {
	{&options_source, 0, "Source:", 1}, {&options_filter, 0, NULL, 2},
	{&options_window, 0, NULL, 3},	    {&options_record, 0, NULL, 4},
	{&options_output, 0, NULL, 5},	    {0},
};

static const struct argp *parsing; /* state->root_argp is a wrapper of argp's own around it */

error_t options__parse_none(int key, char *arg, struct argp_state *state)
{
	const struct argp_child *c = parsing->children;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	for (unsigned i = 0; c && c[i].argp; i++)
		state->child_inputs[i] = state->input;
	return 0;
}

/* ---- parsing ------------------------------------------------------------------------------ */

int options__list_measures(void)
{
	int err = measure__list(stdout);

	return err ? err__say(err, "writing to standard output"), EXIT_ERROR : EXIT_FINE;
}

int options__parse(const struct argp *argp, int argc, char **argv, struct options *o, void *input)
{
	static char name[64];

	argp_err_exit_status = EXIT_ERROR;
	parsing = argp;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		o->command = i + 1 < argc ? &argv[i + 1] : NULL;
		argc = i;
	}
	strcpy(name, "kvmsched ");
	strncat(name, argv[0], sizeof(name) - sizeof("kvmsched "));
	argv[0] = name; /* what argp prints */
	err__set_command(name + sizeof("kvmsched ") - 1);
	return argp_parse(argp, argc, argv, 0, NULL, input) ? -EINVAL : 0;
}
