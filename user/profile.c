// SPDX-License-Identifier: BSD-2-Clause
/* See profile.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "profile.h"
#include "resample.h"

#define TAKERS_MAX \
	256 /* per VM; whoever comes later took little, or its name changes all the time */

/* ---- one VM in one slice ------------------------------------------------------------------ */

static int copy_dist(struct profile_dist *d, const struct hist *h)
{
	struct hist_bucket b;
	unsigned n = 0;

	for (unsigned at = 0; hist__next(h, &at, &b);)
		n++;
	*d = (struct profile_dist){.count = h->count, .sum_ns = h->sum, .max_ns = h->max};
	d->bucket = n ? malloc(n * sizeof(*d->bucket)) : NULL;
	if (n && !d->bucket)
		return -ENOMEM;
	for (unsigned at = 0; hist__next(h, &at, &b);)
		d->bucket[d->buckets++] = (struct profile_bucket){.high = b.high, .count = b.count};
	return 0;
}

static int copy_measure(struct profile_part *p, unsigned i, const struct measure *m,
			const struct summary *s, const struct summary_vcpu *v)
{
	const struct hist *h = measure__dist(m, s, v);
	const struct cost *c = measure__cost(m, s, v);

	measure__time(m, s, v, &p->time_ns[i]);
	if (m->count) /* but lost, which the model counts */
		measure__count(m, s, v, &p->count[i]);
	if (!(m->kinds & MEASURE_TIME)) /* what it takes all the same */
		p->time_ns[i] = h ? h->sum : c ? c->sum_ns : 0;
	if (h)
		return copy_dist(&p->dist[i], h);
	if (c)
		p->dist[i] = (struct profile_dist){
			.count = c->count, .sum_ns = c->sum_ns, .max_ns = c->max_ns};
	return 0;
}

static __u64 known(const struct summary_vcpu *v)
{
	__u64 ns = 0;

	for (int i = 0; i < ST_ABSENT; i++)
		ns += v->state_ns[i];
	return ns;
}

static int copy_part(struct profile_part *p, const struct summary *s, unsigned first,
		     unsigned count)
{
	struct summary_vcpu total;
	const struct measure *m;
	int err = summary__add_up(s, first, count, &total);

	p->known_ns = known(&total);
	for (unsigned at = 0, i = 0; !err && i < PROFILE_MEASURES && (m = measure__next(&at)); i++)
		err = copy_measure(p, i, m, s, &total);
	summary__free_vcpu(&total);
	return err;
}

/* ---- who took CPUs ------------------------------------------------------------------------ */

/* A kernel thread's name without its number and CPU: "kworker" for "kworker/1:2". */
static void task_name(const struct summary *s, const struct summary_preemptor *q, char *out,
		      size_t size)
{
	const char *comm = q->task.comm[0] ? q->task.comm : q->task.tid ? "?" : "swapper";

	if ((q->by == KS_BY_OTHER_VM || q->by == KS_BY_SAME_VM) &&
	    model__vm_known(s->model, q->task.vm))
		summary__vm_name(s, q->task.vm, out, size);
	else if (q->by == KS_BY_QUOTA)
		snprintf(out, size, "CPU quota");
	else
		snprintf(out, size, "%.*s",
			 (int)(q->by == KS_BY_KERNEL ? strcspn(comm, "/") : strlen(comm)), comm);
}

static struct profile_taker *taker_of(struct profile_vm *vm, __u8 by, const char *name,
				      unsigned blocks)
{
	struct profile_taker *t;

	for (unsigned i = 0; i < vm->takers; i++)
		if (vm->taker[i].by == by && !strcmp(vm->taker[i].name, name))
			return &vm->taker[i];
	if (vm->takers == TAKERS_MAX)
		return NULL;
	t = realloc(vm->taker, (vm->takers + 1) * sizeof(*t));
	if (!t)
		return NULL;
	vm->taker = t;
	t += vm->takers;
	*t = (struct profile_taker){.by = by, .time_ns = calloc(blocks, sizeof(*t->time_ns))};
	if (!t->time_ns)
		return NULL;
	snprintf(t->name, sizeof(t->name), "%s", name);
	vm->takers++;
	return t;
}

