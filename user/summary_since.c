// SPDX-License-Identifier: BSD-2-Clause
/* Intervals of what was added up since one moment: the difference of two summaries. */
#include <errno.h>
#include <stdlib.h>
#include "summary_parts.h"

/* The vCPUs are read one after the other: the little by which their readings lie before or after
 * the interval's ends is settled with the state that has most of it. Not where intervals are added
 * up: what one has too much the next has too little, but of another state. */
static void settle(struct summary_vcpu *v, __u64 length_ns)
{
	__u64 sum = 0;
	int most = 0;

	for (int i = 0; i < ST_CNT; i++) {
		sum += v->state_ns[i];
		if (v->state_ns[i] > v->state_ns[most])
			most = i;
	}
	if (v->state_ns[most] + length_ns > sum)
		v->state_ns[most] += length_ns - sum;
}

/* Clocks of two CPUs differ by some ns, so that times may go back by as much. */
static __u64 time_since(__u64 ns, __u64 before)
{
	return ns > before ? ns - before : 0;
}

/* Of what `v` counts, none of it goes back. */
static int vcpu_since(struct summary_vcpu *out, const struct summary_vcpu *v,
		      const struct summary_vcpu *before)
{
	int err = hist__since(&out->absence, &v->absence, &before->absence)
			  ?: hist__since(&out->run_delay, &v->run_delay, &before->run_delay);

	out->v = v->v;
	for (int i = 0; i < ST_CNT; i++) {
		out->state_ns[i] = time_since(v->state_ns[i], before->state_ns[i]);
		out->state_cnt[i] = v->state_cnt[i] - before->state_cnt[i];
		err = err ?: hist__since(&out->by_state[i], &v->by_state[i], &before->by_state[i]);
	}
	out->run_delay_ns = time_since(v->run_delay_ns, before->run_delay_ns);
	out->switches = v->switches - before->switches;
	out->migrations = v->migrations - before->migrations;
	out->reloads = v->reloads - before->reloads;
	out->clamped = v->clamped - before->clamped;
	out->unmeasured = v->unmeasured - before->unmeasured;
	return err;
}

/* Where each vCPU is, by its id. */
static const struct summary_vcpu **index_vcpus(const struct summary *s, __u32 *room)
{
	const struct summary_vcpu **at;

	*room = 1;
	for (unsigned i = 0; i < s->vcpus; i++)
		if (s->vcpu[i].v->id >= *room)
			*room = s->vcpu[i].v->id + 1;
	at = calloc(*room, sizeof(*at));
	for (unsigned i = 0; at && i < s->vcpus; i++)
		if (!s->vcpu[i].folded)
			at[s->vcpu[i].v->id] = &s->vcpu[i];
	return at;
}

/* What a VM's vCPUs have left that had not been counted while they were there: of its fold, without
 * what the fold had before, and what those had that have become part of it. */
static int fold_since(struct summary_vcpu *out, const struct summary_vcpu *fold,
		      const struct summary *before, const bool *there)
{
	struct summary_vcpu had = {0};
	int err = 0;

	for (unsigned i = 0; !err && i < before->vcpus; i++)
		if (before->vcpu[i].v->vm == fold->v->vm && !there[i])
			err = summary__add(&had, &before->vcpu[i]);
	had.state_ns[ST_ABSENT] = 0; /* a fold has none */
	out->folded = true;
	err = err ?: vcpu_since(out, fold, &had);
	summary__free_vcpu(&had);
	return err;
}

/* What v was before; NULL: it was not. */
static const struct summary_vcpu *before_of(const struct summary_vcpu *v,
					    const struct summary_vcpu **at, __u32 room)
{
	const struct summary_vcpu *b = !v->folded && v->v->id < room ? at[v->v->id] : NULL;

	return b && b->v->life == v->v->life ? b : NULL; /* else another had its number */
}

static int vcpus_since(struct summary *out, const struct summary *now, const struct summary *before)
{
	static const struct summary_vcpu none;
	const struct summary_vcpu **at, *b;
	bool *there = calloc(before->vcpus + 1, sizeof(*there)); /* is it still itself? */
	__u32 room;
	int err = 0;

	at = index_vcpus(before, &room);
	out->vcpu = calloc(now->vcpus + 1, sizeof(*out->vcpu));
	if (!at || !out->vcpu || !there)
		err = -ENOMEM;
	for (unsigned i = 0; !err && i < now->vcpus; i++)
		if ((b = before_of(&now->vcpu[i], at, room)))
			there[b - before->vcpu] = true;
	for (unsigned i = 0; !err && i < now->vcpus; i++) {
		const struct summary_vcpu *v = &now->vcpu[i];
		struct summary_vcpu *to = &out->vcpu[out->vcpus++];

		if (v->folded) {
			err = fold_since(to, v, before, there);
			continue;
		}
		err = vcpu_since(to, v, before_of(v, at, room) ?: &none);
		if (!now->adds_up)
			settle(to, out->to_ns - out->from_ns);
	}
	free(there);
	free(at);
	return err;
}

static int preemptors_since(struct summary *out, const struct summary *now, struct summary *before)
{
	summary_parts__reindex(before); /* sorting has moved them */
	for (unsigned i = 0; !out->err && i < now->preemptors; i++) {
		const struct summary_preemptor *p = &now->preemptor[i];
		struct model_vcpu victim = {
			.vm = p->victim_vm, .id = p->victim, .life = p->victim_life};
		const struct summary_preemptor *b = summary_parts__find(before, p);
		__u64 ns = time_since(p->time_ns, b ? b->time_ns : 0);
		__u64 n = time_since(p->count,
				     b ? b->count : 0); /* an open absence's class may change */

		if (now->by_victim && !p->victim)
			continue; /* of a fold: the victims had it before they were gone */
		if (ns || n)
			summary_parts__taken(out, &victim, p->by, &p->task, ns, n);
	}
	return out->err;
}

int summary__since(struct summary *out, const struct summary *now, struct summary *before)
{
	struct model_listener unused;

	summary__init(out, now->session, now->filter, before->to_ns, now->to_ns, &unused);
	out->model = now->model;
	out->by_victim = now->by_victim;
	out->no_classes = now->no_classes;
	out->events = now->events - before->events;
	out->lost = now->lost - before->lost;
	out->err = vcpus_since(out, now, before);
	if (out->err)
		return out->err;
	return preemptors_since(out, now, before);
}
