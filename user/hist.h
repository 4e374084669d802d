/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log-linear histogram of nanoseconds: every power of two is split into 128 buckets, so a bucket
 * is at most 1/128 of its values wide (0.8 %), and values below 256 are exact. Knows nothing of
 * vCPUs.
 *
 * A histogram made of the kernel's (struct ks_agg_hist) is coarse: it has 8 buckets per octave, as
 * that has, and is never mixed with others.
 *
 * A struct hist of zeros is an empty histogram; it is embedded in its owner and given back with
 * hist__free(). Buckets come in chunks of one octave (520 bytes each, 40 if coarse), allocated when
 * first hit, so a histogram costs half a KB for the first and for each octave that its values
 * touch. Counters are 32 bits wide and carry into a second chunk, so that they never wrap. Not safe
 * against concurrent use.
 */
#ifndef KVMSCHED_HIST_H
#define KVMSCHED_HIST_H

#include <linux/types.h>
#include <stddef.h>

#define HIST_SUB_BITS 7
#define HIST_SUB      (1U << HIST_SUB_BITS)    /* buckets per octave */
#define HIST_CHUNKS   (64 - HIST_SUB_BITS + 1) /* the first holds 0 .. 127 */
#define HIST_BUCKETS  (HIST_CHUNKS * HIST_SUB)

_Static_assert(HIST_CHUNKS <= 64, "hist.used has a bit per chunk");

struct ks_agg_hist;

struct hist_chunk {
	__u32 *carry; /* the counters' upper halves, NULL = all 0 */
	__u32 cnt[];
};

enum hist_kind { HIST_EMPTY, HIST_FINE, HIST_COARSE };

/* Read count, sum, min and max directly: they are exact. min and max are 0 while count is. */
struct hist {
	__u64 count;
	__u64 sum; /* stops at 2^64 - 1, 584 years of nanoseconds */
	__u64 min;
	__u64 max;
	__u64 used; /* which chunks there are: 1 << i */
	enum hist_kind kind;
	struct hist_chunk **chunk; /* HIST_CHUNKS; NULL while it is empty */
};

/* The values low <= v <= high, of which there are count. */
struct hist_bucket {
	__u64 low;
	__u64 high;
	__u64 count;
};

/* The bucket of a value. Below 2 * HIST_SUB it is the value; each further octave adds HIST_SUB. */
static inline unsigned hist__index(__u64 v)
{
	unsigned shift = v < 2 * HIST_SUB ? 0 : 63 - HIST_SUB_BITS - __builtin_clzll(v);

	return shift * HIST_SUB + (unsigned)(v >> shift);
}

/* Adds the value v n times. Returns 0, or with the histogram unchanged -ENOMEM, or -EINVAL: it is
 * coarse. */
int hist__add_n(struct hist *h, __u64 v, __u64 n);

/* Adds one value: as hist__add_n(h, v, 1), but inline for the case in which its chunk exists. */
static inline int hist__add(struct hist *h, __u64 v)
{
	unsigned i = hist__index(v);
	struct hist_chunk *c = h->kind == HIST_FINE ? h->chunk[i / HIST_SUB] : NULL;

	if (!c || c->cnt[i % HIST_SUB] == ~0U)
		return hist__add_n(h, v, 1);
	c->cnt[i % HIST_SUB]++;
	if (!h->count++ || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	if (__builtin_add_overflow(h->sum, v, &h->sum))
		h->sum = ~0ULL;
	return 0;
}

/* Adds what the kernel counted (struct ks_agg_hist): sum and max are exact, min is the lower end of
 * its bucket. Returns 0, or -ENOMEM, -EINVAL (h is not coarse); h then lacks some of it:
 * hist__free() it. */
int hist__add_kernel(struct hist *h, const struct ks_agg_hist *k);

/* What h has that `before`, an earlier state of it, had not, into the empty out. The extremes are
 * exact where they are those of h; else they are of the buckets, but within h's. Returns 0 or
 * -ENOMEM. */
int hist__since(struct hist *out, const struct hist *h, const struct hist *before);

/* Adds all of from to h. Returns 0, or -ENOMEM, -EINVAL (only one is coarse); h then lacks some of
 * it: hist__free() it. */
int hist__merge(struct hist *h, const struct hist *from);

/* Gives back the memory; h is empty then and can be used again. */
void hist__free(struct hist *h);

/* sum / count, rounded down; 0 for an empty histogram. */
__u64 hist__mean(const struct hist *h);

/* The nearest-rank quantile in parts per 1000 (500, 900, 990, 999; 1000 = max): the top of the
 * bucket that holds the value of rank ceil(permille * count / 1000), but never above max. 0 if
 * empty. */
__u64 hist__quantile(const struct hist *h, unsigned permille);

/* How many values are <= v, for cumulative buckets with given bounds. Values less than 0.8 % below
 * v (12.5 % where it is coarse) may be missed, as their bucket ends above it; none when v >= max.
 */
__u64 hist__count_le(const struct hist *h, __u64 v);

/* Iterates over the non-empty buckets in ascending order:
 *	struct hist_bucket b;
 *	for (unsigned at = 0; hist__next(h, &at, &b);)
 * Returns 0 after the last. */
int hist__next(const struct hist *h, unsigned *at, struct hist_bucket *b);

/* Puts the buckets together into at most `rows` (>= 1) adjacent ones of equal width on the
 * histogram's scale, from the one that holds min to the one that holds max, the empty ones between
 * included. As fine as `rows` allows: from one bucket per row over 64, 32, ... 1 row per octave to
 * several octaves per row. Returns how many out[] got; 0 if the histogram is empty. */
unsigned hist__coarsen(const struct hist *h, struct hist_bucket *out, unsigned rows);

#endif
