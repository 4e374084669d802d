// SPDX-License-Identifier: BSD-2-Clause
/*
 * All numbers of all VMs are one family, whose intervals hold together: so few recordings of one
 * workload seem to differ in anything at all. Limits were chosen beforehand by who set them; they
 * are a family of their own, with narrower intervals.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "diff.h"
#include "diff_parts.h"

#define TAKERS_SHOWN 8 /* of each recording */

#define LEAST_SHARE 0.001 /* of the time: what is less is not worth telling */
#define LEAST_RATE  0.05  /* per second */

/* ---- what is compared --------------------------------------------------------------------- */

/* The others say the same as one of these, or nothing about the VM. bad: more of it is worse. */
static const struct {
	const char *name;
	bool share, rate, dist;
	bool bad;
} compared[] = {
	{"running", .share = true},
	{"user", .share = true},
	{"on_or_user", .share = true},
	{"run_delay", .share = true, .dist = true, .bad = true},
	{"preempted", .share = true, .dist = true, .bad = true},
	{"halted", .share = true, .dist = true},
	{"sleeping", .share = true, .dist = true},
	{"absence", .dist = true},
	{"reload_cost", .dist = true, .bad = true},
	{"sched_put_cost", .dist = true, .bad = true},
	{"load_cost", .dist = true, .bad = true},
	{"put_cost", .dist = true, .bad = true},
	{"switches", .rate = true},
	{"migrations", .rate = true},
	{"loads", .rate = true},
};

#define COMPARED (sizeof(compared) / sizeof(*compared))

static const unsigned quantiles[] = {500, 900, 990, 999};

unsigned diff__index_of(const struct measure *wanted)
{
	const struct measure *m;
	unsigned i = 0;

	for (unsigned at = 0; (m = measure__next(&at)) && m != wanted;)
		i++;
	return i;
}

const char *diff__lack_text(enum resample_lack lack)
{
	switch (lack) {
	case RESAMPLE_NONE:
		return "no values";
	case RESAMPLE_BLOCKS:
		return "too short";
	case RESAMPLE_VALUES:
		return "too few values";
	default:
		return NULL;
	}
}

static bool repeats(const struct diff_line *l, const struct diff_line *earlier)
{
	bool alike = l->taker ? earlier->kind == DIFF_CLASS && l->kind == DIFF_TAKEN &&
					l->taker->by == earlier->taker->by
			      : l->kind == earlier->kind && l->permille == earlier->permille;

	return alike && l->e.a == earlier->e.a && l->e.b == earlier->e.b;
}

static int add_line(struct diff_vm *vm, const struct diff_line *line)
{
	struct diff_line *p = realloc(vm->line, (vm->lines + 1) * sizeof(*p));

	if (!p)
		return -ENOMEM;
	vm->line = p;
	p += vm->lines;
	*p = *line;
	p->order = vm->lines;
	for (unsigned i = 0; i < vm->lines; i++)
		p->repeats |= repeats(line, &vm->line[i]);
	vm->lines++;
	return 0;
}

static bool empty(const struct resample_effect *e)
{
	return (isnan(e->a) || e->a == 0) && (isnan(e->b) || e->b == 0);
}

static int compare_one(struct diff_making *mk, struct diff_line *line, const struct diff_sample *a,
		       const struct diff_sample *b)
{
	resample__compare(mk->r, &a->s, &b->s, false, &line->e);
	line->why = diff__lack_text(line->e.lack);
	/* what none of them has is no news */
	return empty(&line->e) && line->kind != DIFF_QUANTILE ? 0 : add_line(mk->vm, line);
}

/* A measure's share, rate or mean. */
static int compare_ratio(struct diff_making *mk, struct diff_line *line, unsigned measure)
{
	struct diff_sample a, b;
	int err = diff_sample__make(&a, mk->d->a, mk->vm->a, line->kind, measure, NULL);

	if (!err)
		err = diff_sample__make(&b, mk->d->b, mk->vm->b, line->kind, measure, NULL);
	return err ?: compare_one(mk, line, &a, &b);
}

static int compare_quantiles(struct diff_making *mk, struct diff_line *line, unsigned measure)
{
	struct diff_sample a, b = {.s.cdf = NULL};
	int err = diff_sample__make(&a, mk->d->a, mk->vm->a, DIFF_QUANTILE, measure, NULL);

	if (!err)
		err = diff_sample__make(&b, mk->d->b, mk->vm->b, DIFF_QUANTILE, measure, NULL);
	for (unsigned i = 0; !err && i < 4; i++) {
		line->permille = a.s.permille = b.s.permille = quantiles[i];
		if (a.cdf.rows || b.cdf.rows)
			err = compare_one(mk, line, &a, &b);
	}
	diff_sample__free(&a);
	diff_sample__free(&b);
	return err;
}

