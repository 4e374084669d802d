// SPDX-License-Identifier: BSD-2-Clause
/* From an interval's summary to rows: which vCPUs, put together how, in which order. */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include "by_id.h"
#include "measure.h"
#include "top.h"

const char *const top_sort_names[TOP_SORTS] = {
	[TOP_BY_DELAY] = "delay",     [TOP_BY_P99] = "p99",
	[TOP_BY_MAX] = "max",	      [TOP_BY_PREEMPTED] = "preempted",
	[TOP_BY_RUNNING] = "running", [TOP_BY_SWITCHES] = "switches",
	[TOP_BY_SINCE] = "since",     [TOP_BY_NAME] = "name",
};
const char *const top_group_names[TOP_GROUPS] = {
	[TOP_VCPUS] = "vcpu", [TOP_VMS] = "vm", [TOP_CPUS] = "cpu"};

void top__init(struct top *t)
{
	memset(t, 0, sizeof(*t));
}

static void drop_rows(struct top *t)
{
	for (unsigned i = 0; i < t->group_sums; i++)
		summary__free_vcpu(&t->group_sum[i]);
	free(t->group_sum);
	free(t->row);
	t->group_sum = NULL;
	t->row = NULL;
	t->group_sums = t->rows = 0;
}

static void drop_interval(struct top *t)
{
	drop_rows(t);
	matrix__free(&t->takers);
	free(t->now);
	t->now = NULL;
	summary__free(&t->sum);
	t->have = false;
}

void top__free(struct top *t)
{
	drop_interval(t);
	for (__u32 i = 0; i < t->past_room; i++)
		free(t->past[i]);
	free(t->past);
	memset(t, 0, sizeof(*t));
}

/* ---- what is remembered ------------------------------------------------------------------- */

static struct top_past *past_of(struct top *t, __u32 id)
{
	struct top_past **at = by_id__at(&t->past, &t->past_room, sizeof(*at), id);

	if (at && !*at)
		*at = calloc(1, sizeof(**at));
	return at ? *at : NULL;
}

int top__span(struct top *t, const struct model_vcpu *v, const struct span *s)
{
	struct top_past *p = past_of(t, v->id);

	if (!p)
		return -ENOMEM;
	if (!p->to_ns || p->state != s->state || p->to_ns != s->from) {
		p->state = s->state;
		p->since_ns = s->from;
	}
	p->to_ns = s->to;
	return 0;
}

int top__absence(struct top *t, const struct model_vcpu *v, const struct absence *a,
		 const struct model_task *task)
{
	struct top_past *p = a->open ? NULL : past_of(t, v->id);
	struct top_absence *l;

	if (a->open)
		return 0;
	if (!p)
		return -ENOMEM;
	if (a->whole && a->has_run_delay && a->run_delay_ns > p->max_ns) {
		p->max_ns = a->run_delay_ns;
		p->max_at_ns = a->to;
	}
	if (!t->keep_past)
		return 0;
	l = &p->last[p->absences++ % TOP_LAST];
	*l = (struct top_absence){.a = *a, .vm = task ? task->vm : a->next_vm};
	if (task) {
		l->tgid = task->tgid;
		memcpy(l->comm, task->comm, sizeof(l->comm));
	}
	return 0;
}

void top__skip(struct top *t)
{
	for (__u32 i = 0; i < t->past_room; i++)
		if (t->past[i])
			t->past[i]->max_ns = 0;
}

/* ---- an interval -------------------------------------------------------------------------- */

static struct top_now now_of(const struct top *t, const struct summary_vcpu *sum)
{
	const struct model_vcpu *m = sum->v;
	const struct top_past *p = m->id < t->past_room ? t->past[m->id] : NULL;
	const struct vcpu *v = &m->v;
	struct top_now n = {.state = v->state, .since_ns = v->since, .cpu = v->cpu};

	if (p && p->max_ns && p->max_ns == sum->run_delay.max)
		n.max_at_ns = p->max_at_ns;
	if (v->state == ST_UNKNOWN && v->fresh && !v->snapped)
		n.cpu = VCPU_NO_CPU;
	if (m->created_ns > t->sum.to_ns)
		n.state = ST_ABSENT;
	else if (v->state == ST_PREEMPTED || v->state == ST_HALTED || v->state == ST_SLEEPING)
		n.since_ns = v->out.from;
	else if (p && p->state == v->state && p->to_ns == v->since)
		n.since_ns = p->since_ns;
	if (n.since_ns > t->sum.to_ns)
		n.since_ns = t->sum.to_ns;
	if (t->sum.by_cpu && n.state < ST_ABSENT && !filter__cpu(t->sum.filter, n.cpu))
		n.state = ST_ELSEWHERE;
	return n;
}

