// SPDX-License-Identifier: BSD-2-Clause
/*
 * The threads of a VM that act on its running vCPUs: the driver (wakes halted vCPUs, takes pages
 * away, changes the behaviour of mixed ones), the meddler (ioctls on other threads' vCPUs) and one
 * fault handler per uffd vCPU. All times are drawn from the seed.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONGEST_SLEEP_NS 50000000ULL
#define MIXED_MIN_NS	 20000000ULL
#define MIXED_MAX_NS	 200000000ULL

static uint64_t interval_ns(const struct vm *vm, uint64_t *rng)
{
	return rng__between(rng, vm->opts->wake_min_ns, vm->opts->wake_max_ns);
}

static bool stopping(const struct vm *vm)
{
	return vm->stage >= STAGE_STOP;
}

/* How a helper thread ends: an error goes to the main thread, which would otherwise wait on. */
static void *report(struct vm *vm, int err)
{
	if (err) {
		vm->helper_err = err;
		pthread_kill(vm->main_thread, SIGUSR2);
	}
	return NULL;
}

static int wake(struct vcpu *vcpu)
{
	vcpu->wakeups++;
	return arch__wake(vcpu);
}

static int zap(struct vcpu *vcpu)
{
	vcpu->zaps++;
	if (madvise(vcpu->fault_mem, FAULT_BYTES, MADV_DONTNEED) < 0)
		return fail(errno, "madvise(MADV_DONTNEED)");
	return 0;
}

/*
 * Whoever says that it is halting is woken, whatever its mode is by now: it may have read the mode
 * before that was changed. An x86 NMI that comes in just before HLT does not end the halt, but then
 * the guest still says so the next time. Before it says so it may not be able to take an interrupt.
 */
static int act(struct vm *vm, struct vcpu *vcpu, uint64_t *rng)
{
	struct guest_ctl *ctl = vcpu->ctl;

	if (ctl->halting)
		return wake(vcpu);
	if (ctl->mode == MODE_TIMER)
		ctl->period_ticks = arch__timer_ticks(interval_ns(vm, rng));
	else if (ctl->mode == MODE_FAULT && vcpu->mode != MODE_UFFD)
		return zap(vcpu);
	return 0;
}

/* Does what is due for one vCPU; *next_ns comes down to its next deadline. */
static int serve(struct vm *vm, struct vcpu *vcpu, uint64_t *rng, uint64_t *next_ns)
{
	uint64_t now_ns = clock__now_ns();
	int err = 0;

	if (vcpu->mode == MODE_MIXED && now_ns >= vcpu->change_ns) {
		vcpu->ctl->mode = (uint32_t)(rng__next(rng) % GUEST_MODES);
		vcpu->change_ns = now_ns + rng__between(rng, MIXED_MIN_NS, MIXED_MAX_NS);
	}
	if (now_ns >= vcpu->act_ns) {
		err = act(vm, vcpu, rng);
		vcpu->act_ns = now_ns + interval_ns(vm, rng);
	}
	if (vcpu->act_ns < *next_ns)
		*next_ns = vcpu->act_ns;
	return err;
}

static void *driver_thread(void *arg)
{
	struct vm *vm = arg;
	uint64_t rng = vm->opts->seed + 0x10000 + vm->opts->vm_index;
	int err = 0;

	vm__wait_stage(vm, STAGE_RUN);
	while (!err && !stopping(vm)) {
		uint64_t next_ns = clock__now_ns() + LONGEST_SLEEP_NS;

		for (unsigned int i = 0; !err && i < vm->vcpu_cnt; i++)
			err = serve(vm, &vm->vcpus[i], &rng, &next_ns);
		clock__sleep_until(next_ns);
	}
	return report(vm, err);
}

/*
 * Reads registers of vCPUs that are in mode ioctl, which other threads run. Such an ioctl waits for
 * the vCPU's mutex, so for vCPUs that never leave KVM_RUN it would wait until the end.
 */
static void *meddler_thread(void *arg)
{
	struct vm *vm = arg;
	uint64_t rng = vm->opts->seed + 0x20000 + vm->opts->vm_index;
	int err = 0;

	vm__wait_stage(vm, STAGE_RUN);
	while (!err && !stopping(vm)) {
		struct vcpu *vcpu = &vm->vcpus[rng__next(&rng) % vm->vcpu_cnt];

		clock__sleep_until(clock__now_ns() + interval_ns(vm, &rng));
		if (stopping(vm) || vcpu->ctl->mode != MODE_IOCTL)
			continue;
		err = arch__vcpu_ioctl(vcpu, rng__next(&rng), false);
		vcpu->foreign++;
	}
	return report(vm, err);
}

