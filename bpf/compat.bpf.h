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
#include "wire.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h, unchanged since 2.6.27 */

/* kvm_vcpu.scheduled_out: 6.11, d1ae567fb8b5. Its absence also means that kvm_vcpu.preempted is not
 * gated by wants_to_run (118964562969); the field wants_to_run alone proves nothing, because 6.1.184
 * took it without the gate. */
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
	return (const char *)pn - bpf_core_field_offset(struct kvm_vcpu, preempt_notifier);
}

/* What a vCPU's flags are, where the hooked function's argument is the vCPU itself. Those that have a
 * rule at every load and put ... */
static __always_inline __u8 vcpu_rule_flags(const struct kvm_vcpu *v)
{
	__u8 f = v->preempted << 1;

	if (HAS_SCHEDULED_OUT)
		f |= v->scheduled_out;
	return f;
}

/* ... what it is in: does it want to run, does it block? Constant within kvm_sched_out() ... */
static __always_inline __u8 vcpu_intent(const struct kvm_vcpu *v)
{
	__u8 f = 0;

	if (HAS_WANTS_TO_RUN)
		f |= v->wants_to_run << 3;
	if (HAS_BLOCKING)
		f |= v->stat.generic.blocking ? KS_F_BLOCKING : 0;
	return f;
}

/* ... and all of them. */
static __always_inline __u8 vcpu_flags(const struct kvm_vcpu *v)
{
	return vcpu_rule_flags(v) | v->ready << 2 | vcpu_intent(v);
}

/* preempted, ready and scheduled_out stand side by side: one 8-byte read has all of them. */
static __always_inline __u8 vcpu_flags_probed(const void *vcpu)
{
	const __u32 base = bpf_core_field_offset(struct kvm_vcpu, preempted);
	const __u32 ready = bpf_core_field_offset(struct kvm_vcpu, ready) - base;
	__u64 raw;
	__u8 f;

	bpf_probe_read_kernel(&raw, sizeof(raw), (const char *)vcpu + base);
	f = (raw & 1) << 1 | (raw >> (ready * 8) & 1) << 2;
	if (HAS_SCHEDULED_OUT) {
		const __u32 out = bpf_core_field_offset(struct kvm_vcpu, scheduled_out) - base;

		f |= raw >> (out * 8) & 1;
	}
	return f;
}
_Static_assert(KS_F_SCHEDULED_OUT == 1 && KS_F_PREEMPTED == 2 && KS_F_READY == 4, "the shifts above");

static __always_inline __u8 vcpu_intent_probed(const void *vcpu)
{
	const struct kvm_vcpu *v = vcpu;
	__u8 f = 0;

	if (HAS_WANTS_TO_RUN) {
		__u8 wants = 0;

		bpf_core_read(&wants, sizeof(wants), &v->wants_to_run);
		f |= wants ? KS_F_WANTS_TO_RUN : 0;
	}
	if (HAS_BLOCKING) {
		__u64 blocking = 0;

		bpf_core_read(&blocking, sizeof(blocking), &v->stat.generic.blocking);
		f |= blocking ? KS_F_BLOCKING : 0;
	}
	return f;
}

/* The two above at the notifier's vCPU: cast where the kernel can (cast: a constant), about 75
 * instructions less each than bpf_probe_read_kernel(). */
static __always_inline __u8 vcpu_flags_at(const void *vcpu, bool cast)
{
	if (cast && bpf_rdonly_cast) {
		const struct kvm_vcpu *v =
			bpf_rdonly_cast(vcpu, bpf_core_type_id_kernel(struct kvm_vcpu));

		return vcpu_rule_flags(v) | v->ready << 2;
	}
	return vcpu_flags_probed(vcpu);
}

static __always_inline __u8 vcpu_intent_at(const void *vcpu, bool cast)
{
	if (cast && bpf_rdonly_cast)
		return vcpu_intent(bpf_rdonly_cast(vcpu, bpf_core_type_id_kernel(struct kvm_vcpu)));
	return vcpu_intent_probed(vcpu);
}

static __always_inline __u8 task_bits(const struct task_struct *t)
{
	unsigned int on_rq = t->on_rq; /* 1 TASK_ON_RQ_QUEUED, 2 TASK_ON_RQ_MIGRATING (kernel/sched/sched.h) */
	__u8 bits = on_rq == 1 ? KS_T_ON_RQ : on_rq == 2 ? KS_T_MIGRATING : 0;

	if (HAS_SCHED_DELAYED)
		bits |= t->se.sched_delayed ? KS_T_SCHED_DELAYED : 0;
	return bits;
}

/* Any unsigned member by its object's address; its size is the running kernel's (little endian). */
#define READ_UINT(obj, member)                                                                      \
	({                                                                                          \
		__u64 __v = 0;                                                                      \
		bpf_probe_read_kernel(&__v, bpf_core_field_size((obj)->member), &(obj)->member);    \
		__v;                                                                                \
	})

/* The same of any task, by its address. */
static __always_inline __u8 task_bits_at(__u64 task)
{
	struct task_struct *t = (struct task_struct *)task;
	__u64 on_rq = READ_UINT(t, on_rq);
	__u8 bits = on_rq == 1 ? KS_T_ON_RQ : on_rq == 2 ? KS_T_MIGRATING : 0;

	if (HAS_SCHED_DELAYED)
		bits |= READ_UINT(t, se.sched_delayed) ? KS_T_SCHED_DELAYED : 0;
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
		return vcpu_flags_probed((void *)vcpu) & KS_F_SCHEDULED_OUT;
	return !READ_UINT((struct task_struct *)task, on_cpu);
}

static __always_inline __u64 task_run_delay(const struct task_struct *t)
{
	return HAS_RUN_DELAY ? t->sched_info.run_delay : 0;
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
