// SPDX-License-Identifier: BSD-2-Clause
/* See sums.h, and bpf/agg.bpf.h for the other side of `turn`. */
#include <string.h>
#include <time.h>
#include "step.h"
#include "sums.h"

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Of 16 KB most is buckets, and of them most are empty: only those between the least and the
 * greatest value are read. Torn values are possible here, so nothing is trusted. */
static void copy_hist(struct ks_agg_hist *to, const struct ks_agg_hist *from)
{
	__u32 first, last;

	memcpy(to, from, __builtin_offsetof(struct ks_agg_hist, bucket));
	first = to->min_inv ? ks_bucket(~to->min_inv) : 1;
	last = to->min_inv ? ks_bucket(to->max_ns) : 0;
	if (last >= first && last < KS_AGG_BUCKETS)
		memcpy(&to->bucket[first], &from->bucket[first],
		       (last - first + 1) * sizeof(to->bucket[0]));
}

static void copy(struct sums_vcpu *out, const struct ks_slot *s, const struct ks_agg *a)
{
	memcpy(&out->a, a, __builtin_offsetof(struct ks_agg, hist));
	for (int i = 0; i < KS_H_CNT; i++)
		copy_hist(&out->a.hist[i], &a->hist[i]);
	out->born_ns = s->born_ts;
	out->id = s->id;
	out->tid = s->run_tid ?: s->tid;
	out->cpu = s->cpu;
	out->created = s->created;
}

bool sums__read(const struct sums *m, __u32 slot, struct sums_vcpu *out)
{
	const struct ks_slot *s = &m->slot[slot];
	const struct ks_agg *a = &m->agg[slot];
	__u64 vcpu = __atomic_load_n(&s->vcpu, __ATOMIC_ACQUIRE), before, end;

	/* dead slots are nobody's until they are freed; else the filters' word counts */
	if (!vcpu || (vcpu != KS_DEAD && s->keep <= KS_DROP))
		return false;
	do {
		while ((before = __atomic_load_n(&a->turn, __ATOMIC_ACQUIRE)) & 1)
			;
		out->at_ns = now_ns();
		copy(out, s, a);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&a->turn, __ATOMIC_RELAXED) != before);
	end = m->ctl->end_ns;
	if (out->at_ns > end)
		out->at_ns = end;
	if (out->at_ns < out->a.since)
		out->at_ns = out->a.since; /* clocks of two CPUs may differ by some ns */
	out->dead = vcpu == KS_DEAD;
	return true;
}

void sums__free(const struct sums *m, __u32 slot)
{
	memset(&m->agg[slot], 0, sizeof(m->agg[slot]));
	__atomic_store_n(&m->ctl->dead, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&m->slot[slot].vcpu, 0, __ATOMIC_RELEASE);
}

__u32 sums__dead(const struct sums *m)
{
	return __atomic_load_n(&m->ctl->dead, __ATOMIC_RELAXED);
}
