// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who ran while the worst waited. An absence is told of when it ends, and by then most of those who
 * had its CPU have been told of: so for each CPU the last spans are kept, and a wait that is new
 * among the worst looks through those of its CPU. Whoever still runs then is told of later; so the
 * worst listen on. How much is kept depends on CPUs alone.
 */
#include <errno.h>
#include <stdlib.h>
#include "timeline_parts.h"

#define KEPT_MIN 64
#define KEPT_MAX 2048 /* spans per CPU: 64 KB */

struct kept {
	__u64 from, to, user_ns;
	const struct model_vcpu *v; /* NULL: somebody who came or went meanwhile, unseen */
};

/* In order of their ends; a ring once it has grown to KEPT_MAX. */
struct timeline_cpu {
	struct kept *kept;
	unsigned room, used, next;
};

void timeline_meanwhile__free(struct timeline *t)
{
	for (unsigned i = 0; i < t->cpus; i++)
		free(t->cpu[i].kept);
	free(t->cpu);
}

/* ---- one wait ----------------------------------------------------------------------------- */

static struct timeline_ran *ran_of(struct timeline_meanwhile *m, const struct model_vcpu *v)
{
	struct timeline_ran *least = m->ran;

	for (unsigned i = 0; i < m->rans; i++) {
		if (m->ran[i].v == v)
			return &m->ran[i];
		if (m->ran[i].ns < least->ns)
			least = &m->ran[i];
	}
	if (m->rans < TIMELINE_RAN)
		least = &m->ran[m->rans++];
	else
		m->whole = false; /* should the one that goes come back */
	*least = (struct timeline_ran){.v = v};
	return least;
}

/* Where in its span it was in user space is not known: everywhere, in proportion. */
static void count(struct timeline_meanwhile *m, const struct timeline_absence *a,
		  const struct kept *k)
{
	__u64 from = a->a.to - a->a.run_delay_ns, to = a->a.to, ns;

	from = from > k->from ? from : k->from;
	to = to < k->to ? to : k->to;
	if (from >= to || k->v == a->v)
		return;
	if (!k->v) {
		m->whole = false;
		return;
	}
	ns = to - from;
	ns -= (unsigned __int128)k->user_ns * ns / (k->to - k->from);
	if (ns)
		ran_of(m, k->v)->ns += ns;
}

static int cpu_of(const struct timeline_absence *a)
{
	unsigned cpu = a->state == ST_PREEMPTED ? a->a.cpu_out
		       : a->a.open		? VCPU_NO_CPU
						: a->a.cpu_in;

	return cpu == VCPU_NO_CPU || a->a.by == KS_BY_QUOTA ? -1 : (int)cpu;
}

void timeline_meanwhile__look(struct timeline *t, unsigned i)
{
	const struct timeline_absence *a = &t->worst[i];
	struct timeline_meanwhile *m = &t->meanwhile[i];
	const struct timeline_cpu *c;
	const struct kept *k = NULL;

	*m = (struct timeline_meanwhile){.cpu = cpu_of(a), .whole = true};
	if (m->cpu < 0 || m->cpu >= (int)t->cpus)
		return;
	c = &t->cpu[m->cpu];
	for (unsigned n = 1; n <= c->used; n++) {
		k = &c->kept[(c->next + c->room - n) % c->room];
		if (k->to <= a->a.to - a->a.run_delay_ns)
			return;
		count(m, a, k);
	}
	m->whole &= c->used < KEPT_MAX;
}

/* ---- spans -------------------------------------------------------------------------------- */

static struct timeline_cpu *cpu_at(struct timeline *t, unsigned cpu)
{
	struct timeline_cpu *p;

	if (cpu < t->cpus)
		return &t->cpu[cpu];
	p = realloc(t->cpu, (cpu + 1) * sizeof(*p));
	if (!p)
		return NULL;
	t->cpu = p;
	for (; t->cpus <= cpu; t->cpus++)
		p[t->cpus] = (struct timeline_cpu){0};
	return &p[cpu];
}

static int make_room(struct timeline_cpu *c)
{
	unsigned room = c->room ? 2 * c->room : KEPT_MIN;
	struct kept *p;

	if (c->used < c->room || c->room == KEPT_MAX)
		return 0;
	p = realloc(c->kept, room * sizeof(*p));
	if (!p)
		return -ENOMEM;
	c->kept = p;
	c->next = c->used;
	c->room = room;
	return 0;
}

static int keep(struct timeline *t, unsigned cpu, const struct kept *k)
{
	struct timeline_cpu *c;

	for (unsigned i = 0; i < t->worsts; i++)
		if (t->meanwhile[i].cpu == (int)cpu)
			count(&t->meanwhile[i], &t->worst[i], k);
	c = cpu_at(t, cpu);
	if (!c || make_room(c))
		return -ENOMEM;
	c->kept[c->next] = *k;
	c->next = (c->next + 1) % c->room;
	c->used += c->used < c->room;
	return 0;
}

/* Its CPU is that of the record before, and by now the vCPU has that of the record which ended it:
 * from user space a thread may move unseen. */
int timeline_meanwhile__ran(struct timeline *t, const struct model_vcpu *v, const struct span *s)
{
	struct kept k = {.from = s->from, .to = s->to, .user_ns = s->user_ns};

	if (s->state != ST_RUNNING || s->cpu >= KS_CPUS_MAX || v->v.cpu >= KS_CPUS_MAX)
		return 0;
	if (v->v.cpu != s->cpu)
		return keep(t, s->cpu, &k) ?: keep(t, v->v.cpu, &k);
	k.v = v;
	return keep(t, s->cpu, &k);
}

/* ---- finishing ---------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct timeline_ran *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->v->id < y->v->id ? -1 : x->v->id > y->v->id;
}

void timeline_meanwhile__settle(struct timeline *t, const struct summary *s)
{
	for (unsigned i = 0; i < t->worsts; i++) {
		struct timeline_meanwhile *m = &t->meanwhile[i];

		const struct absence *a = &t->worst[i].a;

		if (s->session && s->session->mode == MODE_LIGHT)
			m->cpu = -1;
		if (a->to - a->run_delay_ns < t->from_ns || a->to > t->to_ns)
			m->whole = false;
		qsort(m->ran, m->rans, sizeof(*m->ran), by_time);
	}
}

const struct timeline_meanwhile *timeline__meanwhile(const struct timeline *t,
						     const struct timeline_absence *a)
{
	for (unsigned i = 0; i < t->worsts; i++)
		if (t->worst[i].v == a->v && t->worst[i].a.from == a->a.from)
			return &t->meanwhile[i];
	return NULL;
}
