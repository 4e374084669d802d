// SPDX-License-Identifier: BSD-2-Clause
/* See diff_sample.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "diff_sample.h"

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The tops of all blocks' buckets, each once; the last one of all is the maximum. */
static int find_rows(struct resample_cdf *c, const struct profile_vm *vm, unsigned blocks,
		     unsigned measure)
{
	unsigned n = 0, rows = 0;

	for (unsigned b = 0; b < blocks; b++)
		n += vm->block[b].dist[measure].buckets;
	c->value = malloc((n + 1) * sizeof(*c->value));
	if (!c->value)
		return -ENOMEM;
	n = 0;
	for (unsigned b = 0; b < blocks; b++) {
		const struct profile_dist *d = &vm->block[b].dist[measure];

		for (unsigned i = 0; i < d->buckets; i++)
			c->value[n++] = d->bucket[i].high;
	}
	qsort(c->value, n, sizeof(*c->value), ascending);
	for (unsigned i = 0; i < n; i++)
		if (!rows || c->value[i] != c->value[rows - 1])
			c->value[rows++] = c->value[i];
	c->rows = rows;
	return 0;
}

static int make_cdf(struct resample_cdf *c, const struct profile_vm *vm, unsigned blocks,
		    unsigned measure)
{
	int err = find_rows(c, vm, blocks, measure);

	if (err)
		return err;
	c->below = calloc((size_t)c->rows * blocks + 1, sizeof(*c->below));
	if (!c->below)
		return -ENOMEM;
	for (unsigned b = 0; b < blocks; b++) {
		const struct profile_dist *d = &vm->block[b].dist[measure];
		__u32 sum = 0;

		for (unsigned row = 0, i = 0; row < c->rows; row++) {
			while (i < d->buckets && d->bucket[i].high <= c->value[row])
				sum += d->bucket[i++].count;
			c->below[(size_t)row * blocks + b] = sum;
		}
	}
	if (c->rows && c->value[c->rows - 1] > vm->max_ns[measure])
		c->value[c->rows - 1] = vm->max_ns[measure];
	return 0;
}

static double numerator(const struct profile_part *p, enum diff_kind kind, unsigned measure)
{
	switch (kind) {
	case DIFF_SHARE:
		return p->time_ns[measure];
	case DIFF_RATE: /* of a distribution: of its values */
		return 1e9 * (p->count[measure] ?: p->dist[measure].count);
	default:
		return p->dist[measure].sum_ns;
	}
}

/* ---- drift -------------------------------------------------------------------------------- */

/*
 * Hosts and guests have habits: who shares a CPU with whom, which of two modes a guest is in. They
 * last for seconds, so a recording of seconds knows nothing of them, and two recordings of one and
 * the same thing differ by them. Measured on recordings of one workload for a minute, busy and less
 * busy machines (tests/check-diff): windows of 2 s differ, beyond what their blocks explain, by a
 * standard deviation of
 *
 *   shares of the time in a state    up to 0.09 sqrt(p (1 - p)): 4 points at 50 %
 *   shares of those who took it      up to 0.24 sqrt(p (1 - p)): habits are mostly who takes turns
 *   means, rates                     up to 26 %
 *   quantiles                        next to nothing where values are dense; but from one mode to
 *                                    the other, fourfold, where the share of either wanders by 10
 *                                    points: so it is the share beyond that drifts
 *
 * and those of 20 s by half to a fourth of that. Verdicts need more than three standard deviations,
 * so somewhat less than the largest of them all is enough to keep 100 pairs of one workload quiet.
 * Throttling by a quota does not take turns: it is like a state.
 */
#define DRIFT_STATE 0.07
#define DRIFT_OTHER 0.2
#define DRIFT_NS    5e9 /* habits last as long */

double diff_sample__fades(__u64 length_ns)
{
	return 1 / (1 + length_ns / DRIFT_NS);
}

/* A preemptor by its name is only a reason for what has changed anyway. */
static double drift_of(enum diff_kind kind, const struct profile_taker *t)
{
	bool turns = kind == DIFF_CLASS && t && t->by != KS_BY_QUOTA;

	return diff__is_share(kind) && !turns ? DRIFT_STATE : DRIFT_OTHER;
}

/* ---- blocks ------------------------------------------------------------------------------- */

int diff_sample__make(struct diff_sample *out, const struct profile *p, const struct profile_vm *vm,
		      enum diff_kind kind, unsigned measure, const struct profile_taker *t)
{
	unsigned blocks = p->blocks;

	memset(out, 0, sizeof(*out));
	out->s.drift = drift_of(kind, t) * sqrt(diff_sample__fades(p->to_ns - p->from_ns));
	out->s.share = diff__is_share(kind);
	if (kind == DIFF_QUANTILE) {
		out->s.cdf = &out->cdf;
		return make_cdf(&out->cdf, vm, blocks, measure);
	}
	out->s.num = out->num;
	out->s.den = out->den;
	for (unsigned b = 0; b < blocks; b++) {
		const struct profile_part *part = &vm->block[b];

		out->den[b] = kind == DIFF_MEAN ? part->dist[measure].count : part->known_ns;
		if (kind == DIFF_CLASS || kind == DIFF_TAKEN)
			out->num[b] = t ? t->time_ns[b] : 0;
		else
			out->num[b] = numerator(part, kind, measure);
	}
	return 0;
}

void diff_sample__free(struct diff_sample *s)
{
	free(s->cdf.value);
	free(s->cdf.below);
}
