// SPDX-License-Identifier: BSD-2-Clause
/* Limits on change (--fail-on): where the whole interval lies, on which side of the limit. */
#include <errno.h>
#include <stdlib.h>
#include "diff_parts.h"
#include "err.h"

enum diff_kind diff__limit_kind(const struct assertion_limit *l)
{
	if (assertion__permille(l->fn))
		return DIFF_QUANTILE;
	if (l->fn == FN_MEAN)
		return DIFF_MEAN;
	return l->fn == FN_SUM && l->measure->kinds != MEASURE_COUNT ? DIFF_SHARE : DIFF_RATE;
}

static int compare_limit(struct diff_making *mk, struct diff_limit *l, const struct profile_vm *x,
			 const struct profile_vm *y)
{
	enum diff_kind kind = diff__limit_kind(l->limit);
	unsigned i = diff__index_of(l->limit->measure);
	struct diff_sample a, b = {.s.cdf = NULL};
	int err = 0;

	l->why = x->absent[i] ?: y->absent[i];
	if (!l->why && kind == DIFF_QUANTILE && !(x->has_dist[i] && y->has_dist[i]))
		l->why = "needs --full and --loads";
	if (l->why)
		return 0;
	err = diff_sample__make(&a, mk->d->a, x, kind, i, NULL);
	if (!err)
		err = diff_sample__make(&b, mk->d->b, y, kind, i, NULL);
	a.s.permille = b.s.permille = assertion__permille(l->limit->fn);
	if (!err)
		resample__compare(mk->r, &a.s, &b.s, !l->limit->percent, &l->e);
	l->why = diff__lack_text(l->e.lack);
	diff_sample__free(&a);
	diff_sample__free(&b);
	return err;
}

/* A time's limit in the number's own unit: of a sum, a share; of a share, per second. */
static double limit_of(const struct diff_limit *l)
{
	if (l->limit->percent)
		return l->limit->value / 1e6;
	return diff__limit_kind(l->limit) == DIFF_SHARE ? l->limit->value / 1e9 : l->limit->value;
}

/* Where does the whole interval lie? */
static void judge_limit(struct diff *d, struct diff_limit *l, double critical)
{
	bool lost = d->a->lost || d->b->lost || d->a->damaged || d->b->damaged;
	double limit = limit_of(l), low, high;

	l->status = EXIT_INCONCLUSIVE;
	if (l->why)
		return;
	resample__interval(&l->e, critical);
	low = l->e.low;
	high = l->e.high;
	if (l->limit->percent && l->e.has_relative) {
		low = l->e.relative_low;
		high = l->e.relative_high;
	} else if (l->limit->percent) { /* any growth from nothing is more than N % */
		limit = 0;
	}
	if (l->limit->falls ? high < -limit : low > limit)
		l->status = EXIT_VIOLATED;
	else if (l->limit->falls ? low >= -limit : high <= limit)
		l->status = EXIT_FINE;
	if (lost) {
		l->status = EXIT_INCONCLUSIVE;
		l->why = "records are missing";
	}
}

int diff__judge_limits(struct diff_making *mk, const struct assertion_limit *limits, unsigned count)
{
	struct diff *d = mk->d;
	double critical;
	int err = 0;

	d->limit = calloc((size_t)count * (d->vms + 1) + 1, sizeof(*d->limit));
	if (!d->limit)
		return -ENOMEM;
	resample__open(mk->r);
	for (unsigned i = 0; i < count; i++) {
		unsigned groups = limits[i].by == SUMMARY_BY_VM ? d->vms : 1;

		for (unsigned j = 0; !err && j < groups; j++) {
			struct diff_limit *l = &d->limit[d->limits++];

			l->limit = &limits[i];
			l->vm = limits[i].by == SUMMARY_BY_VM ? &d->vm[j] : NULL;
			err = compare_limit(mk, l, l->vm ? l->vm->a : &d->a->all,
					    l->vm ? l->vm->b : &d->b->all);
		}
	}
	critical = resample__close(mk->r);
	for (unsigned i = 0; i < d->limits; i++)
		judge_limit(d, &d->limit[i], critical);
	return err;
}
