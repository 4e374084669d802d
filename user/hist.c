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

/* The octaves up to 2 * HIST_SUB have buckets of width 1; then the width doubles with each. */
static unsigned width_shift(unsigned i)
{
	return i < HIST_SUB ? 0 : i / HIST_SUB - 1;
}

static __u64 low_of(unsigned i)
{
	unsigned shift = width_shift(i);

	return (__u64)(i - shift * HIST_SUB) << shift;
}

static __u64 high_of(unsigned i)
{
	return low_of(i) + ((1ULL << width_shift(i)) - 1);
}

/* The kernel's bucket that a value lies in. */
static unsigned kernel_shift(__u64 v)
{
	return v < 2 * KS_AGG_SUB ? 0 : 60 - __builtin_clzll(v);
}

static __u64 kernel_low(__u64 v)
{
	return v >> kernel_shift(v) << kernel_shift(v);
}

static __u64 kernel_high(__u64 v)
{
	return kernel_low(v) + ((1ULL << kernel_shift(v)) - 1);
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

static __u64 counter(const struct hist_chunk *c, unsigned i)
{
	return c->cnt[i] + (c->carry ? (__u64)c->carry[i] << 32 : 0);
}

/* Adds to one counter, growing upper halves when the first one needs them. */
static int counter_add(struct hist_chunk *c, unsigned i, __u64 n)
{
	__u64 sum = add_sat(counter(c, i), n);

	if (sum >> 32 && !c->carry) {
		c->carry = calloc(HIST_SUB, sizeof(*c->carry));
		if (!c->carry)
			return -ENOMEM;
	}
	c->cnt[i] = sum;
	if (c->carry)
		c->carry[i] = sum >> 32;
	return 0;
}

static struct hist_chunk *need_chunk(struct hist *h, unsigned chunk)
{
	if (!h->chunk[chunk])
		h->chunk[chunk] = calloc(1, sizeof(struct hist_chunk));
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

int hist__add_n(struct hist *h, __u64 v, __u64 n)
{
	unsigned i = hist__index(v);
	struct hist_chunk *c;

	if (!n)
		return 0;
	c = need_chunk(h, i / HIST_SUB);
	if (!c || counter_add(c, i % HIST_SUB, n))
		return -ENOMEM;
	add_totals(h, n, mul_sat(v, n), v, v);
	return 0;
}

/* Adds all that fits: false, with nothing changed, if a counter would have to carry. */
static bool merge_small(struct hist_chunk *c, const struct hist_chunk *from)
{
	__u32 sum[HIST_SUB], carry = c->carry || from->carry;

	for (unsigned i = 0; i < HIST_SUB; i++) { /* a loop that compilers vectorise */
		sum[i] = c->cnt[i] + from->cnt[i];
		carry |= sum[i] < c->cnt[i];
	}
	if (!carry)
		memcpy(c->cnt, sum, sizeof(sum));
	return !carry;
}

static int merge_chunk(struct hist *h, unsigned chunk, const struct hist_chunk *from)
{
	struct hist_chunk *c = need_chunk(h, chunk);
	int err = c ? 0 : -ENOMEM;

	if (c && merge_small(c, from))
		return 0;
	for (unsigned i = 0; !err && i < HIST_SUB; i++)
		err = counter_add(c, i, counter(from, i));
	return err;
}

static int add_at(struct hist *h, __u64 v, __u64 n)
{
	unsigned i = hist__index(v);
	struct hist_chunk *c = need_chunk(h, i / HIST_SUB);

	return c ? counter_add(c, i % HIST_SUB, n) : -ENOMEM;
}

int hist__add_kernel(struct hist *h, const struct ks_agg_hist *k)
{
	__u64 count = 0, v = 0, min = 0;

	for (unsigned i = 0; i <= ks_bucket(k->max_ns); i++, v = kernel_high(v + 1)) {
		if (!k->bucket[i])
			continue;
		if (add_at(h, v, k->bucket[i]))
			return -ENOMEM;
		min = count ? min : kernel_low(v);
		count += k->bucket[i];
	}
	h->coarse = 1;
	if (count)
		add_totals(h, count, k->sum_ns, min, k->max_ns);
	return 0;
}

/* From counts to their extremes. */
static void bound(struct hist *out, const struct hist *h, const struct hist *before)
{
	struct hist_bucket b;

	for (unsigned at = 0, first = 1; hist__next(out, &at, &b); first = 0) {
		if (first)
			out->min = b.low > h->min ? b.low : h->min;
		out->max = b.high < h->max ? b.high : h->max;
	}
	if (!before->count || h->max > before->max)
		out->max = h->max;
	if (!before->count || h->min < before->min)
		out->min = h->min;
}

int hist__since(struct hist *out, const struct hist *h, const struct hist *before)
{
	out->coarse = h->coarse;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		const struct hist_chunk *c = h->chunk[i / HIST_SUB],
					*b = before->chunk[i / HIST_SUB];
		__u64 n;

		if (!c) {
			i += HIST_SUB - 1;
			continue;
		}
		n = counter(c, i % HIST_SUB) - (b ? counter(b, i % HIST_SUB) : 0);
		if (n && add_at(out, high_of(i), n))
			return -ENOMEM;
	}
	out->count = h->count - before->count;
	out->sum = h->sum - before->sum;
	bound(out, h, before);
	return 0;
}

int hist__merge(struct hist *h, const struct hist *from)
{
	int err = 0;

	if (!from->count)
		return 0;
	h->coarse |= from->coarse;
	for (__u64 left = from->used; !err && left; left &= left - 1) {
		unsigned i = __builtin_ctzll(left);

		err = merge_chunk(h, i, from->chunk[i]);
	}
	if (!err)
		add_totals(h, from->count, from->sum, from->min, from->max);
	return err;
}

void hist__free(struct hist *h)
{
	if (!h)
		return;
	for (__u64 left = h->used; left; left &= left - 1) {
		unsigned i = __builtin_ctzll(left);

		free(h->chunk[i]->carry);
		free(h->chunk[i]);
		h->chunk[i] = NULL;
	}
	memset(h, 0, offsetof(struct hist, chunk));
}

__u64 hist__mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}

