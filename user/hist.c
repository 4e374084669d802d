// SPDX-License-Identifier: BSD-2-Clause
/*
 * The log-linear histogram. Buckets have one running index, in which each octave takes HIST_SUB
 * places: shifting the index right merges neighbours evenly, which is all that drawing needs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "hist.h"
#include "step.h"

#define COARSE (HIST_SUB / KS_AGG_SUB) /* indices that share a bucket of the kernel's */

/* Of buckets of which each octave has sub: the octaves up to 2 * sub have buckets of width 1; then
 * the width doubles with each. */
static inline unsigned width_shift(unsigned i, unsigned sub)
{
	return i < sub ? 0 : i / sub - 1;
}

static inline __u64 low_at(unsigned i, unsigned sub)
{
	unsigned shift = width_shift(i, sub);

	return (__u64)(i - shift * sub) << shift;
}

static inline __u64 high_at(unsigned i, unsigned sub)
{
	return low_at(i, sub) + ((1ULL << width_shift(i, sub)) - 1);
}

static __u64 add_sat(__u64 a, __u64 b)
{
	__u64 sum;

	return __builtin_add_overflow(a, b, &sum) ? ~0ULL : sum;
}

static __u64 mul_sat(__u64 a, __u64 b)
{
	__u64 product;

	return __builtin_mul_overflow(a, b, &product) ? ~0ULL : product;
}

/* How many counters a chunk has. The first has one for each value that is in it. */
static unsigned counters(const struct hist *h, unsigned chunk)
{
	return h->kind == HIST_COARSE && chunk ? KS_AGG_SUB : HIST_SUB;
}

/* Which of its chunk's counters the value with the index i has. */
static unsigned place(const struct hist *h, unsigned i)
{
	unsigned in_chunk = i % HIST_SUB;

	return counters(h, i / HIST_SUB) == HIST_SUB ? in_chunk : in_chunk / COARSE;
}

static const struct hist_chunk *chunk_of(const struct hist *h, unsigned chunk)
{
	return h->chunk ? h->chunk[chunk] : NULL;
}

static __u64 counter(const struct hist_chunk *c, unsigned k)
{
	return c->cnt[k] + (c->carry ? (__u64)c->carry[k] << 32 : 0);
}

/* Adds to one of n counters, growing upper halves when the first one needs them. */
static int counter_add(struct hist_chunk *c, unsigned n, unsigned k, __u64 more)
{
	__u64 sum = add_sat(counter(c, k), more);

	if (sum >> 32 && !c->carry) {
		c->carry = calloc(n, sizeof(*c->carry));
		if (!c->carry)
			return -ENOMEM;
	}
	c->cnt[k] = sum;
	if (c->carry)
		c->carry[k] = sum >> 32;
	return 0;
}

/* What it is stays until it is given back. */
static int become(struct hist *h, enum hist_kind kind)
{
	if (h->kind == kind)
		return 0;
	if (h->kind != HIST_EMPTY)
		return -EINVAL;
	h->chunk = calloc(HIST_CHUNKS, sizeof(struct hist_chunk *));
	if (!h->chunk)
		return -ENOMEM;
	h->kind = kind;
	return 0;
}

static struct hist_chunk *need_chunk(struct hist *h, unsigned chunk)
{
	if (!h->chunk[chunk])
		h->chunk[chunk] =
			calloc(1, sizeof(struct hist_chunk) + counters(h, chunk) * sizeof(__u32));
	if (h->chunk[chunk])
		h->used |= 1ULL << chunk;
	return h->chunk[chunk];
}

static void add_totals(struct hist *h, __u64 count, __u64 sum, __u64 min, __u64 max)
{
	if (!h->count || min < h->min)
		h->min = min;
	if (max > h->max)
		h->max = max;
	h->count = add_sat(h->count, count);
	h->sum = add_sat(h->sum, sum);
}

static int add_at(struct hist *h, __u64 v, __u64 n)
{
	unsigned i = hist__index(v), chunk = i / HIST_SUB;
	struct hist_chunk *c = need_chunk(h, chunk);

	return c ? counter_add(c, counters(h, chunk), place(h, i), n) : -ENOMEM;
}

int hist__add_n(struct hist *h, __u64 v, __u64 n)
{
	int err;

	if (!n)
		return 0;
	err = become(h, HIST_FINE) ?: add_at(h, v, n);
	if (!err)
		add_totals(h, n, mul_sat(v, n), v, v);
	return err;
}

/* Most of the kernel's octaves are empty, and passed as a whole. */
static bool any_in(const __u64 *octave)
{
	__u64 any = 0;

	for (unsigned i = 0; i < KS_AGG_SUB; i++)
		any |= octave[i];
	return any;
}

