// SPDX-License-Identifier: BSD-2-Clause
/*
 * Workloads that cost exactly the same each time, to be measured on an emulated machine that counts
 * instructions (QEMU -icount: 1 ns of its time is 1 instruction), and the churn of VMs that shows
 * leaks. Their results are JSON lines of their own.
 */
#include "workload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIFO_PRIORITY 50

/*
 * x86 KVM kicks a VM's vCPUs once, 100 ms after their first load, to spread its clock's correction
 * (KVMCLOCK_UPDATE_DELAY in arch/x86/kvm/x86.c): that would be one wake-up too many.
 */
#define SETTLE_NS 200000000ULL

/* What one repeat of a benchmark measured. */
struct result {
	const char *bench;
	uint64_t cycles, total_ns;
	long switches; /* of the vCPU's thread, of the kind that is measured; -1: not measured */
};

static int print_result(const struct options *opts, unsigned int repeat, const struct result *res)
{
	char text[256];

	snprintf(
		text, sizeof(text),
		"{\"bench\":\"%s\",\"repeat\":%u,\"cycles\":%ju,\"total_ns\":%ju,\"ns_per_cycle\":%.2f,"
		"\"switches\":%ld}\n",
		res->bench, repeat, (uintmax_t)res->cycles, (uintmax_t)res->total_ns,
		(double)res->total_ns / (double)res->cycles, res->switches);
	return text__append(opts->json_path, text);
}

/* One CPU, so that a woken SCHED_FIFO vCPU runs before its waker goes on. */
static int use_one_cpu(const struct options *opts)
{
	cpu_set_t cpus = opts->cpus, one;
	unsigned int cpu = 0;

	if (!opts->has_cpus && sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return fail(errno, "sched_getaffinity");
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &cpus))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		return fail(errno, "sched_setaffinity to CPU %u", cpu);
	if (mlockall(MCL_CURRENT) < 0)
		return fail(errno, "mlockall");
	return 0;
}

static int make_fifo(pthread_t thread)
{
	struct sched_param param = {.sched_priority = FIFO_PRIORITY};
	int err = pthread_setschedparam(thread, SCHED_FIFO, &param);

	return err ? fail(err, "SCHED_FIFO") : 0;
}

/* key: "voluntary_ctxt_switches" or "nonvoluntary_ctxt_switches", a line of proc(5)'s status */
static long count_switches(int tid, const char *key)
{
	char path[64], line[128];
	size_t len = strlen(key);
	long cnt = -1;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	status = fopen(path, "re");
	if (!status)
		return -1;
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, key, len) == 0 && sscanf(line + len, ": %ld", &cnt) == 1)
			break;
	fclose(status);
	return cnt;
}

/* cnt wake-ups. Each is delivered, and the guest back in HLT, before arch__wake() returns. */
static int time_wakes(struct vcpu *vcpu, uint64_t cnt, struct result *res)
{
	uint64_t before = vcpu->ctl->progress, rounds, start_ns;
	long switches = count_switches(vcpu->tid, "voluntary_ctxt_switches");

	start_ns = clock__now_ns();
	for (uint64_t i = 0; i < cnt; i++) {
		int err = arch__wake(vcpu);

		if (err)
			return err;
	}
	res->total_ns = clock__now_ns() - start_ns;
	res->switches = count_switches(vcpu->tid, "voluntary_ctxt_switches") - switches;
	res->cycles = cnt;
	rounds = vcpu->ctl->progress - before;
	if (rounds != cnt || res->switches != (long)cnt)
		return refuse("bench-halt: %ju wake-ups made %ju rounds and %ld switches",
			      (uintmax_t)cnt, (uintmax_t)rounds, res->switches);
	return 0;
}