int hist__next(const struct hist *h, unsigned *at, struct hist_bucket *b)
{
	for (unsigned i = *at; i < HIST_BUCKETS; i++) {
		const struct hist_chunk *c = h->chunk[i / HIST_SUB];

		if (!c) {
			i |= HIST_SUB - 1; /* on to the next chunk */
			continue;
		}
		b->count = counter(c, i % HIST_SUB);
		if (!b->count)
			continue;
		b->high = high_of(i);
		b->low = h->coarse ? kernel_low(b->high) : low_of(i);
		*at = i + 1;
		return 1;
	}
	return 0;
}

/* ceil(permille * count / 1000), from 1 */
static __u64 rank_of(const struct hist *h, unsigned permille)
{
	__u64 rank = ((unsigned __int128)h->count * permille + 999) / 1000;

	return rank ? rank : 1;
}

/* The values of one chunk. Loops that compilers vectorise: whole octaves are passed quickly. */
static __u64 chunk_sum(const struct hist_chunk *c)
{
	__u64 sum = 0, carry = 0;

	for (unsigned i = 0; i < HIST_SUB; i++)
		sum += c->cnt[i];
	for (unsigned i = 0; c->carry && i < HIST_SUB; i++)
		carry = add_sat(carry, c->carry[i]);
	return add_sat(sum, mul_sat(carry, 1ULL << 32));
}

/* Counts whole chunks while *seen stays below rank; returns the index of the bucket after them. */
static unsigned skip_chunks(const struct hist *h, __u64 rank, __u64 *seen)
{
	for (unsigned i = 0; i < HIST_CHUNKS; i++) {
		__u64 sum = h->chunk[i] ? add_sat(*seen, chunk_sum(h->chunk[i])) : *seen;

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
	unsigned end = hist__index(v), i;
	__u64 n = 0;

	if (!h->count || v >= h->max)
		return h->count;
	if (high_of(end) <= v) /* v < max: this is not the last bucket */
		end++;
	for (i = 0; i < end / HIST_SUB; i++)
		if (h->chunk[i])
			n = add_sat(n, chunk_sum(h->chunk[i]));
	for (unsigned b = i * HIST_SUB; h->chunk[i] && b < end; b++)
		n = add_sat(n, counter(h->chunk[i], b % HIST_SUB));
	return n;
}

/* One row: all buckets whose index, shifted, is r. */
static struct hist_bucket empty_row(unsigned r, unsigned shift)
{
	unsigned last = ((r + 1) << shift) - 1;

	if (last >= HIST_BUCKETS)
		last = HIST_BUCKETS - 1;
	return (struct hist_bucket){.low = low_of(r << shift), .high = high_of(last)};
}

unsigned hist__coarsen(const struct hist *h, struct hist_bucket *out, unsigned rows)
{
	unsigned first = hist__index(h->min), last = hist__index(h->max), n;
	unsigned shift = h->coarse ? HIST_SUB_BITS - 3 : 0; /* not finer than it is */
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
