// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each row remembers the column it was in last: most spans are much shorter than a column, and
 * follow each other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "timeline.h"

#define FIRST_WIDTH_NS 1000 /* where the window's end is not known */

void timeline__init(struct timeline *t, const struct timeline_opts *opts)
{
	memset(t, 0, sizeof(*t));
	t->opts = *opts;
	if (!t->opts.columns)
		t->opts.columns = 1;
}

void timeline__begin(struct timeline *t, __u64 from_ns, __u64 to_ns)
{
	unsigned n = t->opts.columns;

	t->from_ns = from_ns;
	t->to_ns = to_ns;
	t->width_ns = FIRST_WIDTH_NS;
	if (to_ns != ~0ULL && to_ns > from_ns)
		t->width_ns = (to_ns - from_ns - 1) / n + 1;
}

void timeline__free(struct timeline *t)
{
	for (unsigned i = 0; i < t->rows; i++)
		free(t->row[i].column);
	free(t->row);
	free(t->wide);
	free(t->index);
	memset(t, 0, sizeof(*t));
}

/* Room for one more of `size` bytes. */
static void *grow(void *array, unsigned used, unsigned *room, size_t size)
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

/* ---- rows --------------------------------------------------------------------------------- */

/* The slot of an id, which are small and dense. */
static __u32 *index_of(struct timeline *t, __u32 id)
{
	__u32 n = t->indexes ?: 64;
	__u32 *p;

	while (n <= id)
		n *= 2;
	if (n != t->indexes) {
		p = realloc(t->index, n * sizeof(*p));
		if (!p)
			return NULL;
		memset(p + t->indexes, 0, (n - t->indexes) * sizeof(*p));
		t->index = p;
		t->indexes = n;
	}
	return &t->index[id];
}

static struct timeline_row *row_of(struct timeline *t, const struct model_vcpu *v)
{
	__u32 *slot = index_of(t, v->id);
	struct timeline_column *column;
	struct timeline_row *row;

	if (!slot)
		return NULL;
	if (*slot)
		return &t->row[*slot - 1];
	row = grow(t->row, t->rows, &t->row_room, sizeof(*row));
	if (!row)
		return NULL;
	t->row = row;
	column = calloc(t->opts.columns, sizeof(*column));
	if (!column)
		return NULL;
	row = &t->row[t->rows++];
	*row = (struct timeline_row){.v = v, .id = v->id, .column = column};
	*slot = t->rows;
	return row;
}

/* ---- columns ------------------------------------------------------------------------------ */

static void add(struct timeline_column *to, const struct timeline_column *c)
{
	for (int i = 0; i < ST_CNT; i++)
		to->ns[i] += c->ns[i];
	to->woken_ns += c->woken_ns;
}

static bool is_wide(const struct timeline *t, const struct timeline_absence *a)
{
	return t->opts.wide && a->to - a->from >= t->width_ns * t->opts.wide;
}

/* Those that have become too narrow are forgotten. */
static void sift(struct timeline *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->wides; i++)
		if (is_wide(t, &t->wide[i]))
			t->wide[n++] = t->wide[i];
	t->wides = n;
}

/* Joins each `k` columns of the first n. */
static void join(struct timeline *t, unsigned n, unsigned k)
{
	for (unsigned r = 0; r < t->rows; r++) {
		struct timeline_column *c = t->row[r].column;

		for (unsigned i = 0; i < n; i++) {
			struct timeline_column one = c[i];

			memset(&c[i], 0, sizeof(one));
			add(&c[i / k], &one);
		}
		t->row[r].at_to = 0;
	}
	t->width_ns *= k;
	sift(t);
}

/* Makes columns wider until `to` lies in the last one or before. */
static void reach(struct timeline *t, __u64 to)
{
	while ((to - t->from_ns - 1) / t->width_ns >= t->opts.columns)
		join(t, t->opts.columns, 2);
}

static void enter(struct timeline *t, struct timeline_row *r, __u64 ts)
{
	r->at = (ts - t->from_ns) / t->width_ns;
	r->at_from = t->from_ns + r->at * t->width_ns;
	r->at_to = r->at_from + t->width_ns;
}

/* Where in a span its user time was is not known: everywhere, in proportion; nothing of it is lost
 * to rounding. */
static void fill(struct timeline *t, struct timeline_row *r, const struct span *s)
{
	__u64 at = s->from, end, user, told = 0;

	if (at < r->at_from || at >= r->at_to)
		enter(t, r, at);
	for (; at < s->to; at = end) {
		if (at >= r->at_to)
			enter(t, r, at);
		end = s->to < r->at_to ? s->to : r->at_to;
		user = 0;
		if (s->user_ns)
			user = (unsigned __int128)s->user_ns * (end - s->from) / (s->to - s->from) -
			       told;
		told += user;
		r->column[r->at].ns[s->state] += end - at - user;
		r->column[r->at].ns[ST_USER] += user;
	}
}

/* It had been woken in [from, to), and waited. */
static void fill_woken(struct timeline *t, struct timeline_row *r, __u64 from, __u64 to)
{
	__u64 end;

	if (to > t->to_ns)
		to = t->to_ns;
	if (from < t->from_ns)
		from = t->from_ns;
	if (from >= to)
		return;
	reach(t, to);
	for (; from < to; from = end) {
		__u64 c = (from - t->from_ns) / t->width_ns;

		end = t->from_ns + (c + 1) * t->width_ns;
		end = end < to ? end : to;
		r->column[c].woken_ns += end - from;
	}
}

/* ---- absences ----------------------------------------------------------------------------- */

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

