// SPDX-License-Identifier: BSD-2-Clause
/* See diff_sample.h. */
#include <errno.h>
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

int diff_sample__make(struct diff_sample *out, const struct profile_vm *vm, unsigned blocks,
		      enum diff_kind kind, unsigned measure, const struct profile_taker *t)
{
	memset(out, 0, sizeof(*out));
	if (kind == DIFF_QUANTILE) {
		out->s.cdf = &out->cdf;
		return make_cdf(&out->cdf, vm, blocks, measure);
	}
	out->s.num = out->num;
	out->s.den = out->den;
	for (unsigned b = 0; b < blocks; b++) {
		const struct profile_part *p = &vm->block[b];

		out->den[b] = kind == DIFF_MEAN ? p->dist[measure].count : p->known_ns;
		out->num[b] = kind != DIFF_TAKEN ? numerator(p, kind, measure)
			      : t		 ? t->time_ns[b]
						 : 0;
	}
	return 0;
}

void diff_sample__free(struct diff_sample *s)
{
	free(s->cdf.value);
	free(s->cdf.below);
}
