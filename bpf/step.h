/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Arithmetic and decisions that the kernel side and user space share, so that what is aggregated in
 * the kernel and what is added up from records cannot disagree. Pure: no map, no helper, no libc.
 */
#ifndef KVMSCHED_STEP_H
#define KVMSCHED_STEP_H

#include "wire.h"

#define KS_INLINE static inline __attribute__((always_inline, unused))

/* A distance inside one kernel function. It stops at KS_DT_MAX; and bpf_ktime_get_ns() may step
 * back by a few ns when the timekeeper is adjusted: then 0. */
KS_INLINE __u32 ks_dt(__u64 from, __u64 to)
{
	__u64 d = to - from;

	if (d > KS_DT_MAX)
		return (__s64)d < 0 ? 0 : KS_DT_MAX;
	return d;
}

KS_INLINE __u32 ks_add_sat(__u32 a, __u32 b)
{
	return a + b < a ? KS_DT_MAX : a + b;
}

/* Runnable as kvm_sched_out() means it since 6.12 (task_is_runnable(), cd9626e9ebc7): on the run
 * queue and not merely left there by delayed dequeue. Before, delayed dequeue did not exist. */
KS_INLINE int ks_runnable(__u8 task)
{
	return (__u8)(task - 1) < KS_T_ON_RQ; /* on_rq, and no other bit */
}

/* Why the vCPU goes absent. flags: KS_F_* at sched_out (BLOCKING is 0 where the kernel does not
 * tell); mask: which of them this kernel has. */
KS_INLINE __u8 ks_reason(__u8 task, __u8 flags, __u16 mask)
{
	if (!ks_runnable(task))
		return flags & KS_F_BLOCKING ? KS_R_HALTED : KS_R_SLEEPING;
	if ((mask & KS_M_WANTS_TO_RUN) && !(flags & KS_F_WANTS_TO_RUN))
		return KS_R_IOCTL;
	return KS_R_PREEMPTED;
}

/* Who took the CPU of a runnable vCPU of VM victim_vm. kind, vm: the next task's. */
KS_INLINE __u8 ks_class(int throttled, __u32 victim_vm, __u8 kind, __u32 vm)
{
	if (throttled)
		return KS_BY_QUOTA;
	if (kind == KS_K_KERNEL)
		return KS_BY_KERNEL;
	if (kind == KS_K_HOST || !vm)
		return KS_BY_HOST;
	if (vm != victim_vm)
		return KS_BY_OTHER_VM;
	return kind == KS_K_VCPU ? KS_BY_SAME_VM : KS_BY_EMULATOR;
}

/* Keeps the compiler from computing both sides of a branch. */
#define KS_BRANCH(x) asm volatile("" : "+r"(x))

/* The bucket of a value in the kernel's histograms: below 8 it is the value, then each octave has 8
 * (user/hist.h has 128). The first half of the way: leaves less than KS_BUCKET_REST of *ns, whose
 * bucket is to be added to what is returned. */
#define KS_BUCKET_REST 2048
KS_INLINE __u64 ks_bucket_begin(__u64 *ns)
{
	__u64 first = 0, v = *ns;

	if (v >> 35) {
		v >>= 32;
		first = 32 * KS_AGG_SUB;
		KS_BRANCH(v);
	}
	if (v >= 8 << 16) {
		v >>= 16;
		first += 16 * KS_AGG_SUB;
		KS_BRANCH(v);
	}
	if (v >= 8 << 8) {
		v >>= 8;
		first += 8 * KS_AGG_SUB;
		KS_BRANCH(v);
	}
	*ns = v;
	return first;
}

KS_INLINE __u64 ks_bucket(__u64 ns)
{
	__u64 first = ks_bucket_begin(&ns);

	for (int shift = 4; shift; shift /= 2)
		if (ns >= 8U << shift) {
			ns >>= shift;
			first += shift * KS_AGG_SUB;
		}
	return first + ns;
}

#endif