int hist__add_kernel(struct hist *h, const struct ks_agg_hist *k)
{
	unsigned last = ks_bucket(k->max_ns); /* what is behind it may be anything */
	__u64 count = 0, min = 0;
	int err = 0;

	for (unsigned i = 0; !err && i <= last && i < KS_AGG_BUCKETS; i++) {
		if (i % KS_AGG_SUB == 0 && !any_in(&k->bucket[i]))
			i += KS_AGG_SUB - 1;
		else if (k->bucket[i]) {
			err = become(h, HIST_COARSE)
				      ?: add_at(h, high_at(i, KS_AGG_SUB), k->bucket[i]);
			min = count ? min : low_at(i, KS_AGG_SUB);
			count += k->bucket[i];
		}
	}
	if (!err && count)
		add_totals(h, count, k->sum_ns, min, k->max_ns);
	return err;
}

/* Adds all that fits: false, with nothing changed, if a counter would have to carry. */
static bool merge_small(struct hist_chunk *c, const struct hist_chunk *from, unsigned n)
{
	__u32 sum[HIST_SUB], carry = c->carry || from->carry;

	for (unsigned i = 0; i < n; i++) { /* a loop that compilers vectorise */
		sum[i] = c->cnt[i] + from->cnt[i];
		carry |= sum[i] < c->cnt[i];
	}
	if (!carry)
		memcpy(c->cnt, sum, n * sizeof(*sum));
	return !carry;
}

static int merge_chunk(struct hist *h, unsigned chunk, const struct hist_chunk *from)
{
	struct hist_chunk *c = need_chunk(h, chunk);
	unsigned n = counters(h, chunk);
	int err = c ? 0 : -ENOMEM;

	if (c && merge_small(c, from, n))
		return 0;
	for (unsigned i = 0; !err && i < n; i++)
		err = counter_add(c, n, i, counter(from, i));
	return err;
}

int hist__merge(struct hist *h, const struct hist *from)
{
	int err;

	if (!from->count)
		return 0;
	err = become(h, from->kind);
	for (__u64 left = from->used; !err && left; left &= left - 1) {
		unsigned i = __builtin_ctzll(left);

		err = merge_chunk(h, i, from->chunk[i]);
	}
	if (!err)
		add_totals(h, from->count, from->sum, from->min, from->max);
	return err;
}

static struct hist_bucket bucket(const struct hist *h, unsigned i, __u64 count)
{
	__u64 high = high_at(i, HIST_SUB);

	return (struct hist_bucket){.low = h->kind == HIST_COARSE
						   ? low_at(ks_bucket(high), KS_AGG_SUB)
						   : low_at(i, HIST_SUB),
				    .high = high,
				    .count = count};
}

int hist__next(const struct hist *h, unsigned *at, struct hist_bucket *b)
{
	for (unsigned i = *at; i < HIST_BUCKETS; i++) {
		const struct hist_chunk *c = chunk_of(h, i / HIST_SUB);
		__u64 count;

		if (!c) {
			i |= HIST_SUB - 1; /* on to the next chunk */
			continue;
		}
		if (counters(h, i / HIST_SUB) != HIST_SUB)
			i |= COARSE - 1;
		count = counter(c, place(h, i));
		if (!count)
			continue;
		*b = bucket(h, i, count);
		*at = i + 1;
		return 1;
	}
	return 0;
}

/* Of a chunk what it has more than it had; none where that is nothing. */
static int chunk_since(struct hist *out, unsigned chunk, const struct hist_chunk *c,
		       const struct hist_chunk *before)
{
	unsigned n = counters(out, chunk);
	struct hist_chunk *to = NULL;
	int err = 0;

	if (before && !c->carry && !memcmp(c->cnt, before->cnt, n * sizeof(*c->cnt)))
		return 0;
	for (unsigned k = 0; !err && k < n; k++) {
		__u64 more = counter(c, k) - (before ? counter(before, k) : 0);

		if (!more)
			continue;
		to = to ?: need_chunk(out, chunk);
		err = to ? counter_add(to, n, k, more) : -ENOMEM;
	}
	return err;
}

/* From counts to their extremes. */
static void bound(struct hist *out, const struct hist *h, const struct hist *before)
{
	unsigned at = __builtin_ctzll(out->used) * HIST_SUB, last = 63 - __builtin_clzll(out->used);
	struct hist_bucket b = {0};

	if (hist__next(out, &at, &b))
		out->min = b.low > h->min ? b.low : h->min;
	for (at = last * HIST_SUB; hist__next(out, &at, &b);)
		out->max = b.high < h->max ? b.high : h->max;
	if (!before->count || h->max > before->max)
		out->max = h->max;
	if (!before->count || h->min < before->min)
		out->min = h->min;
}

