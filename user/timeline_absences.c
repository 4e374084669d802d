// SPDX-License-Identifier: BSD-2-Clause
/* The layout's absences that are kept one by one: those that are wide, and the longest of each row
 * and of all. See timeline.h. */
#include <errno.h>
#include <stdlib.h>
#include "timeline_parts.h"

void *timeline_parts__grow(void *array, unsigned used, unsigned *room, size_t size)
{
	unsigned more = *room ? *room * 2 : 16;
	void *p;

	if (used < *room)
		return array;
	p = realloc(array, more * size);
	if (p)
		*room = more;
	return p;
}

/* ---- those that are wide ------------------------------------------------------------------- */

static bool away(enum state s)
{
	return s == ST_PREEMPTED || s == ST_HALTED || s == ST_SLEEPING;
}

static struct timeline_absence describe(const struct model_vcpu *v, enum state state,
					const struct absence *a, const struct model_task *task)
{
	struct timeline_absence d = {.v = v, .state = state, .a = *a};

	if (task) {
		d.introduced = true;
		d.task = *task;
	}
	return d;
}

static bool is_wide(const struct timeline *t, const struct timeline_absence *a)
{
	return t->opts.wide && a->to - a->from >= t->width_ns * t->opts.wide;
}

void timeline_absences__sift(struct timeline *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->wides; i++)
		if (is_wide(t, &t->wide[i]))
			t->wide[n++] = t->wide[i];
	t->wides = n;
}

int timeline_absences__span(struct timeline *t, const struct model_vcpu *v, const struct span *s,
			    const struct absence *a, const struct model_task *task)
{
	struct timeline_absence d = {.from = s->from, .to = s->to}, *wide;

	if (!away(s->state) || !is_wide(t, &d))
		return 0;
	d = describe(v, s->state, a, task);
	d.from = s->from;
	d.to = s->to;
	if (d.a.to < s->to) { /* it has not ended, or its end was lost */
		d.a.to = s->to;
		d.a.open = true;
	}
	wide = timeline_parts__grow(t->wide, t->wides, &t->wide_room, sizeof(*wide));
	if (!wide)
		return -ENOMEM;
	t->wide = wide;
	t->wide[t->wides++] = d;
	return 0;
}

/* ---- the longest --------------------------------------------------------------------------- */

static bool longer(__u64 x, __u64 x_from, __u64 y, __u64 y_from)
{
	return x > y || (x == y && x_from < y_from);
}

static bool waits_longer(const struct timeline_absence *x, const struct timeline_absence *y)
{
	return !y->v || longer(x->a.run_delay_ns, x->a.from, y->a.run_delay_ns, y->a.from);
}

static bool lasts_longer(const struct timeline_absence *x, const struct timeline_absence *y)
{
	return !y->v || longer(x->a.to - x->a.from, x->a.from, y->a.to - y->a.from, y->a.from);
}

static void keep_worst(struct timeline *t, const struct timeline_absence *d)
{
	unsigned i = t->worsts;

	if (i == TIMELINE_WORST && !waits_longer(d, &t->worst[--i]))
		return;
	for (; i && waits_longer(d, &t->worst[i - 1]); i--) {
		t->worst[i] = t->worst[i - 1];
		t->meanwhile[i] = t->meanwhile[i - 1];
	}
	t->worst[i] = *d;
	if (t->worsts < TIMELINE_WORST)
		t->worsts++;
	timeline_meanwhile__look(t, i);
}

void timeline_absences__ended(struct timeline *t, struct timeline_row *r, const struct absence *a,
			      const struct model_task *task)
{
	struct timeline_absence d = describe(r->v, state__of_reason(a->reason), a, task);

	d.from = a->from > t->from_ns ? a->from : t->from_ns;
	d.to = a->to < t->to_ns ? a->to : t->to_ns;
	if (lasts_longer(&d, &r->absence))
		r->absence = d;
	if (!a->has_run_delay || !a->run_delay_ns || a->to - a->run_delay_ns >= t->to_ns)
		return;
	if (waits_longer(&d, &r->delay))
		r->delay = d;
	keep_worst(t, &d);
}

/* ---- finishing ---------------------------------------------------------------------------- */

/* Absences' tasks are as they were then; a descriptor may have come late, and told more. */
static void settle(struct timeline *t, struct timeline_absence *d, const struct model *m)
{
	const struct model_task *now;

	d->row = t->index[d->v->id] - 1;
	if (d->a.by == KS_BY_NONE || !m)
		return;
	now = model__task(m, d->a.next_tid);
	if (now && (!d->introduced || now->start_ns == d->task.start_ns)) {
		d->task = *now;
		d->introduced = true;
	}
}

/* Those of rows that do not exist go. */
static void settle_worst(struct timeline *t, const struct model *m)
{
	unsigned left = 0;

	for (unsigned i = 0; i < t->worsts; i++) {
		if (!t->index[t->worst[i].v->id])
			continue;
		t->worst[left] = t->worst[i];
		t->meanwhile[left] = t->meanwhile[i];
		settle(t, &t->worst[left++], m);
	}
	t->worsts = left;
}

static void settle_wide(struct timeline *t, const struct model *m)
{
	unsigned left = 0;

	for (unsigned i = 0; i < t->wides; i++) {
		if (!t->index[t->wide[i].v->id])
			continue;
		t->wide[left] = t->wide[i];
		settle(t, &t->wide[left++], m);
	}
	t->wides = left;
}

static int by_row_and_time(const void *a, const void *b)
{
	const struct timeline_absence *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

void timeline_absences__settle(struct timeline *t, const struct model *m)
{
	for (unsigned i = 0; i < t->rows; i++) {
		if (t->row[i].delay.v)
			settle(t, &t->row[i].delay, m);
		if (t->row[i].absence.v)
			settle(t, &t->row[i].absence, m);
	}
	settle_worst(t, m);
	settle_wide(t, m);
	if (t->wides)
		qsort(t->wide, t->wides, sizeof(*t->wide), by_row_and_time);
}

void timeline_absences__deal(struct timeline *t)
{
	for (unsigned i = 0; i < t->rows; i++)
		t->row[i].wide = 0;
	for (unsigned i = t->wides; i-- > 0;) {
		t->row[t->wide[i].row].first_wide = i;
		t->row[t->wide[i].row].wide++;
	}
}