int uffd__open(struct vcpu *vcpu)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	vcpu->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (vcpu->uffd < 0)
		return -errno;
	reg.range.start = (uintptr_t)vcpu->fault_mem;
	reg.range.len = FAULT_BYTES;
	if (ioctl(vcpu->uffd, UFFDIO_API, &api) < 0 ||
	    ioctl(vcpu->uffd, UFFDIO_REGISTER, &reg) < 0) {
		int err = errno;

		close(vcpu->uffd);
		vcpu->uffd = -1;
		return -err;
	}
	return 0;
}

static int give_zero_page(struct vcpu *vcpu, uint64_t addr)
{
	struct uffdio_zeropage zero = {.range = {.start = addr, .len = PAGE_BYTES}};
	struct uffdio_range range = zero.range;

	while (ioctl(vcpu->uffd, UFFDIO_ZEROPAGE, &zero) < 0) {
		if (errno == EEXIST)
			return ioctl(vcpu->uffd, UFFDIO_WAKE, &range) < 0
				       ? fail(errno, "UFFDIO_WAKE")
				       : 0;
		if (errno != EAGAIN)
			return fail(errno, "UFFDIO_ZEROPAGE");
	}
	return 0;
}

/* Keeps the guest waiting, gives it the page, and takes away the one half the area further on. */
static int resolve(struct vcpu *vcpu, uint64_t addr, uint64_t *rng)
{
	uint64_t base = (uintptr_t)vcpu->fault_mem;
	uint64_t away = (addr - base + FAULT_BYTES / 2) % FAULT_BYTES & ~(PAGE_BYTES - 1);

	vcpu->uffd_faults++;
	if (!stopping(vcpu->vm))
		clock__sleep_until(clock__now_ns() + interval_ns(vcpu->vm, rng));
	if (madvise(vcpu->fault_mem + away, PAGE_BYTES, MADV_DONTNEED) < 0)
		return fail(errno, "madvise(MADV_DONTNEED)");
	return give_zero_page(vcpu, addr & ~(PAGE_BYTES - 1));
}

/* Serves until the vCPU threads are out of KVM_RUN: not every kernel lets a signal end such a
 * fault. */
static void *uffd_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm *vm = vcpu->vm;
	uint64_t rng = vm->opts->seed + 0x30000 + vm->opts->vm_index * MAX_VCPUS + vcpu->id;
	int err = 0;

	while (!err && !(stopping(vm) && !vm->live)) {
		struct pollfd pfd = {.fd = vcpu->uffd, .events = POLLIN};
		struct uffd_msg msg;

		if (poll(&pfd, 1, 20) <= 0 ||
		    read(vcpu->uffd, &msg, sizeof(msg)) != (ssize_t)sizeof(msg))
			continue;
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			err = resolve(vcpu, msg.arg.pagefault.address, &rng);
	}
	return report(vm, err);
}

static int start_uffd(struct vcpu *vcpu)
{
	int err;

	if (vcpu->uffd < 0)
		return 0;
	err = pthread_create(&vcpu->uffd_thread, NULL, uffd_thread, vcpu);
	if (err)
		return fail(err, "fault handler thread");
	vcpu->has_uffd_thread = true;
	pthread_setname_np(vcpu->uffd_thread, "uffd");
	return 0;
}

static int start_thread(pthread_t *thread, bool *has, void *(*run)(void *), struct vm *vm,
			const char *name)
{
	int err = pthread_create(thread, NULL, run, vm);

	if (err)
		return fail(err, "%s thread", name);
	*has = true;
	pthread_setname_np(*thread, name);
	return 0;
}

int helpers__start(struct vm *vm)
{
	bool meddle = false, drive = false;
	int err = 0;

	if (vm->opts->bench_halt) /* its main thread alone wakes the vCPU */
		return 0;
	for (unsigned int i = 0; !err && i < vm->vcpu_cnt; i++) {
		enum mode mode = vm->vcpus[i].mode;

		meddle |= mode == MODE_IOCTL || mode == MODE_MIXED;
		drive |= mode == MODE_HALT || mode == MODE_TIMER || mode == MODE_FAULT ||
			 mode == MODE_MIXED;
		err = start_uffd(&vm->vcpus[i]);
	}
	if (!err && drive)
		err = start_thread(&vm->driver, &vm->has_driver, driver_thread, vm, "driver");
	if (!err && meddle)
		err = start_thread(&vm->meddler, &vm->has_meddler, meddler_thread, vm, "meddler");
	return err;
}

/* The signal only cuts a sleep short. */
static void end_thread(pthread_t thread, bool has)
{
	if (!has)
		return;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
}

void helpers__join(struct vm *vm)
{
	end_thread(vm->driver, vm->has_driver);
	end_thread(vm->meddler, vm->has_meddler);
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++)
		end_thread(vm->vcpus[i].uffd_thread, vm->vcpus[i].has_uffd_thread);
}
