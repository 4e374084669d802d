// SPDX-License-Identifier: BSD-2-Clause
/*
 * The vCPU threads: they wait for the start, stay in KVM_RUN, serve what the guest asks for, and
 * leave when the VM stops. SIGUSR1 kicks a thread out of KVM_RUN the way QEMU does it: its handler
 * sets kvm_run.immediate_exit, so a kick just before KVM_RUN is not lost (api.rst,
 * "immediate_exit").
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local struct kvm_run *kicked_run;

static void on_kick(int sig)
{
	(void)sig;
	if (kicked_run)
		__atomic_store_n(&kicked_run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

static void set_immediate_exit(struct kvm_run *run, uint8_t on)
{
	__atomic_store_n(&run->immediate_exit, on, __ATOMIC_SEQ_CST);
}

int vcpu__run_once(struct vcpu *vcpu, enum guest_call *call)
{
	int seen;

	vcpu->runs++;
	if (ioctl(vcpu->fd, KVM_RUN, 0) < 0) {
		if (errno == EINTR || errno == EAGAIN)
			return 0;
		return fail(errno, "%s vCPU %u: KVM_RUN", vcpu->vm->name, vcpu->id);
	}
	vcpu->exits++;
	seen = arch__guest_call(vcpu->run);
	if (seen < 0)
		return refuse("%s vCPU %u: unexpected exit, reason %u (mode %s, %ju rounds)",
			      vcpu->vm->name, vcpu->id, vcpu->run->exit_reason,
			      mode_names[vcpu->mode], (uintmax_t)vcpu->ctl->progress);
	*call = (enum guest_call)seen;
	return 1;
}

static void work_a_little(struct vcpu *vcpu)
{
	uint64_t turns = rng__next(&vcpu->rng) % 2000;

	for (uint64_t i = 0; i < turns; i++)
		__asm__ volatile("" ::: "memory");
}

/*
 * KVM_RUN with immediate_exit=1 loads and puts the vCPU without running the guest, and completes
 * the I/O instruction that the guest exited with, as api.rst asks for before registers are read. A
 * kick between the two stores is not lost: vm__stop() sets the stage first and our caller's loop
 * looks at it again.
 */
static int complete_io(struct vcpu *vcpu)
{
	enum guest_call call;
	int ran;

	set_immediate_exit(vcpu->run, 1);
	ran = vcpu__run_once(vcpu, &call);
	if (ran > 0)
		ran = refuse("KVM_RUN ran the guest despite immediate_exit");
	set_immediate_exit(vcpu->run, 0);
	return ran;
}

static int do_ioctls(struct vcpu *vcpu)
{
	uint64_t cnt = rng__between(&vcpu->rng, 1, 4);
	int err = complete_io(vcpu);

	for (; !err && cnt; cnt--) {
		err = arch__vcpu_ioctl(vcpu, rng__next(&vcpu->rng), true);
		vcpu->ioctls++;
	}
	return err;
}

