// SPDX-License-Identifier: BSD-2-Clause
/* The table of subcommands. */
#include <argp.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "version.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"top", cmd_top, "what is going on now: who waits for a CPU, and who has it"},
	{"record", cmd_record, "trace into a recording, to look at later"},
	{"report", cmd_report, "per VM and vCPU: time in each state, delays, who took the CPU"},
	{"timehist", cmd_timehist, "one line per absence: when, why, how long, who took the CPU"},
	{"timeline", cmd_timeline, "strips of states over time, in the terminal or as SVG"},
	{"hist", cmd_hist, "latency histograms"},
	{"export", cmd_export, "for other tools: Perfetto, rows as JSON or CSV"},
	{"serve", cmd_serve, "metrics for Prometheus, over HTTP or as a file"},
	{"check", cmd_check, "ordering rules and assertions: verdict and exit status"},
	{"diff", cmd_diff, "two recordings: what changed, with confidence"},
	{"info", cmd_info, "what this host, or a recording, offers and lacks"},
};

/* Where it is set, argp gives every command -V and --version. */
const char *argp_program_version = "kvmsched " KVMSCHED_VERSION " (" KVMSCHED_COMMIT ")";

static void usage(FILE *f)
{
	fputs("Usage: kvmsched COMMAND [options]\n\n"
	      "Shows when and why KVM vCPUs do not get their CPU.\n\n",
	      f);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n  kvmsched COMMAND --help   its options\n  kvmsched --version\n", f);
}

/* A closed stdin, stdout or stderr would give its number to the next file that is opened, and what
 * is printed would end in a recording. Opened the wrong way round, so that using it is an error
 * still. */
static void hold_standard_files(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	hold_standard_files();
	setlocale(LC_ALL, "");
	if (argc < 2) {
		usage(stderr);
		return EXIT_ERROR;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return EXIT_FINE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	err__say(0, "%s: no such command; kvmsched --help lists them", argv[1]);
	return EXIT_ERROR;
}