static void give(struct profile_taker *t, unsigned block, __u64 ns)
{
	t->time_ns[block] += ns;
	t->sum_ns += ns;
}

static void copy_takers(struct profile *p, const struct summary *s, unsigned block,
			struct profile_vm *const *by_id, __u32 ids)
{
	for (unsigned i = 0; i < s->preemptors; i++) {
		const struct summary_preemptor *q = &s->preemptor[i];
		struct profile_vm *vm = q->victim_vm < ids ? by_id[q->victim_vm] : NULL;
		struct profile_taker *t;
		char name[PROFILE_NAME];

		if (!vm)
			continue;
		task_name(s, q, name, sizeof(name));
		t = taker_of(vm, q->by, name, p->blocks);
		if (t)
			give(t, block, q->time_ns);
		give(&vm->by_class[q->by], block, q->time_ns);
	}
}

static int by_sum(const void *a, const void *b)
{
	const struct profile_taker *x = a, *y = b;

	if (x->sum_ns != y->sum_ns)
		return x->sum_ns > y->sum_ns ? -1 : 1;
	return x->by != y->by ? x->by - y->by : strcmp(x->name, y->name);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int name_vm(struct profile *p, struct profile_vm *vm, const struct summary *s,
		   unsigned first, unsigned count)
{
	const struct model_vcpu *v = s->vcpu[first].v;
	const struct model_vm *known_as = model__vm(s->model, v->vm);

	vm->id = v->vm;
	vm->tgid = v->tgid;
	vm->vcpus = count;
	summary__vm_name(s, v->vm, vm->name, sizeof(vm->name));
	if (known_as) {
		memcpy(vm->uuid, known_as->uuid, sizeof(vm->uuid) - 1);
		memcpy(vm->cgroup, known_as->cgroup, sizeof(vm->cgroup) - 1);
	}
	for (unsigned by = 0; by < KS_BY_CNT; by++) {
		vm->by_class[by].by = by;
		vm->by_class[by].time_ns = calloc(p->blocks + 1, sizeof(__u64));
		if (!vm->by_class[by].time_ns)
			return -ENOMEM;
	}
	vm->block = calloc(p->blocks + 1, sizeof(*vm->block));
	return vm->block ? 0 : -ENOMEM;
}

/* What it has in the window as a whole. */
static int describe_vm(struct profile_vm *vm, const struct summary *s, unsigned first,
		       unsigned count)
{
	struct summary_vcpu total;
	const struct measure *m;
	int err = summary__add_up(s, first, count, &total);

	for (unsigned at = 0, i = 0; i < PROFILE_MEASURES && (m = measure__next(&at)); i++) {
		const struct hist *h = measure__dist(m, s, &total);
		const struct cost *c = measure__cost(m, s, &total);

		vm->absent[i] = measure__why_absent(m, s, &total);
		vm->has_dist[i] = h;
		vm->max_ns[i] = h ? h->max : c ? c->max_ns : 0;
	}
	summary__free_vcpu(&total);
	return err;
}

static int make_vms(struct profile *p, const struct summary *s)
{
	int err = 0;

	p->vm = calloc(s->vcpus + 1, sizeof(*p->vm));
	p->all.block = calloc(p->blocks + 1, sizeof(*p->all.block));
	if (!p->vm || !p->all.block)
		return -ENOMEM;
	p->all.vcpus = s->vcpus;
	err = describe_vm(&p->all, s, 0, s->vcpus);
	for (unsigned first = 0, n; !err && first < s->vcpus; first += n) {
		struct profile_vm *vm = &p->vm[p->vms++];

		n = summary__group(s, SUMMARY_BY_VM, first);
		err = name_vm(p, vm, s, first, n) ?: describe_vm(vm, s, first, n);
	}
	return err;
}

static int copy_block(struct profile *p, unsigned block, struct profile_vm *const *by_id, __u32 ids)
{
	const struct summary *s = &p->slices.slice[block];
	int err = copy_part(&p->all.block[block], s, 0, s->vcpus);

	for (unsigned first = 0, n; !err && first < s->vcpus; first += n) {
		__u32 id = s->vcpu[first].v->vm;

		n = summary__group(s, SUMMARY_BY_VM, first);
		if (id < ids && by_id[id])
			err = copy_part(&by_id[id]->block[block], s, first, n);
	}
	if (!err)
		copy_takers(p, s, block, by_id, ids);
	return err;
}

static int copy_blocks(struct profile *p)
{
	struct profile_vm **by_id;
	__u32 ids = 0;
	int err = 0;

	for (unsigned i = 0; i < p->vms; i++)
		ids = p->vm[i].id >= ids ? p->vm[i].id + 1 : ids;
	by_id = calloc(ids + 1, sizeof(struct profile_vm *));
	if (!by_id)
		return -ENOMEM;
	for (unsigned i = 0; i < p->vms; i++)
		by_id[p->vm[i].id] = &p->vm[i];
	for (unsigned i = 0; !err && i < p->blocks; i++) {
		err = copy_block(p, i, by_id, ids);
		summary__free(&p->slices.slice[i]);
	}
	free(by_id);
	for (unsigned i = 0; i < p->vms; i++)
		if (p->vm[i].takers)
			qsort(p->vm[i].taker, p->vm[i].takers, sizeof(*p->vm[i].taker), by_sum);
	return err;
}

/* ---- the sink ----------------------------------------------------------------------------- */

static int window(void *ctx, __u64 from_ns, __u64 to_ns)
{
	struct profile *p = ctx;

	p->from_ns = from_ns;
	p->to_ns = to_ns;
	return 0;
}

/* As many blocks as are useful: 10 to 30 make good intervals (Schmeiser 1982, "Batch size effects
 * in the analysis of simulation output"); somewhat more, as some may turn out to be empty. */
static unsigned blocks_of(const struct profile *p)
{
	__u64 n = (p->to_ns - p->from_ns) / PROFILE_BLOCK_NS;

	return n < 1 ? 1 : n < PROFILE_BLOCKS ? n : PROFILE_BLOCKS;
}

static int begin(void *ctx, const struct session *s, const struct model *m)
{
	struct profile *p = ctx;

	(void)m;
	if (p->to_ns == ~0ULL)
		p->to_ns = p->from_ns;
	p->blocks = blocks_of(p);
	return slices__init(&p->slices, s, p->from_ns, p->to_ns, p->blocks);
}

static int event(void *ctx, struct model_vcpu *v, const struct ks_head *r, bool asked)
{
	return asked ? slices__event(&((struct profile *)ctx)->slices, v, r) : 0;
}

static int span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		const struct model_task *task)
{
	return slices__span(&((struct profile *)ctx)->slices, v, s, a, task);
}

