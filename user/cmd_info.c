// SPDX-License-Identifier: BSD-2-Clause
/*
 * kvmsched info: what this host offers, or what a recording is. Options, and the words that both
 * reports share; the reports themselves are info_host.c and info_recording.c.
 */
#include <argp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "err.h"
#include "info.h"
#include "wire.h"

enum { OPT_JSON = 256, OPT_BTF, OPT_COLOR };

static const struct argp_option options[] = {
	{"input", 'i', "DIR", 0, "describe the recording in DIR, not this host", 0},
	{"json", OPT_JSON, NULL, 0, "print JSON (docs/schema/info.json)", 0},
	{"btf", OPT_BTF, "FILE", 0,
	 "take the layout of the kernel's structs from FILE (vmlinux or raw BTF), as other commands do "
	 "with this option",
	 0},
	{"color", OPT_COLOR, "WHEN", 0, "auto (the default), always or never", 0},
	{0},
};

static const char doc[] =
	"Say whether vCPUs can be traced on this host: kernel, hooks, fields, BTF, permissions; what is "
	"missing and what to do about it. Loads nothing that stays, and needs no privileges.\v"
	"Exit status: 0 this host can be traced (or the recording could be read), 1 it cannot.\n"
	"\n"
	"  kvmsched info\n"
	"  kvmsched info --json | jq .usable\n"
	"  kvmsched info -i kvmsched.ctf";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct info_opts *o = state->input;

	switch (key) {
	case 'i':
		o->dir = arg;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_BTF:
		o->btf = arg;
		return 0;
	case OPT_COLOR:
		if (term__parse_color(arg, &o->color))
			argp_error(state, "--color %s: auto, always or never", arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: what is this? A recording is given with -i", arg);
		return 0;
	case ARGP_KEY_END:
		if (o->dir && o->btf)
			argp_error(state,
				   "--btf is about this host, -i about a recording: give one");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int cmd_info(int argc, char **argv)
{
	static const struct argp argp = {.options = options, .parser = parse, .doc = doc};
	struct info_opts o = {.color = COLOR_AUTO};

	argp_err_exit_status = EXIT_ERROR;
	argv[0] = (char *)"kvmsched info"; /* for usage and errors */
	err__set_command("info");
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_ERROR;
	return o.dir ? info_recording(&o) : info_host(&o);
}

/* ---- what both reports say in the same words ------------------------------------------------ */

static const struct {
	__u32 bit;
	const char *name, *with, *without;
} fields[] = {
	{KS_M_SCHEDULED_OUT, "scheduled_out", "check verifies it",
	 "since 6.11; check applies the rules of older kernels"},
	{KS_M_WANTS_TO_RUN, "wants_to_run", "tells absences in other ioctls from preemptions",
	 "since 6.11; absences in other ioctls count as preemptions"},
	{KS_M_BLOCKING, "blocking", "tells halted from sleeping",
	 "since 5.16; halted counts as sleeping"},
	{KS_M_SCHED_DELAYED, "sched_delayed", "a delayed dequeue does not pass for runnable",
	 "since 6.12, with delayed dequeue; not needed before"},
	{KS_M_RUN_DELAY, "run_delay", "run delay also of blocked absences",
	 "CONFIG_SCHED_INFO is off: no run delay of blocked absences"},
	{KS_M_QUOTA, "quota", "tells when CPU bandwidth (cpu.max) held a vCPU up",
	 "CONFIG_CFS_BANDWIDTH is off: there are no quotas"},
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

void info_row(const char *label, const char *fmt, ...)
{
	va_list ap;

	printf("%-14s", label);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void info_print_fields(const struct term *t, __u32 have)
{
	for (size_t i = 0; i < FIELDS; i++) {
		bool yes = have & fields[i].bit;
		enum term_style style = yes ? STYLE_GOOD : STYLE_DIM;

		info_row(i ? "" : "fields", "%-14s %s%-3s%s  %s", fields[i].name,
			 term__on(t, style), yes ? "yes" : "no", term__off(t, style),
			 yes ? fields[i].with : fields[i].without);
	}
}

void info_json_fields(struct json *j, __u32 have)
{
	for (size_t i = 0; i < FIELDS; i++)
		json__key_bool(j, fields[i].name, have & fields[i].bit);
}

int info_flush(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		err__say(errno, "writing the report");
		return EXIT_ERROR;
	}
	return EXIT_FINE;
}
