// SPDX-License-Identifier: BSD-2-Clause
/*
 * sum.vcpu is sorted by VM, then number. What an interval has and it has not yet is appended, and
 * all sorted again, before anything is added: entries are large, and new ones are rare.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "totals.h"

struct totals_vm {
	struct model_vcpu who;	   /* stands for its folded vCPUs */
	const struct model_vm *vm; /* in totals.names */
	__u64 gone_ns;		   /* since when it is gone; 0: it lives */
	__u64 by_ns[KS_BY_CNT], by_cnt[KS_BY_CNT];
};

void totals__init(struct totals *t, bool per_vcpu)
{
	*t = (struct totals){.per_vcpu = per_vcpu};
}

/* ---- VMs ---------------------------------------------------------------------------------- */

static int by_vm(const void *a, const void *b)
{
	const struct totals_vm *x = *(struct totals_vm *const *)a,
			       *y = *(struct totals_vm *const *)b;

	return x->who.vm < y->who.vm ? -1 : x->who.vm > y->who.vm;
}

static struct totals_vm *find_vm(const struct totals *t, __u32 vm)
{
	struct totals_vm key = {.who = {.vm = vm}}, *k = &key, **found;

	found = t->vms ? bsearch(&k, t->vm, t->vms, sizeof(*t->vm), by_vm) : NULL;
	return found ? *found : NULL;
}

static struct totals_vm *new_vm(struct totals *t, __u32 vm)
{
	struct totals_vm **p = realloc(t->vm, (t->vms + 1) * sizeof(*p)), *v;

	if (!p)
		return NULL;
	t->vm = p;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->who.vm = vm;
	v->who.vcpu_id = -1;
	t->vm[t->vms++] = v;
	qsort(t->vm, t->vms, sizeof(*t->vm), by_vm);
	return v;
}

static struct totals_vm *need_vm(struct totals *t, __u32 vm)
{
	return find_vm(t, vm) ?: new_vm(t, vm);
}

/* ---- entries ------------------------------------------------------------------------------ */

/* A VM's folded one comes first; then by number, and of one number the youngest last. */
static int by_place(const void *a, const void *b)
{
	const struct summary_vcpu *x = a, *y = b;

	if (x->v->vm != y->v->vm)
		return x->v->vm < y->v->vm ? -1 : 1;
	if (x->folded != y->folded)
		return x->folded ? -1 : 1;
	if (x->v->vcpu_id != y->v->vcpu_id)
		return x->v->vcpu_id < y->v->vcpu_id ? -1 : 1;
	return x->v->id < y->v->id ? -1 : x->v->id > y->v->id;
}

static struct summary_vcpu *find(const struct totals *t, const struct summary_vcpu *key)
{
	struct summary_vcpu *all = t->sum.vcpu, *found = NULL;

	if (t->sorted)
		found = bsearch(key, all, t->sorted, sizeof(*key), by_place);
	/* an interval's vCPUs come VM by VM, so if it is new, it is one of the last */
	for (unsigned i = t->sum.vcpus; !found && i > t->sorted; i--) {
		if (all[i - 1].v->vm != key->v->vm)
			break;
		if (!by_place(&all[i - 1], key))
			found = &all[i - 1];
	}
	return found;
}

static int need(struct totals *t, const struct model_vcpu *v, bool folded)
{
	struct summary_vcpu entry = {.v = v, .folded = folded}, *p;
	unsigned room = t->room ? t->room * 2 : 16;

	if (find(t, &entry))
		return 0;
	if (t->sum.vcpus == t->room) {
		p = realloc(t->sum.vcpu, room * sizeof(*p));
		if (!p)
			return -ENOMEM;
		t->sum.vcpu = p;
		t->room = room;
	}
	t->sum.vcpu[t->sum.vcpus++] = entry;
	return 0;
}

