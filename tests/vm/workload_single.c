// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of one VM process: build, wait for the start file, run until the time is up, the work is
 * done or a signal comes, print, hold. What it reached it tells its parent through a pipe, or, when
 * it has none, the test through files.
 */
#include "workload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define POLL_NS 5000000L

/* Waits at most POLL_NS for a signal: 1 when we are asked to end. */
static int end_asked(void)
{
	struct timespec timeout = {.tv_nsec = POLL_NS};
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR2);
	sig = sigtimedwait(&set, NULL, &timeout);
	return sig == SIGTERM || sig == SIGINT;
}

static int announce(const struct options *opts, char what, const char *path)
{
	if (opts->report_fd >= 0)
		return write(opts->report_fd, &what, 1) == 1 ? 0 : fail(errno, "report to parent");
	return path ? file__create(path) : 0;
}

/* 1: asked to end while waiting. */
static int wait_for_start(const struct options *opts)
{
	while (opts->start_path && access(opts->start_path, F_OK) < 0) {
		if (errno != ENOENT)
			return fail(errno, "%s", opts->start_path);
		if (end_asked())
			return 1;
	}
	return 0;
}

static bool time_is_up(const struct vm *vm)
{
	uint64_t time_ns = vm->opts->time_ns;

	return time_ns && clock__now_ns() - vm->start_ns >= time_ns;
}

static int announce_once_ready(const struct vm *vm, bool *ready)
{
	if (*ready || !vm__all_progressed(vm))
		return 0;
	*ready = true;
	return announce(vm->opts, 'r', vm->opts->ready_path);
}

/* 1: asked to end. */
static int watch(struct vm *vm)
{
	bool ready = false;

	while (vm->live && !vm__failed(vm) && !time_is_up(vm)) {
		int err = announce_once_ready(vm, &ready);

		if (err)
			return err;
		if (end_asked())
			return 1;
	}
	return announce_once_ready(vm, &ready);
}

/* --steady promises that nothing but the end takes a vCPU out of its one KVM_RUN. */
static int check_steady(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++)
		if (vm->opts->steady && vm->vcpus[i].runs != 1)
			return refuse("--steady: vCPU %u needed %ju KVM_RUN", i,
				      (uintmax_t)vm->vcpus[i].runs);
	return 0;
}

/* 1: asked to end. */
static int run(struct vm *vm)
{
	int ret = vm__start(vm);

	if (!ret)
		ret = announce(vm->opts, 'c', vm->opts->created_path);
	if (!ret)
		ret = wait_for_start(vm->opts);
	if (!ret) {
		vm__release(vm);
		ret = watch(vm);
	}
	vm__stop(vm);
	return ret;
}

static int finish(struct vm *vm, int ret)
{
	int err = ret < 0 ? ret : 0;

	if (!err && !vm__failed(vm)) {
		err = check_steady(vm);
		if (!err)
			err = vm__print(vm);
		while (!err && ret == 0 && vm->opts->hold && !end_asked())
			;
	}
	ret = vm__join(vm);
	return err ? err : ret;
}

int single__run(const struct options *opts)
{
	struct vm vm;
	int ret = vm__create(&vm, opts);

	if (ret)
		return ret;
	ret = finish(&vm, run(&vm));
	vm__destroy(&vm);
	return ret;
}
