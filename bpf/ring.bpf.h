/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One CPU's ring, and the records that more than one hook makes.
 */
#ifndef KVMSCHED_RING_BPF_H
#define KVMSCHED_RING_BPF_H

#include "state.bpf.h"

static __always_inline void ring_doorbell(void)
{
	void *bell = bpf_ringbuf_reserve(&meta, 8, 0);

	if (bell)
		bpf_ringbuf_discard(bell, BPF_RB_FORCE_WAKEUP);
}

/* Counts the record and finds its place in this CPU's ring; NULL: the ring is full (counted).
 * ring_put() hands it over. */
static __always_inline void *ring_get(struct ks_slot *s, __u32 cpu, struct ks_ring **ring,
				      __u64 *ts)
{
	struct ks_ring *r = bpf_map_lookup_elem(&rings, &cpu);
	__u32 places = cfg.ring_places;
	__u64 used;

	if (!r)
		return NULL;
	if (*ts < r->last_ts)
		*ts = r->last_ts;
	r->last_ts = s->flush_ts = *ts;
	s->seq++;
	used = r->head - *(volatile __u64 *)&r->tail;
	if (used >= places / 2) {
		if (used >= places) {
			r->lost++;
			s->lost++;
			return NULL;
		}
		if (used == places / 2)
			ring_doorbell();
	}
	*ring = r;
	return (char *)(r + 1) + (r->head & (places - 1)) * KS_RECORD_MAX;
}

static __always_inline void ring_put(struct ks_ring *r)
{
#ifdef __TARGET_ARCH_x86
	barrier_var(
		r); /* stores are not reordered with stores: the compiler is all there is to stop */
	*(volatile __u64 *)&r->head = r->head + 1;
#else
	__sync_lock_test_and_set(&r->head, r->head + 1); /* BPF's exchange is a full barrier */
#endif
}

static __always_inline __u16 take_skipped(struct ks_slot *s, bool by_cpu)
{
	__u16 m;

	if (!by_cpu)
		return 0;
	m = s->skipped ? KS_M_SKIPPED : 0;
	s->skipped = 0;
	return m;
}

/* The record's contents, and a fresh start for the sums. */
static __always_inline void take_loads(struct ks_slot *s, struct ks_loads *r, __u32 cpu, __u64 ts)
{
	r->h.ts = ts;
	r->h.type = KS_LOADS;
	r->h.what = 0;
	r->h.mask = cfg.fields | take_skipped(s, cfg.by_cpu) | KS_M_POINT(KS_PT_INNER_ENTRY) |
		    (cfg.full ? KS_M_POINT(KS_PT_INNER_EXIT) : 0);
	r->vcpu = s->id;
	r->seq = s->seq;
	r->loads = s->loads;
	r->user_ns = s->user_ns;
	r->puts = s->puts;
	r->load_ns = s->load_ns;
	r->put_ns = s->put_ns;
	r->load_max_ns = s->load_max_ns;
	r->put_max_ns = s->put_max_ns;
	r->load_flags = s->load_flags;
	r->put_flags = s->put_flags;
	r->cpu = cpu;
}

static __always_inline void reset_loads(struct ks_slot *s)
{
	__builtin_memset(&s->user_ns, 0, sizeof(*s) - __builtin_offsetof(struct ks_slot, user_ns));
}

/* Sums that find no room are lost with their record: the sequence number says so. */
static __noinline int flush_loads(struct ks_slot *s, __u32 cpu, __u64 ts)
{
	struct ks_ring *ring;
	struct ks_loads *r;

	if (!s)
		return 0;
	r = ring_get(s, cpu, &ring, &ts);
	if (r) {
		take_loads(s, r, cpu, ts);
		ring_put(ring);
	}
	reset_loads(s);
	return 0;
}

static __always_inline __u64 user_since(const struct ks_slot *s)
{
	return s->put_ts > ctl.start_ns ? s->put_ts : ctl.start_ns;
}

static __always_inline bool pending(const struct ks_slot *s)
{
	return s->loads | s->puts;
}

#endif
