// SPDX-License-Identifier: BSD-2-Clause
/* See sums.h, and bpf/agg.bpf.h for the other side. */
#include <string.h>
#include "clock.h"
#include "step.h"
#include "sums.h"

/* Of 16 KB most is buckets, and of them most are empty: only those up to the greatest value are
 * read. Torn values are possible here, so nothing is trusted. */
static void copy_hist(struct ks_agg_hist *to, const struct ks_agg_hist *from)
{
	__u64 last;

	memcpy(to, from, __builtin_offsetof(struct ks_agg_hist, bucket));
	last = ks_bucket(to->max_ns);
	if (last < KS_AGG_BUCKETS)
		memcpy(to->bucket, from->bucket, (last + 1) * sizeof(to->bucket[0]));
}

static void copy(struct sums_vcpu *out, const struct ks_agg *a)
{
	memcpy(&out->a, a, __builtin_offsetof(struct ks_agg, hist));
	for (int i = 0; i < KS_H_CNT; i++)
		copy_hist(&out->a.hist[i], &a->hist[i]);
}

/* false: an event, or the vCPU's end, came in between. */
static bool copy_living(struct sums_vcpu *out, const struct ks_slot *s, const struct ks_agg *a)
{
	__u32 what = __atomic_load_n(&s->agg.what, __ATOMIC_ACQUIRE);
	__u64 since = __atomic_load_n(&s->agg.since, __ATOMIC_ACQUIRE);

	if (what & KS_A_BUSY)
		return false;
	out->at_ns = now_ns();
	copy(out, a);
	out->now = s->agg;
	out->tid = s->run_tid ?: s->tid;
	out->cpu = s->cpu;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&s->agg.what, __ATOMIC_RELAXED) == what &&
	       __atomic_load_n(&s->agg.since, __ATOMIC_RELAXED) == since;
}

static void copy_dead(struct sums_vcpu *out, const struct ks_agg *a)
{
	out->at_ns = now_ns();
	copy(out, a);
	out->now = a->now;
	out->tid = a->tid;
	out->cpu = a->cpu;
}

bool sums__read(const struct sums *m, __u32 place, struct sums_vcpu *out)
{
	const struct ks_agg *a = &m->agg[place];
	const struct ks_slot *s;
	__u32 owner;
	bool whole;

	do {
		owner = __atomic_load_n(&m->owner[place], __ATOMIC_ACQUIRE);
		s = &m->slot[(owner - 1) & (KS_SLOTS - 1)];
		out->dead = owner == KS_GONE_OWNER;
		if (!owner || (!out->dead && s->keep <= KS_DROP))
			return false; /* nobody, or not yet, or the filters do not want it */
		whole = true;
		if (out->dead)
			copy_dead(out, a);
		else
			whole = copy_living(out, s, a) &&
				__atomic_load_n(&m->owner[place], __ATOMIC_RELAXED) == owner;
	} while (!whole);
	out->id = place + 1;
	if (out->at_ns < out->now.since)
		out->at_ns = out->now.since; /* clocks of two CPUs may differ by some ns */
	if (out->at_ns > m->ctl->end_ns)
		out->at_ns = m->ctl->end_ns;
	return true;
}

void sums__free(const struct sums *m, __u32 place)
{
	memset(&m->agg[place], 0, sizeof(m->agg[place]));
	__atomic_store_n(&m->ctl->dead, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&m->owner[place], 0, __ATOMIC_RELEASE);
}

__u32 sums__dead(const struct sums *m)
{
	return __atomic_load_n(&m->ctl->dead, __ATOMIC_RELAXED);
}
