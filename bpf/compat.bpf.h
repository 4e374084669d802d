/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What differs between kernels: one accessor per fact, with the commit or version that made the
 * difference. Every accessor folds to a constant or a single load when the program is loaded,
 * because bpf_core_field_exists() is a constant by then.
 */
#ifndef KVMSCHED_COMPAT_BPF_H
#define KVMSCHED_COMPAT_BPF_H

#include "kvm_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "state.bpf.h"
#include "wire.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h, unchanged since 2.6.27 */

/* kvm_vcpu.scheduled_out: 6.11, d1ae567fb8b5. Its absence also means that kvm_vcpu.preempted is not
 * gated by wants_to_run (118964562969); the field wants_to_run alone proves nothing,
 * because 6.1.184 took it without the gate. */
#define HAS_SCHEDULED_OUT bpf_core_field_exists(((struct kvm_vcpu *)0)->scheduled_out)
/* kvm_vcpu.wants_to_run: 6.11, a6816314af57; stable 6.1.184. */
#define HAS_WANTS_TO_RUN bpf_core_field_exists(((struct kvm_vcpu *)0)->wants_to_run)
/* kvm_vcpu.stat.generic.blocking: 5.16, c3858335c711 ("Add stat to reflect vCPU is blocking"). */
#define HAS_BLOCKING bpf_core_field_exists(((struct kvm_vcpu *)0)->stat.generic.blocking)
/* sched_entity.sched_delayed: 6.12, delayed dequeue. */
#define HAS_SCHED_DELAYED bpf_core_field_exists(((struct task_struct *)0)->se.sched_delayed)
/* sched_info.run_delay: CONFIG_SCHED_INFO. */
#define HAS_RUN_DELAY bpf_core_field_exists(((struct task_struct *)0)->sched_info.run_delay)
/* Bandwidth throttling: of cfs_rqs (CONFIG_CFS_BANDWIDTH), of single tasks since 6.18. */
#define HAS_TASK_THROTTLED bpf_core_field_exists(((struct task_struct *)0)->throttled)
#define HAS_CFS_THROTTLE   bpf_core_field_exists(((struct cfs_rq *)0)->throttle_count)
/* cgroup.ancestors[]: 6.1, 7f203bc89eb6. */
#define HAS_CGROUP_ANCESTORS bpf_core_field_exists(((struct cgroup *)0)->ancestors)

/* bpf_rdonly_cast() (6.2) turns an address into a pointer that is read by plain loads. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

/* The first argument of the hooked function as a number (the verifier does little arithmetic on
 * pointers to kernel objects). bpf_get_func_arg(): 5.17. */
static __always_inline __u64 first_arg(void *ctx)
{
	__u64 arg = 0;

	bpf_get_func_arg(ctx, 0, &arg);
	return arg;
}

/* kvm_sched_{in,out}() only get the preempt notifier, and the verifier refuses to read through the
 * negative offset of container_of(): the vCPU is an address, read with bpf_probe_read_kernel(). */
static __always_inline const void *notified(struct preempt_notifier *pn)
{
	const char *vcpu =
		(const char *)pn - bpf_core_field_offset(struct kvm_vcpu, preempt_notifier);

	barrier_var(vcpu); /* keep it a subtraction: verifiers know nothing of a negated number */
	return vcpu;
}

static __noinline __u64 word_probed(__u64 addr)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (const void *)addr);
	return word;
}

/* Eight bytes at any kernel address by one plain load: cast to a type of the kernel's own BTF (a
 * module's are not accepted) that begins with them. About 90 instructions less than
 * bpf_probe_read_kernel(). */
static __always_inline __u64 word_at(const void *addr, bool modern)
{
	if (modern || (bpf_rdonly_cast && !cfg.own_btf)) {
		const struct timespec64 *t =
			bpf_rdonly_cast(addr, bpf_core_type_id_kernel(struct timespec64));

		return t->tv_sec;
	}
	return word_probed((__u64)addr);
}

#define VCPU_OFFSET(member) bpf_core_field_offset(struct kvm_vcpu, member)

/*
 * `modern`, a constant, promises what a look at the kernel would tell, and so leaves no trace of
 * the look in the program: bpf_rdonly_cast() and all of KS_FIELDS_MODERN exist, and the flags stand
 * as in 6.12, four bytes in a row: wants_to_run, preempted, ready, scheduled_out.
 */

