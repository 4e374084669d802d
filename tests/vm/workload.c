// SPDX-License-Identifier: BSD-2-Clause
/*
 * workload: makes KVM virtual machines whose vCPU threads do defined things, so that a tracer of
 * KVM's scheduling can be tested against what is known to have happened. --help
 * (workload_options.c) describes it all; this file chooses what to run.
 */
#include "workload.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void print_error(const char *cause, const char *fmt, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	fprintf(stderr, "workload: %s%s%s\n", text, *cause ? ": " : "", cause);
}

int fail(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_error(strerror(err), fmt, args);
	va_end(args);
	return -err;
}

int refuse(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_error("", fmt, args);
	va_end(args);
	return -EINVAL;
}

/* The main thread waits for these with sigtimedwait(); no thread is to be interrupted by them. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A VM process of several was executed as /proc/self/exe and would be called "exe". */
static void name_main_thread(void)
{
	char comm[16];

	snprintf(comm, sizeof(comm), "%.15s", program_invocation_short_name);
	pthread_setname_np(pthread_self(), comm);
}

int main(int argc, char **argv)
{
	struct options opts;
	int err = options__parse(argc, argv, &opts);

	if (err)
		return err < 0;
	block_signals();
	name_main_thread();
	if (opts.bench_halt)
		err = bench__halt(&opts);
	else if (opts.bench_preempt)
		err = bench__preempt(&opts);
	else if (opts.bench_exit)
		err = bench__exit(&opts);
	else if (opts.churn)
		err = churn__run(&opts);
	else if (opts.vms > 1)
		err = opts.name ? refuse("-name is for a single VM; see --name-prefix")
				: fleet__run(&opts, argc, argv);
	else
		err = single__run(&opts);
	return err < 0;
}
