/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Aggregation: instead of records, each vCPU's times, counts and histograms are kept in the kernel
 * (struct ks_now in its slot, struct ks_agg). What an event means is the same as for records
 * (user/vcpu.c), as both are to come to the same sums.
 *
 * A reader in user space must not see half of an event: agg_begin() makes the slot's counter odd
 * before the event's time is taken, agg_end() makes it even when all is stored. So a reader that
 * finds the same even number around its reading, its clock included, has all events until then.
 */
#ifndef KVMSCHED_AGG_BPF_H
#define KVMSCHED_AGG_BPF_H

#include "compat.bpf.h"
#include "state.bpf.h"
#include "step.h"

/* Neither may move across it: x86 keeps the order of stores, the compiler must not undo it. */
static __always_inline void agg_turn(struct ks_slot *s, __u64 turn)
{
#ifdef __TARGET_ARCH_x86
	asm volatile("" ::: "memory");
	*(volatile __u64 *)&s->agg.turn = turn;
	asm volatile("" ::: "memory");
#else
	__sync_lock_test_and_set(&s->agg.turn, turn);
#endif
}

static __always_inline __u64 agg_begin(struct ks_slot *s)
{
	__u64 turn = s->agg.turn;

	agg_turn(s, turn + 1);
	return turn;
}

static __always_inline void agg_end(struct ks_slot *s, __u64 turn)
{
	agg_turn(s, turn + 2);
}

/* NULL never happens, but the verifier wants to see it asked. */
static __always_inline struct ks_agg *agg_of(const struct ks_slot *s)
{
	__u32 at = s->agg.at;

	return bpf_map_lookup_elem(&aggs, &at);
}

static __always_inline void agg_add(struct ks_agg_hist *h, __u64 ns)
{
	__u64 i = ks_bucket(ns);

	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	if (i < KS_AGG_BUCKETS)
		h->bucket[i]++;
}

/* Both at once. */
static __always_inline void agg_set(struct ks_slot *s, __u16 state, __u16 reason)
{
	*(__u16 *)&s->agg.state = state | reason << 8;
}

/* The vCPU's first event in the window, one before it, or one that cannot follow what was before.
 * out: kvm_sched_out(), else kvm_sched_in(). */
static __noinline int agg_seldom(struct ks_slot *s, __u64 ts, __u32 out, __u32 reason)
{
	__u64 from = ctl.start_ns;
	struct ks_agg *a;

	if (!s)
		return 0;
	a = agg_of(s);
	if (!a)
		return 0;
	if (ts < from) {
		agg_set(s, out ? KS_A_EARLY : KS_A_NONE, reason);
		return 0;
	}
	if (s->agg.state > KS_A_EARLY) { /* in, and in again: what was between was not seen */
		a->odd++;
		a->unknown_ns += ts - s->agg.since;
	} else {
		if (s->created && s->born_ts > from)
			from = s->born_ts;
		a->first_ns = ts > from ? ts - from : 0;
		a->first = out ? KS_R_CNT
			       : s->agg.state == KS_A_EARLY ? s->agg.reason : s->snap_reason;
	}
	s->agg.since = ts;
	agg_set(s, out ? KS_A_OUT : KS_A_IN, reason);
	s->agg.by = KS_BY_NONE;
	return 0;
}

/* kvm_sched_out() at ts. by: who took the CPU, KS_BY_NONE if it is not asked for, or nobody did. */
static __always_inline void agg_out(struct ks_slot *s, __u16 reason, __u8 by, __u64 ts,
				    struct mode m)
{
	if (s->agg.state != KS_A_IN) {
		agg_seldom(s, ts, 1, reason);
	} else {
		s->agg.since = ts;
		agg_set(s, KS_A_OUT, reason);
	}
	if (m.classes)
		s->agg.by = by;
}

static __always_inline void agg_by(struct ks_agg *a, __u8 by, const struct task_struct *t, __u64 ns)
{
	if (!by)
		return;
	if (task_throttled(t)) /* throttled only after it had gone */
		by = KS_BY_QUOTA;
	a->by_ns[by & 7] += ns;
	a->by_cnt[by & 7]++;
}

static __always_inline void agg_blocked(struct ks_slot *s, struct ks_agg *a, __u8 reason, __u64 ns,
					bool modern)
{
	__u64 delay = task_run_delay(bpf_get_current_task_btf(), modern) - s->run_delay;

	agg_add(reason == KS_R_HALTED ? &a->hist[KS_H_HALTED] : &a->hist[KS_H_SLEEPING], ns);
	if (delay > ns) {
		a->clamped++;
		delay = ns;
	}
	agg_add(&a->hist[KS_H_WOKEN], delay);
}

/* kvm_sched_in() at ts. */
static __always_inline void agg_in(struct ks_slot *s, __u64 ts, struct mode m)
{
	__u16 was = *(__u16 *)&s->agg.state;
	__u64 ns = ts - s->agg.since;
	struct ks_agg *a;
	__u32 cpu;

	if ((__u8)was != KS_A_OUT) {
		agg_seldom(s, ts, 0, 0);
		s->cpu = bpf_get_smp_processor_id();
		return;
	}
	s->agg.since = ts;
	s->agg.state = KS_A_IN;
	a = agg_of(s);
	if (!a)
		return;
	if (was >> 8 > KS_R_IOCTL) {
		agg_blocked(s, a, was >> 8, ns, m.modern);
	} else {
		agg_add(&a->hist[KS_H_PREEMPTED], ns);
		if (m.classes)
			agg_by(a, s->agg.by, bpf_get_current_task_btf(), ns);
	}
	cpu = bpf_get_smp_processor_id();
	if (cpu != s->cpu) {
		s->cpu = cpu;
		a->migrations++;
	}
}

/* The vCPU is gone: what its slot has is moved to where user space takes it from, as the slot is
 * another's from now on. Asks user space to hurry when they are many. */
static __always_inline void agg_leave(struct ks_slot *s, __u64 ts)
{
	struct ks_agg *a = agg_of(s);
	__u32 at = s->id - 1;

	if (!a || at >= KS_SLOTS)
		return;
	a->now = s->agg;
	a->tid = s->run_tid ?: s->tid;
	a->cpu = s->cpu;
	a->gone_ns = ts;
	__sync_lock_test_and_set(&agg_owner[at], s->introduced ? KS_GONE_OWNER : 0);
	if (s->introduced && __sync_fetch_and_add(&ctl.dead, 1) >= cfg.aggs / 8)
		ring_doorbell();
}

#endif