/* Until the VM stops, or the guest has done the rounds it was given. */
static int vcpu_loop(struct vcpu *vcpu)
{
	while (vcpu->vm->stage < STAGE_STOP) {
		enum guest_call call;
		int ret = vcpu__run_once(vcpu, &call);

		if (ret < 0)
			return ret;
		if (ret == 0)
			continue;
		if (call == CALL_DONE)
			return 0;
		if (call == CALL_EXIT)
			work_a_little(vcpu);
		else
			ret = do_ioctls(vcpu);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Adds (sign 1) or takes away (-1) the thread's present counts, so that two calls give a growth. */
static void account(struct vcpu *vcpu, int schedstat_fd, int sign)
{
	unsigned long long on_cpu_ns = 0, wait_ns = 0;
	struct rusage usage;
	char text[64] = "";

	getrusage(RUSAGE_THREAD, &usage);
	if (pread(schedstat_fd, text, sizeof(text) - 1, 0) > 0)
		sscanf(text, "%llu %llu", &on_cpu_ns, &wait_ns);
	vcpu->on_cpu_ns += (uint64_t)sign * on_cpu_ns;
	vcpu->wait_ns += (uint64_t)sign * wait_ns;
	vcpu->nvcsw += (uint64_t)sign * (uint64_t)usage.ru_nvcsw;
	vcpu->nivcsw += (uint64_t)sign * (uint64_t)usage.ru_nivcsw;
}

void vm__wait_stage(struct vm *vm, enum stage stage)
{
	pthread_mutex_lock(&vm->lock);
	while (vm->stage < (int)stage)
		pthread_cond_wait(&vm->cond, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm *vm = vcpu->vm;
	int schedstat_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);

	vcpu->tid = (int)syscall(SYS_gettid);
	kicked_run = vcpu->run;
	vm__wait_stage(vm, STAGE_RUN);
	account(vcpu, schedstat_fd, -1);
	vcpu->err = vcpu_loop(vcpu);
	account(vcpu, schedstat_fd, 1);
	if (schedstat_fd >= 0)
		close(schedstat_fd);
	vm->live--;
	pthread_kill(vm->main_thread, SIGUSR2);
	if (vm->opts->hold)
		vm__wait_stage(vm, STAGE_JOIN);
	return NULL;
}

/* With --pin vCPU i may run on the i-th CPU of the list only. */
static cpu_set_t vcpu_cpus(const struct vcpu *vcpu)
{
	const struct options *opts = vcpu->vm->opts;
	unsigned int nth = opts->vm_index * opts->vcpus + vcpu->id;
	unsigned int left = nth % (unsigned int)CPU_COUNT(&opts->cpus);
	cpu_set_t one;

	if (!opts->pin)
		return opts->cpus;
	CPU_ZERO(&one);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &opts->cpus) && left-- == 0) {
			CPU_SET(cpu, &one);
			break;
		}
	}
	return one;
}

static int start_vcpu(struct vcpu *vcpu)
{
	const struct options *opts = vcpu->vm->opts;
	char comm[16];
	int err = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);

	if (err)
		return fail(err, "thread of vCPU %u", vcpu->id);
	vcpu->has_thread = true;
	vcpu->vm->live++;
	snprintf(comm, sizeof(comm), "CPU %u/KVM", vcpu->id % MAX_VCPUS);
	pthread_setname_np(vcpu->thread, comm);
	if (opts->has_cpus) {
		cpu_set_t cpus = vcpu_cpus(vcpu);

		err = pthread_setaffinity_np(vcpu->thread, sizeof(cpus), &cpus);
	}
	while (!vcpu->tid)
		sched_yield();
	return err ? fail(err, "CPU affinity of vCPU %u", vcpu->id) : 0;
}

int vm__start(struct vm *vm)
{
	struct sigaction kick = {.sa_handler = on_kick};
	int err = 0;

	if (sigaction(SIGUSR1, &kick, NULL) < 0)
		return fail(errno, "sigaction");
	for (unsigned int i = 0; !err && i < vm->vcpu_cnt; i++)
		err = start_vcpu(&vm->vcpus[i]);
	return err ? err : helpers__start(vm);
}

static void set_stage(struct vm *vm, enum stage stage)
{
	pthread_mutex_lock(&vm->lock);
	vm->stage = (int)stage;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

void vm__release(struct vm *vm)
{
	vm->start_ns = clock__now_ns();
	set_stage(vm, STAGE_RUN);
}

void vm__stop(struct vm *vm)
{
	vm->elapsed_ns = vm->start_ns ? clock__now_ns() - vm->start_ns : 0;
	set_stage(vm, STAGE_STOP);
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++)
		if (vm->vcpus[i].has_thread)
			pthread_kill(vm->vcpus[i].thread, SIGUSR1);
	while (vm->live)
		clock__sleep_until(clock__now_ns() + 1000000);
	helpers__join(vm);
}

int vm__join(struct vm *vm)
{
	int err = 0;

	set_stage(vm, STAGE_JOIN);
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		if (vcpu->has_thread)
			pthread_join(vcpu->thread, NULL);
		if (!err)
			err = vcpu->err;
	}
	return err ? err : vm->helper_err;
}