static void sort(struct totals *t)
{
	if (t->sorted != t->sum.vcpus)
		qsort(t->sum.vcpu, t->sum.vcpus, sizeof(*t->sum.vcpu), by_place);
	t->sorted = t->sum.vcpus;
}

static bool folds(const struct totals *t, const struct model_vcpu *v)
{
	return !t->per_vcpu || v->gone;
}

/* Where there is none, makes the entries that v adds to: its own, or its VM's. */
static int need_for(struct totals *t, const struct model_vcpu *v)
{
	struct totals_vm *vm = need_vm(t, v->vm);

	if (!vm)
		return -ENOMEM;
	vm->who.tgid = v->tgid;
	return folds(t, v) ? need(t, &vm->who, true) : need(t, v, false);
}

static int add(struct totals *t, const struct summary_vcpu *v, const struct model_vcpu *who)
{
	bool folded = folds(t, who);
	struct summary_vcpu key = {.v = folded ? &find_vm(t, who->vm)->who : who, .folded = folded};

	return summary__add_lean(find(t, &key), v);
}

/* The entries that keep() does not want are given back. */
static void sift(struct totals *t,
		 bool (*keep)(const struct totals *t, const struct summary_vcpu *v))
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->sum.vcpus; i++)
		if (keep(t, &t->sum.vcpu[i]))
			t->sum.vcpu[n++] = t->sum.vcpu[i];
		else
			summary__free_vcpu(&t->sum.vcpu[i]);
	t->sum.vcpus = t->sorted = n;
}

static bool is_current(const struct totals *t, const struct summary_vcpu *v)
{
	(void)t;
	return v->folded || !v->v->gone;
}

/* vCPUs that are gone now: what they had is their VM's. */
static int fold(struct totals *t)
{
	unsigned n = t->sum.vcpus, gone = 0;
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++)
		if (!is_current(t, &t->sum.vcpu[i])) {
			err = need_for(t, t->sum.vcpu[i].v);
			gone++;
		}
	if (err || !gone)
		return err;
	sort(t);
	for (unsigned i = 0; i < t->sum.vcpus && !err; i++)
		if (!is_current(t, &t->sum.vcpu[i]))
			err = add(t, &t->sum.vcpu[i], t->sum.vcpu[i].v);
	if (!err)
		sift(t, is_current);
	return err;
}

/* ---- preemptors --------------------------------------------------------------------------- */

static int add_preemptors(struct totals *t, const struct summary *s)
{
	for (unsigned i = 0; i < s->preemptors; i++) {
		const struct summary_preemptor *p = &s->preemptor[i];
		struct totals_vm *vm = need_vm(t, p->victim_vm);

		if (!vm)
			return -ENOMEM;
		vm->by_ns[p->by] += p->time_ns;
		vm->by_cnt[p->by] += p->count;
	}
	return 0;
}

/* As the summary has them: a list. */
static int list_preemptors(struct totals *t)
{
	struct summary *s = &t->sum;
	struct summary_preemptor *p = realloc(s->preemptor, (t->vms * KS_BY_CNT + 1) * sizeof(*p));

	if (!p)
		return -ENOMEM;
	s->preemptor = p;
	s->preemptors = 0;
	for (unsigned i = 0; i < t->vms; i++)
		for (unsigned by = 0; by < KS_BY_CNT; by++)
			if (t->vm[i]->by_ns[by] || t->vm[i]->by_cnt[by])
				p[s->preemptors++] =
					(struct summary_preemptor){.victim_vm = t->vm[i]->who.vm,
								   .by = by,
								   .time_ns = t->vm[i]->by_ns[by],
								   .count = t->vm[i]->by_cnt[by]};
	return 0;
}

/* ---- VMs that are gone -------------------------------------------------------------------- */

/* Marks those that have just gone; returns how many there are. */
static unsigned mark_gone(struct totals *t, __u64 now)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->vms; i++) {
		struct totals_vm *vm = t->vm[i];

		vm->gone_ns = vm->vm->dead ? vm->gone_ns ?: now : 0;
		n += vm->gone_ns != 0;
	}
	return n;
}

