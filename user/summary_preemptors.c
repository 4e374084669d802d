// SPDX-License-Identifier: BSD-2-Clause
/* A summary's preemptors: who took CPUs from whom, in a small open hash. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "summary_parts.h"

/* Whose CPU was taken, and how. */
struct loss {
	__u32 vm, vcpu;
	__u64 life; /* of the vCPU */
	__u8 by;
};

static bool same(const struct summary_preemptor *p, const struct loss *l,
		 const struct model_task *t)
{
	return p->victim_vm == l->vm && p->victim == l->vcpu && p->victim_life == l->life &&
	       p->by == l->by && p->task.tid == t->tid && p->task.start_ns == t->start_ns;
}

static __u32 slot(const struct summary *s, const struct loss *l, const struct model_task *t)
{
	__u32 h = t->tid * 0x9e3779b1U ^ l->vm * 0x85ebca6bU ^ l->vcpu * 0xc2b2ae35U ^ l->by;

	h = (h ^ h >> 16) & (s->hash_size - 1);
	while (s->hash[h] && !same(&s->preemptor[s->hash[h] - 1], l, t))
		h = (h + 1) & (s->hash_size - 1);
	return h;
}

void summary_parts__reindex(struct summary *s)
{
	if (s->hash)
		memset(s->hash, 0, s->hash_size * sizeof(*s->hash));
	for (unsigned i = 0; i < s->preemptors; i++) {
		const struct summary_preemptor *p = &s->preemptor[i];

		s->hash[slot(s, &(struct loss){p->victim_vm, p->victim, p->victim_life, p->by},
			     &p->task)] = i + 1;
	}
}

static int rehash(struct summary *s)
{
	unsigned size = s->hash_size ? s->hash_size * 2 : 256;
	struct summary_preemptor *p = realloc(s->preemptor, size / 2 * sizeof(*p));
	__u32 *hash = calloc(size, sizeof(*hash));

	if (p)
		s->preemptor = p;
	if (!p || !hash) {
		free(hash);
		return s->err = -ENOMEM;
	}
	free(s->hash);
	s->hash = hash;
	s->hash_size = size;
	summary_parts__reindex(s);
	return 0;
}

void summary_parts__taken(struct summary *s, const struct model_vcpu *v, __u8 by,
			  const struct model_task *t, __u64 ns, __u64 count)
{
	struct loss loss = {.vm = v->vm, .by = by};
	struct summary_preemptor *p;
	__u32 h;

	if (s->by_victim) {
		loss.vcpu = v->id;
		loss.life = v->life;
	}
	if (s->preemptors * 2 >= s->hash_size && rehash(s))
		return;
	h = slot(s, &loss, t);
	if (!s->hash[h]) {
		s->preemptor[s->preemptors] = (struct summary_preemptor){.victim_vm = loss.vm,
									 .victim = loss.vcpu,
									 .victim_life = loss.life,
									 .by = loss.by,
									 .task = *t};
		s->hash[h] = ++s->preemptors;
	}
	p = &s->preemptor[s->hash[h] - 1];
	p->task = *t;
	p->time_ns += ns;
	p->count += count;
}

const struct summary_preemptor *summary_parts__find(const struct summary *s,
						    const struct summary_preemptor *p)
{
	struct loss loss = {p->victim_vm, p->victim, p->victim_life, p->by};
	__u32 h = s->hash_size ? s->hash[slot(s, &loss, &p->task)] : 0;

	return h ? &s->preemptor[h - 1] : NULL;
}

void summary__taken(struct summary *s, const struct model_vcpu *v, __u8 by, __u64 ns, __u64 count)
{
	static const struct model_task nobody; /* only the class is known */

	summary_parts__taken(s, v, by, &nobody, ns, count);
}

int summary__by_time(const void *a, const void *b)
{
	const struct summary_preemptor *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns > y->time_ns ? -1 : 1;
	if (x->task.tid != y->task.tid)
		return x->task.tid < y->task.tid ? -1 : 1;
	if (x->victim_vm != y->victim_vm)
		return x->victim_vm < y->victim_vm ? -1 : 1;
	if (x->victim != y->victim)
		return x->victim < y->victim ? -1 : 1;
	return x->by < y->by ? -1 : x->by > y->by;
}

void summary__sort_preemptors(struct summary *s)
{
	if (s->preemptors)
		qsort(s->preemptor, s->preemptors, sizeof(*s->preemptor), summary__by_time);
}
