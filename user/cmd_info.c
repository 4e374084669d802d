// SPDX-License-Identifier: BSD-2-Clause
/*
 * kvmsched info: what this host offers, or what a recording is. The options; the
 * reports themselves are info_host.c and info_recording.c.
 */
#include <argp.h>
#include <stdlib.h>
#include "err.h"
#include "info.h"

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
		if (!*arg)
			argp_error(state, "-i \"\": not a directory");
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
			argp_error(state, "--color %s: not auto, always or never", arg);
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