static int repeat_wakes(struct vm *vm)
{
	const struct options *opts = vm->opts;
	struct result res = {.bench = "halt"};
	int err = 0;

	vm__release(vm);
	clock__sleep_until(clock__now_ns() + SETTLE_NS);
	while (!vm->vcpus[0].ctl->halting && !vm__failed(vm))
		clock__sleep_until(clock__now_ns() + 1000000);
	if (opts->warmup)
		err = time_wakes(&vm->vcpus[0], opts->warmup, &res);
	for (unsigned int i = 0; !err && i < opts->repeat; i++) {
		err = time_wakes(&vm->vcpus[0], opts->bench_halt, &res);
		if (!err)
			err = print_result(opts, i, &res);
	}
	return err;
}

static struct options bench_options(const struct options *opts, enum mode mode)
{
	struct options bench = *opts;

	bench.vcpus = 1;
	bench.mode_cnt = 1;
	bench.modes[0] = mode;
	bench.cycles = 0;
	bench.has_cpus = false;
	if (bench.halt_poll_ns < 0)
		bench.halt_poll_ns = 0;
	return bench;
}

int bench__halt(const struct options *opts)
{
	struct options bench = bench_options(opts, MODE_HALT);
	struct vm vm;
	int err = use_one_cpu(opts), join_err;

	if (!err)
		err = vm__create(&vm, &bench);
	if (err)
		return err;
	err = vm__start(&vm);
	if (!err)
		err = make_fifo(vm.vcpus[0].thread);
	if (!err)
		err = repeat_wakes(&vm);
	vm__stop(&vm);
	join_err = vm__join(&vm);
	vm__destroy(&vm);
	return err ? err : join_err;
}

static int time_exits(struct vcpu *vcpu, uint64_t cnt, struct result *res)
{
	uint64_t start_ns = clock__now_ns();

	for (uint64_t i = 0; i < cnt; i++) {
		enum guest_call call = CALLS;
		int ret = vcpu__run_once(vcpu, &call);

		if (ret < 0)
			return ret;
		if (ret == 0 || call != CALL_EXIT)
			return refuse("bench-exit: KVM_RUN");
	}
	res->total_ns = clock__now_ns() - start_ns;
	res->cycles = cnt;
	return 0;
}

int bench__exit(const struct options *opts)
{
	struct options bench = bench_options(opts, MODE_EXIT);
	struct result res = {.bench = "exit", .switches = -1};
	struct vm vm;
	int err = use_one_cpu(opts);

	if (!err)
		err = vm__create(&vm, &bench);
	if (err)
		return err;
	err = time_exits(&vm.vcpus[0], 1, &res);
	clock__sleep_until(clock__now_ns() + SETTLE_NS);
	if (!err && bench.warmup)
		err = time_exits(&vm.vcpus[0], bench.warmup, &res);
	for (unsigned int i = 0; !err && i < bench.repeat; i++) {
		err = time_exits(&vm.vcpus[0], bench.bench_exit, &res);
		if (!err)
			err = print_result(opts, i, &res);
	}
	vm__destroy(&vm);
	return err;
}

static int wait_rounds(int fd, uint64_t cnt)
{
	uint64_t signals;

	for (; cnt; cnt--)
		if (read(fd, &signals, sizeof(signals)) != sizeof(signals))
			return fail(errno, "eventfd");
	return 0;
}

/* The guest's next cnt rounds. At the end of each KVM signals fd, for which we have waited, and as
 * we are SCHED_FIFO we have the vCPU's CPU at once: it is preempted until we wait again. */
static int time_preemptions(struct vcpu *vcpu, int fd, uint64_t cnt, struct result *res)
{
	uint64_t before, rounds, start_ns;
	int err = wait_rounds(fd, 2); /* the first may be over, if we slept for something else */
	long switches = count_switches(vcpu->tid, "nonvoluntary_ctxt_switches");

	before = vcpu->ctl->progress;
	start_ns = clock__now_ns();
	if (!err)
		err = wait_rounds(fd, cnt);
	if (err)
		return err;
	res->total_ns = clock__now_ns() - start_ns;
	res->switches = count_switches(vcpu->tid, "nonvoluntary_ctxt_switches") - switches;
	res->cycles = cnt;
	rounds = vcpu->ctl->progress - before;
	if (rounds != cnt || res->switches < (long)cnt)
		return refuse("bench-preempt: %ju rounds of %ju, %ld preemptions",
			      (uintmax_t)rounds, (uintmax_t)cnt, res->switches);
	return 0;
}