static int keep_wide(struct timeline *t, const struct model_vcpu *v, const struct span *s,
		     const struct absence *a, const struct model_task *task)
{
	struct timeline_absence d = {.from = s->from, .to = s->to}, *wide;

	if (!is_wide(t, &d))
		return 0;
	d = describe(v, s->state, a, task);
	d.from = s->from;
	d.to = s->to;
	if (d.a.to < s->to) { /* it has not ended, or its end was lost */
		d.a.to = s->to;
		d.a.open = true;
	}
	wide = grow(t->wide, t->wides, &t->wide_room, sizeof(*wide));
	if (!wide)
		return -ENOMEM;
	t->wide = wide;
	t->wide[t->wides++] = d;
	return 0;
}

int timeline__span(void *timeline, struct model_vcpu *v, const struct span *s,
		   const struct absence *a, const struct model_task *task)
{
	struct timeline *t = timeline;
	struct timeline_row *r = row_of(t, v);
	struct span cut = *s;

	if (!r)
		return -ENOMEM;
	if (cut.from < t->from_ns)
		cut.from = t->from_ns;
	if (cut.from >= cut.to)
		return 0;
	reach(t, cut.to);
	fill(t, r, &cut);
	return away(cut.state) && a ? keep_wide(t, v, &cut, a, task) : 0;
}

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
	for (; i && waits_longer(d, &t->worst[i - 1]); i--)
		t->worst[i] = t->worst[i - 1];
	t->worst[i] = *d;
	if (t->worsts < TIMELINE_WORST)
		t->worsts++;
}

int timeline__absence(void *timeline, struct model_vcpu *v, const struct absence *a,
		      const struct model_task *task)
{
	struct timeline *t = timeline;
	struct timeline_row *r = row_of(t, v);
	struct timeline_absence d = describe(v, state__of_reason(a->reason), a, task);

	if (!r)
		return -ENOMEM;
	d.from = a->from > t->from_ns ? a->from : t->from_ns;
	d.to = a->to < t->to_ns ? a->to : t->to_ns;
	if (lasts_longer(&d, &r->absence))
		r->absence = d;
	if (!a->has_run_delay || !a->run_delay_ns || a->to - a->run_delay_ns >= t->to_ns)
		return 0;
	if (d.state != ST_PREEMPTED)
		fill_woken(t, r, a->to - a->run_delay_ns, a->to);
	if (waits_longer(&d, &r->delay))
		r->delay = d;
	keep_worst(t, &d);
	return 0;
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

/* Returns how many are left: those of rows that exist. */
static unsigned settle_list(struct timeline *t, struct timeline_absence *list, unsigned n,
			    const struct model *m)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!t->index[list[i].v->id])
			continue;
		list[left] = list[i];
		settle(t, &list[left++], m);
	}
	return left;
}

static int by_row_and_time(const void *a, const void *b)
{
	const struct timeline_absence *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static void settle_all(struct timeline *t, const struct model *m)
{
	for (unsigned i = 0; i < t->rows; i++) {
		if (t->row[i].delay.v)
			settle(t, &t->row[i].delay, m);
		if (t->row[i].absence.v)
			settle(t, &t->row[i].absence, m);
	}
	t->worsts = settle_list(t, t->worst, t->worsts, m);
	t->wides = settle_list(t, t->wide, t->wides, m);
	if (t->wides)
		qsort(t->wide, t->wides, sizeof(*t->wide), by_row_and_time);
}

static void deal_wide(struct timeline *t)
{
	for (unsigned i = 0; i < t->rows; i++)
		t->row[i].wide = 0;
	for (unsigned i = t->wides; i-- > 0;) {
		t->row[t->wide[i].row].first_wide = i;
		t->row[t->wide[i].row].wide++;
	}
}

static void count_columns(struct timeline *t)
{
	t->columns = t->to_ns > t->from_ns ? (t->to_ns - t->from_ns - 1) / t->width_ns + 1 : 0;
}

/* Rows in the summary's order; those of vCPUs that had no span are empty. What the summary does not
 * know, which a damaged recording may bring, is forgotten. */
static int sort_rows(struct timeline *t, const struct summary *s)
{
	struct timeline_row *sorted = calloc(s->vcpus + 1, sizeof(*sorted));
	int err = sorted ? 0 : -ENOMEM;

	for (unsigned i = 0; !err && i < s->vcpus; i++)
		err = row_of(t, s->vcpu[i].v) ? 0 : -ENOMEM;
	if (err) {
		free(sorted);
		return err;
	}
	for (unsigned i = 0; i < s->vcpus; i++) {
		struct timeline_row *r = &t->row[t->index[s->vcpu[i].v->id] - 1];

		sorted[i] = *r;
		r->column = NULL;
	}
	for (unsigned i = 0; i < t->rows; i++) {
		t->index[t->row[i].id] = 0;
		free(t->row[i].column);
	}
	for (unsigned i = 0; i < s->vcpus; i++)
		t->index[sorted[i].id] = i + 1;
	free(t->row);
	t->row = sorted;
	t->rows = s->vcpus;
	t->row_room = s->vcpus + 1;
	return 0;
}

int timeline__finish(struct timeline *t, const struct summary *s)
{
	int err = sort_rows(t, s);

	if (err)
		return err;
	t->to_ns = s->to_ns;
	if (t->to_ns > t->from_ns)
		reach(t, t->to_ns);
	count_columns(t);
	settle_all(t, s->model);
	deal_wide(t);
	return 0;
}

void timeline__coarsen(struct timeline *t, unsigned columns)
{
	if (t->columns <= columns || !columns)
		return;
	join(t, t->columns, (t->columns - 1) / columns + 1);
	count_columns(t);
	deal_wide(t);
}

/* ---- for those who draw ------------------------------------------------------------------- */

__u64 timeline__edge(const struct timeline *t, unsigned c)
{
	return c < t->columns ? t->from_ns + c * t->width_ns : t->to_ns;
}