static int absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		   const struct model_task *task)
{
	return slices__absence(&((struct profile *)ctx)->slices, v, a, task);
}

static int end(void *ctx, const struct summary *s)
{
	struct profile *p = ctx;
	int err = slices__finish(&p->slices, s->model);

	p->session = *s->session;
	p->events = s->events;
	p->lost = s->lost;
	p->damaged = s->damaged || s->odd;
	p->unfinished = s->unfinished;
	err = err ?: make_vms(p, s) ?: copy_blocks(p);
	slices__free(&p->slices);
	return err ? err__say(err, "adding up") : 0;
}

void profile__init(struct profile *p, struct sink *sink)
{
	*p = (struct profile){.blocks = 0};
	*sink = (struct sink){.window = window,
			      .begin = begin,
			      .event = event,
			      .span = span,
			      .absence = absence,
			      .end = end,
			      .ctx = p};
}

static void free_vm(struct profile_vm *vm, unsigned blocks)
{
	for (unsigned b = 0; vm->block && b < blocks; b++)
		for (unsigned i = 0; i < PROFILE_MEASURES; i++)
			free(vm->block[b].dist[i].bucket);
	for (unsigned i = 0; i < vm->takers; i++)
		free(vm->taker[i].time_ns);
	for (unsigned by = 0; by < KS_BY_CNT; by++)
		free(vm->by_class[by].time_ns);
	free(vm->block);
	free(vm->taker);
}

void profile__free(struct profile *p)
{
	slices__free(&p->slices);
	for (unsigned i = 0; i < p->vms; i++)
		free_vm(&p->vm[i], p->blocks);
	free_vm(&p->all, p->blocks);
	free(p->vm);
	*p = (struct profile){.blocks = 0};
}