static int add_max(struct diff_making *mk, struct diff_line *line, unsigned measure)
{
	line->kind = DIFF_MAX;
	line->e = (struct resample_effect){.a = mk->vm->a->max_ns[measure],
					   .b = mk->vm->b->max_ns[measure],
					   .lack = RESAMPLE_VALUES};
	line->why = "a single value";
	return empty(&line->e) ? 0 : add_line(mk->vm, line);
}

static int compare_dist(struct diff_making *mk, struct diff_line *line, unsigned measure)
{
	int err;

	line->kind = DIFF_MEAN;
	err = compare_ratio(mk, line, measure);
	line->kind = DIFF_QUANTILE;
	if (!err && mk->vm->a->has_dist[measure] && mk->vm->b->has_dist[measure])
		err = compare_quantiles(mk, line, measure);
	return err ?: add_max(mk, line, measure);
}

static int compare_measure(struct diff_making *mk, unsigned row)
{
	const struct measure *m = measure__find(compared[row].name, strlen(compared[row].name));
	unsigned i = diff__index_of(m);
	struct diff_line line = {.measure = m, .worse = compared[row].bad};
	const char *a = mk->vm->a->absent[i], *b = mk->vm->b->absent[i];
	int err = 0;

	if (a && b)
		return 0;
	if (a || b) {
		line.kind = compared[row].dist	 ? DIFF_MEAN
			    : compared[row].rate ? DIFF_RATE
						 : DIFF_SHARE;
		line.e = (struct resample_effect){.a = NAN, .b = NAN, .lack = RESAMPLE_NONE};
		line.why = a ?: b;
		return add_line(mk->vm, &line);
	}
	line.kind = DIFF_SHARE;
	if (compared[row].share)
		err = compare_ratio(mk, &line, i);
	line.kind = DIFF_RATE;
	if (!err && compared[row].rate)
		err = compare_ratio(mk, &line, i);
	if (!err && compared[row].dist)
		err = compare_dist(mk, &line, i);
	return err;
}

static const struct profile_taker *find_taker(const struct profile_vm *vm,
					      const struct profile_taker *t)
{
	for (unsigned i = 0; i < vm->takers; i++)
		if (vm->taker[i].by == t->by && !strcmp(vm->taker[i].name, t->name))
			return &vm->taker[i];
	return NULL;
}

/* ta, tb: the same in both; one may be NULL. */
static int compare_shares_taken(struct diff_making *mk, enum diff_kind kind,
				const struct profile_taker *ta, const struct profile_taker *tb)
{
	struct diff_line line = {.kind = kind, .taker = ta ?: tb, .worse = true};
	struct diff_sample a, b;
	int err = diff_sample__make(&a, mk->d->a, mk->vm->a, kind, 0, ta);

	if (!err)
		err = diff_sample__make(&b, mk->d->b, mk->vm->b, kind, 0, tb);
	return err ?: compare_one(mk, &line, &a, &b);
}

static int compare_taker(struct diff_making *mk, const struct profile_taker *t)
{
	return compare_shares_taken(mk, DIFF_TAKEN, find_taker(mk->vm->a, t),
				    find_taker(mk->vm->b, t));
}

static int compare_classes(struct diff_making *mk)
{
	int err = 0;

	for (unsigned by = 0; !err && by < KS_BY_CNT; by++)
		if (mk->vm->a->by_class[by].sum_ns || mk->vm->b->by_class[by].sum_ns)
			err = compare_shares_taken(mk, DIFF_CLASS, &mk->vm->a->by_class[by],
						   &mk->vm->b->by_class[by]);
	return err;
}

/* Those who took most in one of them. */
static int compare_takers(struct diff_making *mk)
{
	const struct profile_vm *a = mk->vm->a, *b = mk->vm->b;
	int err = 0;

	for (unsigned i = 0; !err && i < a->takers && i < TAKERS_SHOWN; i++)
		err = compare_taker(mk, &a->taker[i]);
	for (unsigned i = 0; !err && i < b->takers && i < TAKERS_SHOWN; i++) {
		const struct profile_taker *same = find_taker(a, &b->taker[i]);

		if (!same || same - a->taker >= TAKERS_SHOWN)
			err = compare_taker(mk, &b->taker[i]);
	}
	return err;
}

/* How far the largest deviations go. Preemptors by their names are a family of their own: they are
 * only reasons for what the others show. */
struct families {
	double takers, measures;
};

/* ---- verdicts ----------------------------------------------------------------------------- */

static bool worth_telling(const struct diff *d, const struct diff_line *l)
{
	double change = fabs(l->e.change);

	if (l->e.has_relative && fabs(l->e.relative) < d->least)
		return false;
	if (diff__is_share(l->kind))
		return change >= LEAST_SHARE;
	return l->kind == DIFF_RATE ? change >= LEAST_RATE : change > 0;
}