static int repeat_preemptions(struct vm *vm, int fd)
{
	const struct options *opts = vm->opts;
	struct result res = {.bench = "preempt"};
	struct kvm_ioeventfd event = arch__call_event(CALL_DONE);
	int err = 0;

	event.fd = fd;
	if (ioctl(vm->fd, KVM_IOEVENTFD, &event) < 0)
		return fail(errno, "KVM_IOEVENTFD");
	vm__release(vm);
	if (opts->warmup)
		err = time_preemptions(&vm->vcpus[0], fd, opts->warmup, &res);
	for (unsigned int i = 0; !err && i < opts->repeat; i++) {
		err = time_preemptions(&vm->vcpus[0], fd, opts->bench_preempt, &res);
		if (!err)
			err = print_result(opts, i, &res);
	}
	return err;
}

int bench__preempt(const struct options *opts)
{
	struct options bench = bench_options(opts, MODE_SPIN);
	int err = use_one_cpu(opts), join_err, fd;
	struct vm vm;

	bench.cycles = 1; /* from its first round on the guest says CALL_DONE after each */
	if (!err)
		err = vm__create(&vm, &bench);
	if (err)
		return err;
	fd = eventfd(0, EFD_CLOEXEC);
	err = fd < 0 ? fail(errno, "eventfd") : vm__start(&vm);
	if (!err)
		err = make_fifo(pthread_self());
	if (!err)
		err = repeat_preemptions(&vm, fd);
	vm__stop(&vm);
	join_err = vm__join(&vm);
	vm__destroy(&vm);
	if (fd >= 0)
		close(fd);
	return err ? err : join_err;
}

struct churn {
	uint64_t vms, vcpus, runs, progress;
};

/* One VM whose vCPUs do the rounds they were given. */
static int churn_once(const struct options *opts, struct churn *churn)
{
	struct vm vm;
	int err = vm__create(&vm, opts), join_err;

	if (err)
		return err;
	err = vm__start(&vm);
	if (!err) {
		vm__release(&vm);
		while (vm.live && !vm__failed(&vm))
			clock__sleep_until(clock__now_ns() + 1000000);
	}
	vm__stop(&vm);
	join_err = vm__join(&vm);
	churn->vms++;
	for (unsigned int i = 0; i < vm.vcpu_cnt; i++) {
		churn->vcpus++;
		churn->runs += vm.vcpus[i].runs;
		churn->progress += vm.vcpus[i].ctl->progress;
	}
	vm__destroy(&vm);
	return err ? err : join_err;
}

static bool end_asked(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT);
}

int churn__run(const struct options *opts)
{
	struct options once = *opts;
	struct churn churn = {0};
	char text[256];
	int err = 0;

	if (!once.cycles)
		once.cycles = 1;
	while (!err && churn.vcpus < opts->churn && !end_asked()) {
		if (opts->churn - churn.vcpus < once.vcpus)
			once.vcpus = (unsigned int)(opts->churn - churn.vcpus);
		err = churn_once(&once, &churn);
	}
	if (err)
		return err;
	snprintf(text, sizeof(text),
		 "{\"churn\":{\"vms\":%ju,\"vcpus\":%ju,\"runs\":%ju,\"progress\":%ju}}\n",
		 (uintmax_t)churn.vms, (uintmax_t)churn.vcpus, (uintmax_t)churn.runs,
		 (uintmax_t)churn.progress);
	return text__append(opts->json_path, text);
}