int top__tick(struct top *t, struct tick *tick)
{
	drop_interval(t);
	t->sum = *tick->summary;
	memset(tick->summary, 0, sizeof(*tick->summary));
	t->tick = *tick;
	t->tick.summary = NULL;
	t->have = true;
	t->named = session__names_takers(t->sum.session->mode);
	if (!t->raw && top__join_quota(&t->sum))
		return -ENOMEM;
	t->now = calloc(t->sum.vcpus + 1, sizeof(*t->now));
	if (!t->now)
		return -ENOMEM;
	for (unsigned i = 0; i < t->sum.vcpus; i++)
		t->now[i] = now_of(t, &t->sum.vcpu[i]);
	top__skip(t);
	return top__rows(t);
}

/* ---- which vCPUs -------------------------------------------------------------------------- */

static bool matches(const struct top *t, unsigned i)
{
	char name[160];

	if (!t->filter[0])
		return true;
	summary__vm_name(&t->sum, t->sum.vcpu[i].v->vm, name, sizeof(name));
	if (strpbrk(t->filter, "*?["))
		return !fnmatch(t->filter, name, FNM_CASEFOLD);
	return strcasestr(name, t->filter);
}

static __u32 key_of(const struct top *t, unsigned i, enum top_group group)
{
	return group == TOP_VMS	   ? t->sum.vcpu[i].v->vm
	       : group == TOP_CPUS ? t->now[i].cpu
				   : t->sum.vcpu[i].v->id;
}

bool top__existed(const struct top *t, unsigned i)
{
	const struct summary_vcpu *v = &t->sum.vcpu[i];

	return !v->folded && v->state_ns[ST_ABSENT] != t->sum.to_ns - t->sum.from_ns;
}

bool top__any(const struct top *t)
{
	for (unsigned i = 0; i < t->sum.vcpus; i++)
		if (top__existed(t, i))
			return true;
	return false;
}

/* Those that did not exist at all in the interval are not shown. */
static bool shown(const struct top *t, unsigned i)
{
	if (!top__existed(t, i))
		return false;
	if (t->within && key_of(t, i, t->within_group) != t->within_key)
		return false;
	return matches(t, i);
}

/* ---- order -------------------------------------------------------------------------------- */

bool top__delay(const struct top *t, const struct summary_vcpu *v, __u64 *ns)
{
	return measure__time(measure__find("run_delay", 9), &t->sum, v, ns);
}

__u64 top__longest(const struct top_row *r)
{
	return r->sum->run_delay.max > r->open_ns ? r->sum->run_delay.max : r->open_ns;
}

static __u64 per_vcpu(const struct top_row *r, __u64 n)
{
	return n / r->vcpus;
}

static __u64 rank_of(const struct top *t, const struct top_row *r)
{
	const struct summary_vcpu *v = r->sum;

	switch (t->sort) {
	case TOP_BY_DELAY:
		return per_vcpu(r, v->run_delay_ns);
	case TOP_BY_P99:
		return hist__quantile(&v->run_delay, 990);
	case TOP_BY_MAX:
		return top__longest(r);
	case TOP_BY_PREEMPTED:
		return per_vcpu(r, v->state_ns[ST_PREEMPTED]);
	case TOP_BY_RUNNING:
		return per_vcpu(r, v->state_ns[ST_RUNNING] + v->state_ns[ST_ON_OR_USER]);
	case TOP_BY_SWITCHES:
		return v->switches;
	case TOP_BY_SINCE:
		return r->vcpus > 1 ? r->open_ns : t->sum.to_ns - r->now.since_ns;
	default:
		return 0;
	}
}

static int in_order(const void *a, const void *b, void *ctx)
{
	const struct top *t = ctx;
	const struct top_row *x = a, *y = b;
	__u64 p = rank_of(t, x), q = rank_of(t, y);
	int d = p != q ? (p > q ? -1 : 1) : 0;

	if (!d && t->group == TOP_CPUS)
		d = x->key < y->key ? -1 : x->key > y->key;
	if (!d)
		d = x->index < y->index ? -1 : x->index > y->index;
	return t->reverse ? -d : d;
}

/* ---- rows --------------------------------------------------------------------------------- */

static __u64 open_of(const struct top *t, unsigned i)
{
	return t->now[i].state == ST_PREEMPTED ? t->sum.to_ns - t->now[i].since_ns : 0;
}