int hist__since(struct hist *out, const struct hist *h, const struct hist *before)
{
	int err = 0;

	if (h->count == before->count)
		return 0;
	err = become(out, h->kind);
	for (__u64 left = h->used; !err && left; left &= left - 1) {
		unsigned i = __builtin_ctzll(left);

		err = chunk_since(out, i, h->chunk[i], chunk_of(before, i));
	}
	if (err)
		return err;
	out->count = h->count - before->count;
	out->sum = h->sum - before->sum;
	bound(out, h, before);
	return 0;
}

void hist__free(struct hist *h)
{
	if (!h)
		return;
	for (__u64 left = h->used; left; left &= left - 1) {
		unsigned i = __builtin_ctzll(left);

		free(h->chunk[i]->carry);
		free(h->chunk[i]);
	}
	free(h->chunk);
	memset(h, 0, sizeof(*h));
}

__u64 hist__mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}

/* ceil(permille * count / 1000), from 1 */
static __u64 rank_of(const struct hist *h, unsigned permille)
{
	__u64 rank = ((unsigned __int128)h->count * permille + 999) / 1000;

	return rank ? rank : 1;
}

/* The values of one chunk. Loops that compilers vectorise: whole octaves are passed quickly. */
static __u64 chunk_sum(const struct hist *h, unsigned chunk)
{
	const struct hist_chunk *c = chunk_of(h, chunk);
	unsigned n = c ? counters(h, chunk) : 0;
	__u64 sum = 0, carry = 0;

	for (unsigned i = 0; i < n; i++)
		sum += c->cnt[i];
	for (unsigned i = 0; i < n && c->carry; i++)
		carry = add_sat(carry, c->carry[i]);
	return add_sat(sum, mul_sat(carry, 1ULL << 32));
}

/* Counts whole chunks while *seen stays below rank; returns the index of the bucket after them. */
static unsigned skip_chunks(const struct hist *h, __u64 rank, __u64 *seen)
{
	for (unsigned i = 0; i < HIST_CHUNKS; i++) {
		__u64 sum = add_sat(*seen, chunk_sum(h, i));

		if (sum >= rank)
			return i * HIST_SUB;
		*seen = sum;
	}
	return HIST_BUCKETS;
}

__u64 hist__quantile(const struct hist *h, unsigned permille)
{
	struct hist_bucket b;
	__u64 rank, seen = 0;

	if (!h->count)
		return 0;
	if (permille >= 1000)
		return h->max;
	rank = rank_of(h, permille);
	for (unsigned at = skip_chunks(h, rank, &seen); hist__next(h, &at, &b);) {
		seen = add_sat(seen, b.count);
		if (seen >= rank)
			return b.high < h->max ? b.high : h->max;
	}
	return h->max;
}

__u64 hist__count_le(const struct hist *h, __u64 v)
{
	unsigned end = hist__index(v), at;
	struct hist_bucket b;
	__u64 n = 0;

	if (!h->count || v >= h->max)
		return h->count;
	if (high_at(end, HIST_SUB) <= v) /* v < max: this is not the last bucket */
		end++;
	for (unsigned i = 0; i < end / HIST_SUB; i++)
		n = add_sat(n, chunk_sum(h, i));
	for (at = end / HIST_SUB * HIST_SUB; hist__next(h, &at, &b) && at <= end;)
		n = add_sat(n, b.count);
	return n;
}

/* One row: all buckets whose index, shifted, is r. */
static struct hist_bucket empty_row(unsigned r, unsigned shift)
{
	unsigned last = ((r + 1) << shift) - 1;

	if (last >= HIST_BUCKETS)
		last = HIST_BUCKETS - 1;
	return (struct hist_bucket){.low = low_at(r << shift, HIST_SUB),
				    .high = high_at(last, HIST_SUB)};
}

unsigned hist__coarsen(const struct hist *h, struct hist_bucket *out, unsigned rows)
{
	unsigned first = hist__index(h->min), last = hist__index(h->max), n;
	unsigned shift = h->kind == HIST_COARSE ? HIST_SUB_BITS - 3 : 0; /* not finer than it is */
	struct hist_bucket b;

	if (!h->count || !rows)
		return 0;
	while ((last >> shift) - (first >> shift) >= rows)
		shift++;
	n = (last >> shift) - (first >> shift) + 1;
	for (unsigned r = 0; r < n; r++)
		out[r] = empty_row((first >> shift) + r, shift);
	for (unsigned at = 0; hist__next(h, &at, &b);) {
		struct hist_bucket *row = &out[(hist__index(b.low) >> shift) - (first >> shift)];

		row->count = add_sat(row->count, b.count);
	}
	return n;
}