static bool vm_is_kept(const struct totals *t, const struct summary_vcpu *v)
{
	return find_vm(t, v->v->vm);
}

static int by_gone(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Those that went before this moment are forgotten. */
static int horizon(const struct totals *t, unsigned gone, __u64 now, __u64 *before)
{
	__u64 *when;
	unsigned n = 0;

	*before = now > TOTALS_GONE_NS ? now - TOTALS_GONE_NS : 0;
	if (gone <= TOTALS_GONE_MAX)
		return 0;
	when = calloc(gone, sizeof(*when));
	if (!when)
		return -ENOMEM;
	for (unsigned i = 0; i < t->vms; i++)
		if (t->vm[i]->gone_ns)
			when[n++] = t->vm[i]->gone_ns;
	qsort(when, n, sizeof(*when), by_gone);
	if (when[n - TOTALS_GONE_MAX] > *before)
		*before = when[n - TOTALS_GONE_MAX];
	free(when);
	return 0;
}

static int forget(struct totals *t, __u64 now)
{
	unsigned gone = mark_gone(t, now), n = 0, vms = t->vms;
	struct totals_vm **old = NULL;
	__u64 before;
	int err = gone ? horizon(t, gone, now, &before) : 0;

	if (err || !gone)
		return err;
	old = calloc(gone, sizeof(*old)); /* freed when nothing points to them any more */
	if (!old)
		return -ENOMEM;
	t->vms = 0;
	for (unsigned i = 0; i < vms; i++)
		if (t->vm[i]->gone_ns && t->vm[i]->gone_ns < before)
			old[n++] = t->vm[i];
		else
			t->vm[t->vms++] = t->vm[i];
	if (n)
		sift(t, vm_is_kept);
	while (n) {
		model__drop_vm(t->names, old[--n]->who.vm);
		free(old[n]);
	}
	free(old);
	return 0;
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* Names as the interval's model has them, and who is gone. */
static int keep_names(struct totals *t, const struct model *m)
{
	for (unsigned i = 0; i < t->vms; i++) {
		t->vm[i]->vm = model__keep_vm(t->names, m, t->vm[i]->who.vm);
		if (!t->vm[i]->vm)
			return -ENOMEM;
	}
	return 0;
}

static int head(struct totals *t, const struct tick *tick)
{
	static const struct model_listener nobody;
	const struct summary *s = tick->summary;
	struct summary *sum = &t->sum;

	t->names = t->names ?: model__new(s->session, s->filter, &nobody);
	if (!t->names)
		return -ENOMEM;

	sum->session = s->session;
	sum->model = t->names;
	sum->filter = s->filter;
	sum->by_cpu = s->by_cpu;
	sum->no_classes = s->no_classes;
	if (!sum->to_ns)
		sum->from_ns = s->from_ns;
	sum->to_ns = s->to_ns;
	sum->events += s->events;
	sum->odd += s->odd;
	sum->lost = tick->lost;
	return 0;
}

int totals__add(struct totals *t, const struct tick *tick)
{
	const struct summary *s = tick->summary;
	int err = head(t, tick);

	for (unsigned i = 0; i < s->vcpus && !err; i++)
		err = need_for(t, s->vcpu[i].v);
	if (!err)
		sort(t);
	for (unsigned i = 0; i < s->vcpus && !err; i++)
		err = add(t, &s->vcpu[i], s->vcpu[i].v);
	err = err ?: fold(t) ?: add_preemptors(t, s) ?: keep_names(t, s->model);
	return err ?: forget(t, s->to_ns) ?: list_preemptors(t);
}

void totals__free(struct totals *t)
{
	summary__free(&t->sum);
	for (unsigned i = 0; i < t->vms; i++)
		free(t->vm[i]);
	free(t->vm);
	model__free(t->names);
	*t = (struct totals){0};
}
