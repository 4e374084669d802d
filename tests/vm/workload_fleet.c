// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several VMs: one process each, made with fork and exec of this program so that every one has a
 * command line of its own, as QEMU's have (-name, -uuid). The parent only waits, passes signals on,
 * and creates the files that say how far all of them are.
 */
#include "workload.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXTRA_ARGS 16

struct fleet {
	const struct options *opts;
	pid_t pids[MAX_VMS];
	unsigned int started, alive, created, ready;
	int signal_fd, pipe[2];
	int err;
};

/* The parent's own arguments come after the names, and what must differ after those: the last wins.
 */
static _Noreturn void exec_vm(const struct fleet *fleet, unsigned int index, int argc, char **argv)
{
	const struct options *opts = fleet->opts;
	char name[96], uuid[40], index_text[16], fd_text[16];
	const char **args = calloc((size_t)argc + EXTRA_ARGS, sizeof(*args));
	uint64_t rng = opts->seed + 0x40000 + index;
	int cnt = 0;

	if (!args)
		_exit(1);
	snprintf(name, sizeof(name), opts->plain_names ? "%s%u" : "guest=%s%u,debug-threads=on",
		 opts->name_prefix, index + 1);
	snprintf(uuid, sizeof(uuid), "%08x-0000-4000-8000-%012jx", (uint32_t)rng__next(&rng),
		 (uintmax_t)(rng__next(&rng) >> 16));
	snprintf(index_text, sizeof(index_text), "%u", index);
	snprintf(fd_text, sizeof(fd_text), "%d", fleet->pipe[1]);
	args[cnt++] = argv[0];
	args[cnt++] = "-name";
	args[cnt++] = name;
	args[cnt++] = "-uuid";
	args[cnt++] = uuid;
	for (int i = 1; i < argc; i++)
		args[cnt++] = argv[i];
	args[cnt++] = "--vms=1";
	args[cnt++] = "--vm-index";
	args[cnt++] = index_text;
	args[cnt++] = "--report-fd";
	args[cnt++] = fd_text;
	close(fleet->pipe[0]);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execv("/proc/self/exe", (char **)(uintptr_t)args);
	fail(errno, "exec of /proc/self/exe");
	_exit(1);
}

static int start_vms(struct fleet *fleet, int argc, char **argv)
{
	for (; fleet->started < fleet->opts->vms; fleet->started++) {
		pid_t pid = fork();

		if (pid < 0)
			return fail(errno, "fork");
		if (pid == 0)
			exec_vm(fleet, fleet->started, argc, argv);
		fleet->pids[fleet->started] = pid;
		fleet->alive++;
	}
	return 0;
}

static void signal_all(const struct fleet *fleet, int sig)
{
	for (unsigned int i = 0; i < fleet->started; i++)
		if (fleet->pids[i])
			kill(fleet->pids[i], sig);
}

static int note_report(struct fleet *fleet)
{
	const struct options *opts = fleet->opts;
	char what;

	if (read(fleet->pipe[0], &what, 1) != 1)
		return 0;
	if (what == 'c' && ++fleet->created == opts->vms && opts->created_path)
		return file__create(opts->created_path);
	if (what == 'r' && ++fleet->ready == opts->vms && opts->ready_path)
		return file__create(opts->ready_path);
	return 0;
}

/* One VM that failed ends the others. */
static void reap(struct fleet *fleet)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned int i = 0; i < fleet->started; i++)
			if (fleet->pids[i] == pid)
				fleet->pids[i] = 0;
		fleet->alive--;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		fleet->err = refuse("VM process %d ended with status 0x%x", (int)pid, status);
		signal_all(fleet, SIGTERM);
	}
}

static void note_signal(struct fleet *fleet)
{
	struct signalfd_siginfo info;

	if (read(fleet->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(fleet);
	else
		signal_all(fleet, SIGTERM);
}

static int watch(struct fleet *fleet)
{
	while (fleet->alive) {
		struct pollfd pfds[] = {{.fd = fleet->signal_fd, .events = POLLIN},
					{.fd = fleet->pipe[0], .events = POLLIN}};
		int err = 0;

		if (poll(pfds, 2, -1) < 0 && errno != EINTR)
			err = fail(errno, "poll");
		if (!err && pfds[1].revents & POLLIN)
			err = note_report(fleet);
		if (pfds[0].revents & POLLIN)
			note_signal(fleet);
		if (err) {
			fleet->err = err;
			signal_all(fleet, SIGTERM);
		}
	}
	return fleet->err;
}

int fleet__run(const struct options *opts, int argc, char **argv)
{
	struct fleet fleet = {.opts = opts};
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fleet.signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fleet.signal_fd < 0 || pipe(fleet.pipe) < 0)
		return fail(errno, "signalfd or pipe");
	fleet.err = start_vms(&fleet, argc, argv);
	if (fleet.err)
		signal_all(&fleet, SIGTERM);
	err = watch(&fleet);
	close(fleet.signal_fd);
	close(fleet.pipe[0]);
	close(fleet.pipe[1]);
	return err;
}
