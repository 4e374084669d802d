// SPDX-License-Identifier: BSD-2-Clause
/* Signals as a file descriptor, and the traced command behind a gate: a pipe that it reads before
 * it becomes the command. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "err.h"

/* said: closes by itself when the command runs; else it is told why not. */
static void become(char **argv, int gate, int said, const sigset_t *old)
{
	char go;

	sigprocmask(SIG_SETMASK, old, NULL);
	if (read(gate, &go, 1) != 1)
		_exit(127); /* the tracer could not start */
	close(gate);
	execvp(argv[0], argv);
	_exit(write(said, &errno, sizeof(errno)) == sizeof(errno) ? 127 : 126);
}

/* Not where we were started with it ignored, as nohup does: blocked, it would come all the same. */
static bool hangup_ends(void)
{
	struct sigaction now;

	return !sigaction(SIGHUP, NULL, &now) && now.sa_handler != SIG_IGN;
}

static void what_ends(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGCHLD);
	if (hangup_ends())
		sigaddset(set, SIGHUP);
}

int child__start(struct child *c, char **argv)
{
	sigset_t set, old;
	int gate[2], said[2];

	*c = (struct child){.signals = -1, .gate = -1, .said = -1};
	what_ends(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	c->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (c->signals < 0)
		return err__say(errno, "waiting for signals");
	if (!argv)
		return 0;
	if (pipe2(gate, O_CLOEXEC) || pipe2(said, O_CLOEXEC))
		return err__say(errno, "starting %s", argv[0]);
	c->name = argv[0];
	c->pid = fork();
	if (c->pid < 0)
		return err__say(errno, "starting %s", argv[0]);
	if (!c->pid) {
		close(gate[1]);
		become(argv, gate[0], said[1], &old);
	}
	close(gate[0]);
	close(said[1]);
	c->gate = gate[1];
	c->said = said[0];
	return 0;
}

int child__take_usr1(struct child *c)
{
	sigset_t set;

	what_ends(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (signalfd(c->signals, &set, SFD_NONBLOCK | SFD_CLOEXEC) < 0)
		return err__say(errno, "waiting for signals");
	return 0;
}

int child__go(struct child *c)
{
	int err = 0;

	if (c->gate < 0)
		return 0;
	if (write(c->gate, "", 1) != 1 && errno != EPIPE)
		return err__say(errno, "starting %s", c->name);
	close(c->gate);
	c->gate = -1;
	if (read(c->said, &err, sizeof(err)) != sizeof(err))
		return 0; /* closed: it runs */
	waitpid(c->pid, NULL, 0);
	c->pid = 0;
	return err__say(err, "%s: cannot run", c->name);
}

int child__fd(const struct child *c)
{
	return c->signals;
}

bool child__poll(struct child *c)
{
	struct signalfd_siginfo s;
	bool stop = false;

	while (read(c->signals, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGUSR1)
			c->asked++;
		else if (s.ssi_signo != SIGCHLD)
			stop = true;
		else if (c->pid && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
			stop = c->ended = true;
	}
	return stop;
}

int child__status(struct child *c, int status)
{
	int own;

	if (!c->pid || (!c->ended && waitpid(c->pid, &c->status, WNOHANG) != c->pid)) {
		if (c->pid)
			err__note("%s is still running: how it ends is not known here", c->name);
		return status;
	}
	c->ended = true;
	own = WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
	if (own && WIFSIGNALED(c->status))
		err__note("%s was killed by signal %d (%s)", c->name, WTERMSIG(c->status),
			  strsignal(WTERMSIG(c->status)));
	else
		err__note("%s exited with %d", c->name, own);
	return status ?: own;
}

bool child__running(const struct child *c)
{
	return c->pid && !c->ended;
}

void child__free(struct child *c)
{
	if (c->gate >= 0)
		close(c->gate); /* the command ends without having run */
	if (c->said > 0)
		close(c->said);
	if (c->signals >= 0 && c->pid)
		child__poll(c);
	if (c->signals > 0)
		close(c->signals);
}