static void vcpu_rows(struct top *t)
{
	for (unsigned i = 0; i < t->sum.vcpus; i++) {
		if (!shown(t, i))
			continue;
		t->row[t->rows++] = (struct top_row){.sum = &t->sum.vcpu[i],
						     .key = t->sum.vcpu[i].v->id,
						     .index = i,
						     .vcpus = 1,
						     .preempted = t->now[i].state == ST_PREEMPTED,
						     .now = t->now[i],
						     .max_ns = t->sum.vcpu[i].run_delay.max,
						     .max_at_ns = t->now[i].max_at_ns,
						     .open_ns = open_of(t, i)};
	}
}

/* Each row's is the one who took longest. */
static int find_preemptors(struct top *t)
{
	const struct summary_preemptor **longest;
	__u32 most = 0;

	for (unsigned i = 0; i < t->rows; i++)
		most = t->row[i].key > most ? t->row[i].key : most;
	longest = calloc((size_t)most + 1, sizeof(*longest));
	if (!longest)
		return -ENOMEM;
	for (unsigned i = 0; i < t->sum.preemptors; i++) {
		const struct summary_preemptor *p = &t->sum.preemptor[i];

		if (p->victim <= most &&
		    (!longest[p->victim] || summary__by_time(p, longest[p->victim]) < 0))
			longest[p->victim] = p;
	}
	for (unsigned i = 0; i < t->rows; i++) {
		t->row[i].by = longest[t->row[i].key];
		t->row[i].taken_ns = t->row[i].by ? t->row[i].by->time_ns : 0;
	}
	free(longest);
	return 0;
}

/* rank: as below. */
static int find_takers(struct top *t, const __u32 *rank, __u32 most)
{
	const struct matrix *m = &t->takers;
	enum matrix_by by = t->named ? MATRIX_BY_NAME : MATRIX_BY_CLASS;
	int err = m->row ? 0 : matrix__init(&t->takers, &t->sum, by, ~0U);

	for (unsigned k = 0; !err && k < m->rows; k++)
		if (m->row[k].vm <= most && rank[m->row[k].vm]) {
			const struct matrix_cell *c = &m->cell[m->row[k].first];
			struct top_row *r = &t->row[rank[m->row[k].vm] - 1];

			r->taker = &m->col[c->col];
			r->taken_ns = c->time_ns;
		}
	return err;
}

/* Adds the vCPU to the row of its group. rank: from key to row + 1. */
static int add_to_group(struct top *t, unsigned i, __u32 *rank)
{
	__u32 key = key_of(t, i, t->group);
	struct top_row *r;

	if (!rank[key]) {
		t->row[t->rows] = (struct top_row){
			.sum = &t->group_sum[t->group_sums++], .key = key, .index = i};
		rank[key] = ++t->rows;
	}
	r = &t->row[rank[key] - 1];
	r->vcpus++;
	r->preempted += t->now[i].state == ST_PREEMPTED;
	if (open_of(t, i) > r->open_ns)
		r->open_ns = open_of(t, i);
	if (t->sum.vcpu[i].run_delay.max > r->max_ns) {
		r->max_ns = t->sum.vcpu[i].run_delay.max;
		r->max_at_ns = t->now[i].max_at_ns;
	}
	return summary__add((struct summary_vcpu *)r->sum, &t->sum.vcpu[i]);
}

static int group_rows(struct top *t)
{
	__u32 *rank, most = 0;
	int err = 0;

	for (unsigned i = 0; i < t->sum.vcpus; i++)
		if (key_of(t, i, t->group) > most)
			most = key_of(t, i, t->group);
	rank = calloc((size_t)most + 1, sizeof(*rank));
	t->group_sum = calloc(t->sum.vcpus + 1, sizeof(*t->group_sum));
	if (!rank || !t->group_sum)
		err = -ENOMEM;
	for (unsigned i = 0; !err && i < t->sum.vcpus; i++)
		if (shown(t, i))
			err = add_to_group(t, i, rank);
	if (!err && t->group == TOP_VMS)
		err = find_takers(t, rank, most);
	free(rank);
	return err;
}

int top__rows(struct top *t)
{
	int err = 0;

	drop_rows(t);
	if (!t->have)
		return 0;
	t->row = calloc(t->sum.vcpus + 1, sizeof(*t->row));
	if (!t->row)
		return -ENOMEM;
	if (t->group == TOP_VCPUS)
		vcpu_rows(t);
	else
		err = group_rows(t);
	if (!err && t->group == TOP_VCPUS)
		err = find_preemptors(t);
	qsort_r(t->row, t->rows, sizeof(*t->row), in_order, t);
	if (t->cursor >= t->rows)
		t->cursor = t->rows ? t->rows - 1 : 0;
	return err;
}