static void judge_line(struct diff *d, struct diff_vm *vm, struct diff_line *l,
		       const struct families *f)
{
	bool bad = l->worse;

	l->worse = false;
	if (l->why) {
		l->verdict = DIFF_UNKNOWN;
		vm->unknown += l->kind != DIFF_MAX;
		return;
	}
	d->decided++;
	resample__interval(&l->e, l->kind == DIFF_TAKEN ? f->takers : f->measures);
	if ((l->e.low <= 0 && l->e.high >= 0) || !worth_telling(d, l))
		return;
	l->verdict = l->e.change > 0 ? DIFF_ROSE : DIFF_FELL;
	l->worse = bad && l->verdict == DIFF_ROSE;
	l->better = bad && l->verdict == DIFF_FELL;
	vm->changed++;
	d->changed++;
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* The clearest change first, then what was decided, in the catalogue's order. */
static int clearest(const void *a, const void *b)
{
	const struct diff_line *x = a, *y = b;
	bool p = x->verdict == DIFF_ROSE || x->verdict == DIFF_FELL;
	bool q = y->verdict == DIFF_ROSE || y->verdict == DIFF_FELL;
	double s, t;

	if (p != q)
		return p ? -1 : 1;
	if (!p)
		return x->order < y->order ? -1 : x->order > y->order;
	s = fabs(x->e.delta) / (x->e.se * x->e.needed);
	t = fabs(y->e.delta) / (y->e.se * y->e.needed);
	return s > t ? -1 : s < t;
}

/* Is the line what the taker would be the reason for? */
static bool explained_by(const struct diff_line *l, const struct profile_taker *t)
{
	if (l->kind == DIFF_CLASS)
		return l->taker->by == t->by;
	return l->measure &&
	       (!strcmp(l->measure->name, "run_delay") || !strcmp(l->measure->name, "preempted"));
}

static bool is_reason(const struct diff_vm *vm, const struct diff_line *taker)
{
	for (unsigned i = 0; i < vm->lines; i++)
		if (vm->line[i].verdict == taker->verdict &&
		    explained_by(&vm->line[i], taker->taker))
			return true;
	return false;
}

/* Which of several takes the CPU changes by chance, and for long. It matters where the VM's wait
 * for CPUs, or what the like of it took, changes with it: then it is the reason. */
static void forget_takers(struct diff *d, struct diff_vm *vm)
{
	for (unsigned i = 0; i < vm->lines; i++) {
		struct diff_line *l = &vm->line[i];

		if (l->kind != DIFF_TAKEN || l->verdict == DIFF_SAME ||
		    l->verdict == DIFF_UNKNOWN || is_reason(vm, l))
			continue;
		l->verdict = DIFF_SAME;
		l->worse = l->better = false;
		vm->changed--;
		d->changed--;
	}
}

static void judge(struct diff *d, const struct families *f)
{
	for (unsigned i = 0; i < d->vms; i++) {
		struct diff_vm *vm = &d->vm[i];

		for (unsigned j = 0; j < vm->lines; j++)
			judge_line(d, vm, &vm->line[j], f);
		forget_takers(d, vm);
		if (vm->lines)
			qsort(vm->line, vm->lines, sizeof(*vm->line), clearest);
	}
}

static int compare_measures(struct diff_making *mk)
{
	int err = 0;

	for (unsigned row = 0; !err && row < COMPARED; row++)
		err = compare_measure(mk, row);
	return err ?: compare_classes(mk);
}

/* One family, over all VMs. */
static int compare_all(struct diff_making *mk, int (*compare)(struct diff_making *mk),
		       double *critical)
{
	int err = 0;

	resample__open(mk->r);
	for (unsigned i = 0; !err && i < mk->d->vms; i++) {
		mk->vm = &mk->d->vm[i];
		err = compare(mk);
	}
	*critical = resample__close(mk->r);
	return err;
}

int diff__make(struct diff *d, const struct profile *a, const struct profile *b,
	       const char *const *pairs, double least, __u64 seed,
	       const struct assertion_limit *limits, unsigned count)
{
	struct diff_making mk = {.d = d, .r = resample__new(a->blocks, b->blocks, seed)};
	struct families f;
	int err;

	*d = (struct diff){.a = a, .b = b, .least = least};
	if (!mk.r)
		return -ENOMEM;
	err = diff__pair_vms(d, pairs);
	err = err ?: compare_all(&mk, compare_measures, &f.measures);
	err = err ?: compare_all(&mk, compare_takers, &f.takers);
	if (!err)
		judge(d, &f);
	err = err ?: diff__judge_limits(&mk, limits, count);
	resample__free(mk.r);
	return err;
}

void diff__free(struct diff *d)
{
	for (unsigned i = 0; i < d->vms; i++)
		free(d->vm[i].line);
	free(d->vm);
	free(d->only_a);
	free(d->only_b);
	free(d->limit);
	*d = (struct diff){.a = NULL};
}
