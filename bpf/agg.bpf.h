/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Aggregation: instead of records, each vCPU's times, counts and histograms are kept in the kernel
 * (struct ks_now in its slot, struct ks_agg). What an event means is the same as for records
 * (user/vcpu.c), as both are to come to the same sums.
 *
 * A reader in user space must not see half of an event: agg_begin() says busy before the event's
 * time is taken, agg_end() says what the vCPU does now when all else is stored. So a reader that
 * finds the same `what`, not busy, and the same `since` around its reading, its clock included, has
 * all events until then, whole.
 */
#ifndef KVMSCHED_AGG_BPF_H
#define KVMSCHED_AGG_BPF_H

#include "compat.bpf.h"
#include "state.bpf.h"
#include "step.h"

/* Nothing may move across it: x86 keeps the order of stores, the compiler must not undo it. */
static __always_inline void agg_say(struct ks_slot *s, __u32 what)
{
#ifdef __TARGET_ARCH_x86
	asm volatile("" ::: "memory");
	*(volatile __u32 *)&s->agg.what = what;
	asm volatile("" ::: "memory");
#else
	__sync_lock_test_and_set(&s->agg.what, what);
#endif
}

static __always_inline __u32 agg_begin(struct ks_slot *s)
{
	__u32 was = s->agg.what;

	agg_say(s, was | KS_A_BUSY);
	return was;
}

static __always_inline void agg_end(struct ks_slot *s, __u32 what)
{
	agg_say(s, what);
}

static __always_inline __u32 agg_what(__u32 state, __u32 reason, __u32 by)
{
	return state | reason << 8 | by << 16;
}

/* NULL never happens, but the verifier wants to see it asked. */
static __always_inline struct ks_agg *agg_of(const struct ks_slot *s)
{
	__u32 at = s->agg.at;

	return bpf_map_lookup_elem(&aggs, &at);
}

static __always_inline void agg_add(struct ks_agg_hist *h, __u64 ns)
{
	__u64 rest = ns, i = ks_bucket_begin(&rest);

	i += bucket_rest[rest];
	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	if (i < KS_AGG_BUCKETS)
		h->bucket[i]++;
}

/* The vCPU's first event in the window, one outside it, or one that cannot follow what was before.
 * what: to become. Returns what it does now. */
static __noinline __u32 agg_seldom(struct ks_slot *s, __u64 ts, __u32 was, __u32 what)
{
	bool out = (what & 0xff) == KS_A_OUT;
	__u32 state = was & 0xff;
	__u64 from = ctl.start_ns;
	struct ks_agg *a;

	if (!s || ts >= ctl.end_ns)
		return was;
	a = agg_of(s);
	if (!a)
		return was;
	if (ts < from)
		return out ? what - KS_A_OUT + KS_A_EARLY : KS_A_NONE;
	if (state > KS_A_EARLY) { /* in, and in again: what was between was not seen */
		a->odd++;
		a->unknown_ns += ts - s->agg.since;
	} else {
		if (s->created && s->born_ts > from)
			from = s->born_ts;
		a->first_ns = ts > from ? ts - from : 0;
		a->first = out ? KS_R_CNT : state == KS_A_EARLY ? was >> 8 : s->snap_reason;
	}
	s->agg.since = ts;
	return what;
}

/* kvm_sched_out() at ts; `what` to become. One after the window's end is told by its time. */
static __always_inline __u32 agg_out(struct ks_slot *s, __u32 was, __u32 what, __u64 ts)
{
	if ((__u8)was != KS_A_IN)
		return agg_seldom(s, ts, was, what);
	s->agg.since = ts;
	return what;
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

/* kvm_sched_in() at ts. Returns what the vCPU does now. */
static __always_inline __u32 agg_in(struct ks_slot *s, __u32 was, __u64 ts, struct mode m)
{
	__u64 ns = ts - s->agg.since;
	__u8 reason = was >> 8;
	struct ks_agg *a;
	__u32 cpu;

	if ((__u8)was != KS_A_OUT || ts >= ctl.end_ns)
		return agg_seldom(s, ts, was, KS_A_IN);
	a = agg_of(s);
	if (!a)
		return was;
	if (reason > KS_R_IOCTL) {
		agg_blocked(s, a, reason, ns, m.modern);
	} else {
		agg_add(&a->hist[KS_H_PREEMPTED], ns);
		if (m.classes)
			agg_by(a, was >> 16, bpf_get_current_task_btf(), ns);
	}
	cpu = bpf_get_smp_processor_id();
	if (cpu != s->cpu) {
		s->cpu = cpu;
		a->migrations++;
	}
	s->agg.since = ts;
	return KS_A_IN;
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