/* KS_F_* of a vCPU but for BLOCKING. Modern: gathered by one multiplication. */
static __always_inline __u8 vcpu_flags(const void *vcpu, bool modern)
{
	__u64 word;
	__u8 f;

	if (modern) {
		__u32 x = word_at((const char *)vcpu + VCPU_OFFSET(wants_to_run), true);

		return x * (1U << 27 | 1U << 17 | 1U << 10 | 1U) >> 24; /* bools are 0 or 1 */
	}
	word = word_at((const char *)vcpu + VCPU_OFFSET(preempted), false);
	f = (word & 1) << 1;
	f |= (word >> (VCPU_OFFSET(ready) - VCPU_OFFSET(preempted)) * 8 & 1) << 2;
	if (HAS_SCHEDULED_OUT)
		f |= word >> (VCPU_OFFSET(scheduled_out) - VCPU_OFFSET(preempted)) * 8 & 1;
	if (HAS_WANTS_TO_RUN)
		f |= (word_at((const char *)vcpu + VCPU_OFFSET(wants_to_run), false) & 1) << 3;
	return f;
}
_Static_assert(KS_F_SCHEDULED_OUT == 1 && KS_F_PREEMPTED == 2 && KS_F_READY == 4 &&
		       KS_F_WANTS_TO_RUN == 8,
	       "the shifts above");

/* Is it in kvm_vcpu_block()? Constant within kvm_sched_out(). */
static __always_inline __u8 vcpu_blocking(const void *vcpu, bool modern)
{
	const char *addr = (const char *)vcpu + VCPU_OFFSET(stat.generic.blocking);

	if (!modern && !HAS_BLOCKING)
		return 0;
	return word_at(addr, modern) ? KS_F_BLOCKING : 0;
}

static __always_inline __u8 task_bits(const struct task_struct *t, bool modern)
{
	__u8 bits = t->on_rq;

	if (modern || HAS_SCHED_DELAYED)
		bits |= t->se.sched_delayed << 2;
	return bits;
}

/* Any unsigned member by its object's address; its size is the running kernel's (little endian). */
#define READ_UINT(obj, member)                                                                   \
	({                                                                                       \
		__u64 __v = 0;                                                                   \
		bpf_probe_read_kernel(&__v, bpf_core_field_size((obj)->member), &(obj)->member); \
		__v;                                                                             \
	})

/* The same of any task, by its address. */
static __always_inline __u8 task_bits_at(__u64 task)
{
	struct task_struct *t = (struct task_struct *)task;
	__u8 bits = READ_UINT(t, on_rq);

	if (HAS_SCHED_DELAYED)
		bits |= READ_UINT(t, se.sched_delayed) << 2;
	return bits;
}

/* The task that a vCPU is loaded on, as an address, 0 = none: then the preempt notifier is on that
 * task's list, and *pprev points back at it. Only the list's first entry tells the task. */
static __always_inline __u64 vcpu_task_at(__u64 vcpu)
{
	__u64 link = vcpu + bpf_core_field_offset(struct kvm_vcpu, preempt_notifier) +
		     bpf_core_field_offset(struct preempt_notifier, link);
	struct kvm_vcpu *v = (struct kvm_vcpu *)vcpu;
	__u64 pprev = (__u64)BPF_CORE_READ(v, preempt_notifier.link.pprev), back = 0;

	if (!pprev || bpf_probe_read_kernel(&back, sizeof(back), (void *)pprev) || back != link)
		return 0;
	return pprev - bpf_core_field_offset(struct task_struct, preempt_notifiers);
}

/* Is a loaded vCPU scheduled out? kvm_vcpu.scheduled_out says it; before 6.11 its task does. */
static __always_inline bool vcpu_is_out_at(__u64 vcpu, __u64 task)
{
	if (HAS_SCHEDULED_OUT)
		return vcpu_flags((void *)vcpu, false) & KS_F_SCHEDULED_OUT;
	return !READ_UINT((struct task_struct *)task, on_cpu);
}

static __always_inline __u64 task_run_delay(const struct task_struct *t, bool modern)
{
	return modern || HAS_RUN_DELAY ? t->sched_info.run_delay : 0;
}

/* Is the task's cgroup, or one above it, out of CPU bandwidth right now? */
static __always_inline bool task_throttled(const struct task_struct *t)
{
	if (HAS_TASK_THROTTLED)
		return t->throttled;
	if (HAS_CFS_THROTTLE)
		return t->se.cfs_rq->throttle_count > 0;
	return false;
}

static __always_inline bool cgroup_below(const struct cgroup *cg, __s32 level, __u64 id)
{
	struct cgroup *up = NULL;
	struct kernfs_node *kn;

	if (!HAS_CGROUP_ANCESTORS || cg->level < level)
		return false;
	bpf_core_read(&up, sizeof(up), &cg->ancestors[level]);
	kn = up ? BPF_CORE_READ(up, kn) : NULL;
	return kn && BPF_CORE_READ(kn, id) == id;
}

#endif
