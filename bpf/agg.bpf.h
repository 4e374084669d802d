/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Aggregation: instead of records, each vCPU's times, counts and histograms are kept in the kernel
 * (struct ks_agg). What an event means is the same as for records (user/vcpu.c), as both are to
 * come to the same sums.
 *
 * A reader in user space must not see half of an event: agg_begin() makes the slot's counter odd
 * before the event's time is taken, agg_end() makes it even when all is stored. So a reader that
 * finds the same even number around its reading, clock included, has all events until then.
 */
#ifndef KVMSCHED_AGG_BPF_H
#define KVMSCHED_AGG_BPF_H

#include "compat.bpf.h"
#include "state.bpf.h"
#include "step.h"

/* Stores in order: x86 does so by itself, the compiler must not undo it. */
static __always_inline void agg_turn(struct ks_agg *a)
{
#ifdef __TARGET_ARCH_x86
	barrier_var(a);
	*(volatile __u64 *)&a->turn = a->turn + 1;
	barrier_var(a);
#else
	__sync_lock_test_and_set(&a->turn, a->turn + 1);
#endif
}

/* NULL never happens, but the verifier wants to see it asked. */
static __always_inline struct ks_agg *agg_begin(const struct ks_slot *s)
{
	__u32 at = s->id - 1;
	struct ks_agg *a = bpf_map_lookup_elem(&aggs, &at);

	if (a)
		agg_turn(a);
	return a;
}

static __always_inline void agg_end(struct ks_agg *a)
{
	agg_turn(a);
}

static __always_inline void agg_add(struct ks_agg *a, __u32 which, __u64 ns)
{
	struct ks_agg_hist *h = &a->hist[which & (KS_H_CNT - 1)];
	__u32 i = ks_bucket(ns);

	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	if (~ns > h->min_inv)
		h->min_inv = ~ns;
	if (i < KS_AGG_BUCKETS)
		h->bucket[i]++;
}

/* The vCPU's first event, or one that cannot follow what was before. out: kvm_sched_out(). */
static __noinline int agg_first(struct ks_slot *s, __u64 ts, __u32 out)
{
	__u64 from = ctl.start_ns;
	struct ks_agg *a;
	__u32 at;

	if (!s)
		return 0;
	at = s->id - 1;
	a = bpf_map_lookup_elem(&aggs, &at);
	if (!a || ts < from)
		return 0;
	if (a->state != KS_A_NONE) { /* in, and in again: what was between was not seen */
		a->odd++;
		a->unknown_ns += ts - a->since;
	} else {
		if (s->created && s->born_ts > from)
			from = s->born_ts;
		a->first_ns = ts > from ? ts - from : 0;
		a->first = out ? KS_R_CNT : s->reason;
	}
	a->since = ts;
	return 1;
}

/* kvm_sched_out() at ts. by: who took the CPU, KS_BY_NONE if it is not asked for, or nobody did. */
static __always_inline void agg_out(struct ks_agg *a, struct ks_slot *s, __u8 reason, __u8 by,
				    __u64 ts)
{
	if (a->state == KS_A_IN)
		a->on_ns += ts - a->since;
	else if (!agg_first(s, ts, 1))
		return;
	a->since = ts;
	a->state = KS_A_OUT;
	a->reason = reason;
	a->by = by;
}

static __always_inline void agg_by(struct ks_agg *a, const struct task_struct *t, __u64 ns)
{
	__u8 by = a->by;

	if (!by)
		return;
	if (task_throttled(t)) /* throttled only after it had gone */
		by = KS_BY_QUOTA;
	a->by_ns[by & 7] += ns;
	a->by_cnt[by & 7]++;
}

/* kvm_sched_in() at ts. */
static __always_inline void agg_in(struct ks_agg *a, struct ks_slot *s, struct task_struct *t,
				   __u32 cpu, __u64 ts, bool modern)
{
	__u64 ns = ts - a->since, delay;

	if (a->state != KS_A_OUT) {
		if (!agg_first(s, ts, 0))
			return;
		a->state = KS_A_IN;
		return;
	}
	a->since = ts;
	a->state = KS_A_IN;
	a->migrations += cpu != s->cpu;
	if (a->reason <= KS_R_IOCTL) {
		agg_add(a, KS_H_PREEMPTED, ns);
		if (cfg.classes)
			agg_by(a, t, ns);
		return;
	}
	agg_add(a, a->reason == KS_R_HALTED ? KS_H_HALTED : KS_H_SLEEPING, ns);
	delay = task_run_delay(t, modern) - s->run_delay;
	if (delay > ns) {
		a->clamped++;
		delay = ns;
	}
	agg_add(a, KS_H_WOKEN, delay);
}

#endif
