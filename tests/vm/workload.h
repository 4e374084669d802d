// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the parts of the workload program share: its options, a VM with its vCPUs, the words that
 * host and guest exchange through guest memory, and what each architecture must provide.
 *
 * All functions return 0 or -errno unless they say otherwise; whoever finds an error has already
 * printed it (see fail()).
 */
#ifndef KVMSCHED_TESTS_VM_WORKLOAD_H
#define KVMSCHED_TESTS_VM_WORKLOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU affinity, thread names */
#endif

#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_VCPUS   128
#define MAX_VMS	    64
#define MAX_MODES   16
#define PAGE_BYTES  4096ULL
#define FAULT_PAGES 64
#define FAULT_BYTES (FAULT_PAGES * PAGE_BYTES)

/*
 * What a vCPU does. The first six are also the guest program's states: the guest looks at its
 * control page before each round, so user space changes a vCPU's behaviour by writing one word.
 * In MODE_UFFD the guest runs MODE_FAULT, in MODE_MIXED any of the six.
 */
enum mode {
	MODE_SPIN,
	MODE_HALT,
	MODE_TIMER,
	MODE_EXIT,
	MODE_FAULT,
	MODE_IOCTL,
	GUEST_MODES,
	MODE_UFFD = GUEST_MODES,
	MODE_MIXED,
	MODES,
};

/* A vCPU's control page in guest memory. Both guest programs know these offsets. */
struct guest_ctl {
	_Atomic uint64_t progress;     /* rounds completed; written by the guest */
	_Atomic uint32_t mode;	       /* enum mode below GUEST_MODES */
	_Atomic uint32_t limit;	       /* rounds after which the guest says CALL_DONE; 0: none */
	_Atomic uint32_t halting;      /* guest: 1 from just before it halts until it woke up */
	_Atomic uint32_t period_ticks; /* MODE_TIMER: the guest timer's next interval */
	uint64_t fault_base;	       /* guest address of the pages that MODE_FAULT touches */
	uint32_t fault_bytes;
};

/* Why the guest exited to user space: the port (x86) or MMIO register (arm64) that it wrote. */
enum guest_call { CALL_EXIT, CALL_IOCTL, CALL_DONE, CALLS };

/* Where things are in guest memory, counted in pages from its start. */
enum { CODE_PAGE, TABLE_PAGE, CTL_PAGE };

/* Everything the command line says. Strings live as long as argv. */
struct options {
	uint64_t time_ns; /* 0: until `cycles` or a signal */
	uint64_t seed;
	unsigned int vms, vcpus, vm_index;
	enum mode modes[MAX_MODES];
	unsigned int mode_cnt;
	uint64_t wake_min_ns, wake_max_ns;
	uint32_t cycles;
	long halt_poll_ns; /* -1: the host's default */
	cpu_set_t cpus;
	bool has_cpus, pin, steady, hold, plain_names;
	const char *name, *name_prefix;
	const char *json_path, *created_path, *ready_path, *start_path;
	int report_fd; /* where a VM process tells its parent what it reached, or -1 */
	uint64_t bench_halt, bench_exit, bench_preempt, churn, warmup;
	unsigned int repeat;
};

struct vm;

struct vcpu {
	struct vm *vm;
	unsigned int id;
	enum mode mode;
	int fd, uffd;
	struct kvm_run *run;
	struct guest_ctl *ctl;
	uint8_t *fault_mem; /* what ctl->fault_base is in this process */
	pthread_t thread, uffd_thread;
	bool has_thread, has_uffd_thread;
	uint64_t rng;		       /* the vCPU thread's */
	uint64_t act_ns, change_ns;    /* the driver's next deadlines */
	uint64_t runs, exits, ioctls;  /* the vCPU thread's counts */
	uint64_t wakeups, zaps;	       /* the driver's */
	uint64_t foreign, uffd_faults; /* the meddler's; the fault handler's */
	uint64_t nvcsw, nivcsw, on_cpu_ns, wait_ns;
	_Atomic int tid, err;
};

/* How far a VM's threads may go; only ever grows. */
enum stage { STAGE_WAIT, STAGE_RUN, STAGE_STOP, STAGE_JOIN };

