/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ends a live trace from outside: Ctrl-C or SIGTERM, and the end of a command that is traced
 * (`-- CMD`). Both arrive at one file descriptor.
 */
#ifndef KVMSCHED_CHILD_H
#define KVMSCHED_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	int signals; /* signalfd; -1 */
	int gate;    /* the command waits for it; -1 */
	int said;    /* why the command could not be run; -1 */
	pid_t pid;   /* 0 = no command */
	bool ended;
	unsigned asked; /* SIGUSR1s that came */
	int status;	/* of waitpid() */
	const char *name;
};

/* Blocks SIGINT, SIGTERM and SIGCHLD; forks argv (NULL = no command), which does not run yet. 0 or
 * -errno. */
int child__start(struct child *c, char **argv);

/* SIGUSR1 too arrives there, and is counted in `asked`; without this, it kills. 0 or -errno. */
int child__take_usr1(struct child *c);

/* Lets the command run. 0, or -errno if it cannot be run, which is said. */
int child__go(struct child *c);

int child__fd(const struct child *c);

/* When the descriptor is readable: should the trace end? */
bool child__poll(struct child *c);

/* Waits for the command where needed (a trace that ended first leaves it running), says how it
 * ended, and returns what the whole should exit with: status unless that is 0, else the command's.
 */
int child__status(struct child *c, int status);

bool child__running(const struct child *c); /* after child__status(): did it outlive the trace? */

void child__free(struct child *c);

#endif
