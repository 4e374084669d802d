// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each row remembers the column it was in last: most spans are much shorter than a column, and
 * follow each other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "by_id.h"
#include "timeline_parts.h"

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
	free(t->vm);
	timeline_meanwhile__free(t);
	free(t->index);
	memset(t, 0, sizeof(*t));
}

/* ---- rows --------------------------------------------------------------------------------- */

static struct timeline_row *row_of(struct timeline *t, const struct model_vcpu *v)
{
	__u32 *slot = by_id__at(&t->index, &t->indexes, sizeof(*slot), v->id);
	struct timeline_column *column;
	struct timeline_row *row;

	if (!slot)
		return NULL;
	if (*slot)
		return &t->row[*slot - 1];
	row = timeline_parts__grow(t->row, t->rows, &t->row_room, sizeof(*row));
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
	timeline_absences__sift(t);
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

/* ---- spans ---------------------------------------------------------------------------------- */

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
	if (timeline_meanwhile__ran(t, v, &cut))
		return -ENOMEM;
	return a ? timeline_absences__span(t, v, &cut, a, task) : 0;
}

int timeline__absence(void *timeline, struct model_vcpu *v, const struct absence *a,
		      const struct model_task *task)
{
	struct timeline *t = timeline;
	struct timeline_row *r = row_of(t, v);

	if (!r)
		return -ENOMEM;
	if (a->has_run_delay && state__of_reason(a->reason) != ST_PREEMPTED)
		fill_woken(t, r, a->to - a->run_delay_ns, a->to);
	timeline_absences__ended(t, r, a, task);
	return 0;
}

/* ---- finishing ---------------------------------------------------------------------------- */

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
	timeline_absences__settle(t, s->model);
	timeline_absences__deal(t);
	timeline_meanwhile__settle(t, s);
	return timeline_known__init(t, s);
}

void timeline__coarsen(struct timeline *t, unsigned columns)
{
	if (t->columns <= columns || !columns)
		return;
	join(t, t->columns, (t->columns - 1) / columns + 1);
	count_columns(t);
	timeline_absences__deal(t);
}

/* ---- for those who draw ------------------------------------------------------------------- */

__u64 timeline__edge(const struct timeline *t, unsigned c)
{
	return c < t->columns ? t->from_ns + c * t->width_ns : t->to_ns;
}