struct vm {
	const struct options *opts;
	char name[64];
	int kvm_fd, fd, gic_fd;
	size_t run_bytes, mem_bytes;
	uint8_t *mem;
	struct vcpu *vcpus;
	unsigned int vcpu_cnt;
	_Atomic int stage, helper_err;
	_Atomic unsigned int live; /* vCPU threads still working */
	pthread_mutex_t lock;
	pthread_cond_t cond; /* `stage` changed */
	pthread_t main_thread, driver, meddler;
	bool has_driver, has_meddler;
	uint64_t start_ns, elapsed_ns;
};

/* ---- workload.c ---- */

/* Prints "workload: WHAT: <text of err>" to stderr and returns -err; err is a positive errno. */
int fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same where errno has nothing to say; returns -EINVAL. */
int refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- workload_options.c ---- */

int options__parse(int argc, char **argv, struct options *opts); /* 1: --help was printed */

/* ---- workload_util.c ---- */

extern const char *const mode_names[MODES];

uint64_t clock__now_ns(void);
void clock__sleep_until(uint64_t ns); /* CLOCK_MONOTONIC; returns early on a signal */
uint64_t rng__next(uint64_t *state);
uint64_t rng__between(uint64_t *state, uint64_t min, uint64_t max); /* both inclusive */
void text__json_string(char *out, size_t out_bytes, const char *in);
int text__append(const char *path, const char *text); /* one write(); path NULL: stdout */
int file__create(const char *path);

/* ---- workload_vm.c, workload_vcpu.c: making VMs and running their vCPU threads ---- */

int vm__create(struct vm *vm, const struct options *opts); /* on failure nothing is left behind */
void vm__destroy(struct vm *vm);			   /* threads must have been joined */
int vm__start(struct vm *vm);	 /* creates all threads; they wait for vm__release() */
void vm__release(struct vm *vm); /* vCPU threads enter KVM_RUN */
void vm__stop(struct vm *vm);	 /* vCPU threads leave KVM_RUN, helper threads end */
int vm__join(struct vm *vm);	 /* after vm__stop(): vCPU threads end; returns the first error */
void vm__wait_stage(struct vm *vm, enum stage stage);
bool vm__failed(const struct vm *vm); /* some thread met an error */
bool vm__all_progressed(const struct vm *vm);
int vm__print(const struct vm *vm); /* one JSON line to --json FILE or stdout */
uint8_t *vm__page(const struct vm *vm, unsigned int page);
int vcpu__run_once(struct vcpu *vcpu, enum guest_call *call); /* 1: a call; 0: interrupted */

/* ---- workload_helpers.c: the threads that act on running vCPUs ---- */

int helpers__start(struct vm *vm);
void helpers__join(struct vm *vm); /* after the vCPU threads left KVM_RUN, at STAGE_STOP */
int uffd__open(struct vcpu *vcpu); /* -EPERM etc. when userfaultfd is not to be had; silent */

/* ---- workload_single.c, workload_fleet.c, workload_bench.c: what main() chooses from ---- */

int single__run(const struct options *opts);			   /* one VM in this process */
int fleet__run(const struct options *opts, int argc, char **argv); /* one process per VM */
int bench__halt(const struct options *opts);
int bench__exit(const struct options *opts);
int bench__preempt(const struct options *opts);
int churn__run(const struct options *opts);

/* ---- workload_x86.c, workload_arm64.c ---- */

extern const uint64_t arch_mem_base; /* guest physical address of guest memory */

int arch__vm_init(struct vm *vm);     /* before the vCPUs are created */
int arch__vm_complete(struct vm *vm); /* after all of them are */
int arch__vcpu_init(struct vcpu *vcpu);
int arch__wake(struct vcpu *vcpu); /* one interrupt that ends a halt */
uint32_t arch__timer_ticks(uint64_t ns);
int arch__guest_call(const struct kvm_run *run); /* enum guest_call, or -1: something else */
struct kvm_ioeventfd arch__call_event(enum guest_call call); /* all but its fd: no exit for it */

/*
 * One vCPU ioctl other than KVM_RUN, chosen by `pick`. `own`: the caller is the vCPU's thread with
 * no I/O half done, so registers may also be written.
 */
int arch__vcpu_ioctl(struct vcpu *vcpu, uint64_t pick, bool own);

#endif
