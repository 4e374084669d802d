// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables by id (ids are small and dense), and a hash from tid to the task that has it now: a task
 * is introduced before it is first referred to, and a tid that is used again is introduced again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "idmap.h"
#include "model.h"

#define TASK_BUCKETS 4096
#define TASKS_MAX    65536 /* then the oldest are forgotten */

struct task_node {
	struct model_task t;
	__s32 next;
};

struct model {
	const struct session *session;
	const struct filter *filter;
	struct model_listener to;
	struct idmap vcpu, vm;		 /* by id: struct model_vcpu *, struct model_vm * */
	struct model_vcpu *forgotten[2]; /* lately, and before the last burial */
	struct model_vcpu *buried;	 /* to be used again */
	__u32 slots;
	struct task_node *task;
	__u32 tasks, task_room;
	__s32 bucket[TASK_BUCKETS];
	__u64 events, odd, missing; /* odd, missing: of those forgotten */
	__u64 lives;		    /* vCPUs heard of so far */
};

struct model *model__new(const struct session *s, const struct filter *f,
			 const struct model_listener *l)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->session = s;
	m->filter = f;
	m->to = *l;
	m->vcpu.size = m->vm.size = sizeof(void *);
	memset(m->bucket, -1, sizeof(m->bucket));
	return m;
}

/* ---- tables of pointers ------------------------------------------------------------------- */

static inline struct model_vcpu *vcpu_of(const struct model *m, __u32 id)
{
	struct model_vcpu **at = idmap__get(&m->vcpu, id);

	return at ? *at : NULL;
}

static inline struct model_vm *vm_of(const struct model *m, __u32 id)
{
	struct model_vm **at = idmap__get(&m->vm, id);

	return at ? *at : NULL;
}

/* All of them: for (at = 0; (v = next(&m->vcpu, &at));) */
static void *next(const struct idmap *table, __u32 *at)
{
	void **p = idmap__next(table, at);

	return p ? *p : NULL;
}

/* NULL: no memory, for the entry, either. */
static void *put(struct idmap *table, __u32 id, void *entry)
{
	void **at = entry ? idmap__make(table, id) : NULL;

	return at ? *at = entry : NULL;
}

static struct model_vcpu *blank(struct model *m)
{
	struct model_vcpu *v = m->buried;
	__u32 slot;

	if (v) {
		m->buried = v->next;
		slot = v->slot;
	} else {
		v = malloc(sizeof(*v));
		slot = m->slots;
	}
	if (!v)
		return NULL;
	m->slots += slot == m->slots;
	*v = (struct model_vcpu){.slot = slot, .vcpu_id = -1, .task = -1, .keep = -1};
	return v;
}

static struct model_vcpu *vcpu_new(struct model *m, __u32 id)
{
	struct model_vcpu *v = blank(m);

	if (!put(&m->vcpu, id, v)) {
		model__let_go(m, v);
		return NULL;
	}
	vcpu__init(&v->v, m->session->start_ns, session__two_hooks(m->session->mode));
	v->id = id;
	v->life = ++m->lives;
	return v;
}

static inline struct model_vcpu *vcpu_get(struct model *m, __u32 id)
{
	return vcpu_of(m, id) ?: vcpu_new(m, id);
}

static struct model_vm *vm_get(struct model *m, __u32 id)
{
	struct model_vm *vm = vm_of(m, id), *new;

	if (vm)
		return vm;
	new = calloc(1, sizeof(*new));
	vm = put(&m->vm, id, new);
	if (!vm)
		free(new);
	else
		vm->id = id;
	return vm;
}

const struct model_vm *model__vm(const struct model *m, __u32 id)
{
	const struct model_vm *vm = vm_of(m, id);

	return vm && (vm->named || vm->tgid) ? vm : NULL; /* else only its vCPUs were introduced */
}

const struct model_vcpu *model__vcpu(const struct model *m, __u32 id)
{
	return vcpu_of(m, id);
}

bool model__vm_known(const struct model *m, __u32 id)
{
	const struct model_vm *vm = model__vm(m, id);

	return vm && vm->name[0];
}

const char *model__vm_name(const struct model *m, __u32 id, char *out, size_t size)
{
	const struct model_vm *vm = model__vm(m, id);

	if (!model__vm_known(m, id))
		snprintf(out, size, "vm%u", id); /* its descriptor was lost */
	else if (vm->same_vmm)
		snprintf(out, size, "%s#%u.%u", vm->name, vm->tgid, id);
	else if (vm->twice)
		snprintf(out, size, "%s#%u", vm->name, vm->tgid);
	else
		snprintf(out, size, "%s", vm->name);
	return out;
}

/* ---- identity ----------------------------------------------------------------------------- */

/* Marks the VMs that share the name which vm has now, and live. Descriptors and ends come in one
 * order, live and replayed: both come to the same. */
static void find_namesakes(struct model *m, struct model_vm *vm)
{
	struct model_vm *other;

	vm->twice = vm->same_vmm = false;
	for (__u32 at = 0; (other = next(&m->vm, &at));) {
		if (other == vm || other->dead || strcmp(other->name, vm->name))
			continue;
		other->twice = vm->twice = true;
		if (other->tgid == vm->tgid)
			other->same_vmm = vm->same_vmm = true;
	}
}

/* Every descriptor comes twice: ahead, and at its time, when the VM may be known to be dead. */
static void rename_vm(struct model *m, struct model_vm *vm, const char *name)
{
	if (!strncmp(vm->name, name, sizeof(vm->name)))
		return;
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	find_namesakes(m, vm);
}

static int describe_vm(struct model *m, const struct ks_vm *r)
{
	struct model_vm *vm = vm_get(m, r->vm);
	char name[sizeof(vm->name)];

	if (!vm)
		return -ENOMEM;
	vm->tgid = r->tgid;
	memcpy(vm->comm, r->comm, KS_COMM_LEN);
	snprintf(name, sizeof(name), "%s-%u", vm->comm, vm->tgid);
	if (!vm->named)
		rename_vm(m, vm, name);
	return 0;
}

static int describe_name(struct model *m, const struct ks_name *r)
{
	struct model_vm *vm = vm_get(m, r->vm);

	if (!vm)
		return -ENOMEM;
	rename_vm(m, vm, r->name);
	memcpy(vm->uuid, r->uuid, sizeof(vm->uuid));
	memcpy(vm->cgroup, r->cgroup, sizeof(vm->cgroup));
	vm->named = true;
	return 0;
}

static int describe_vcpu(struct model *m, const struct ks_vcpu *r)
{
	struct model_vcpu *v = vcpu_get(m, r->vcpu);
	struct model_vm *vm = vm_get(m, r->vm);

	if (!v || !vm)
		return -ENOMEM;
	if (!v->vm) {
		vm->alive++;
		vm->vcpus++;
		vm->dead = false;
		vm->burials = 0;
	}
	v->vm = r->vm;
	v->tgid = r->tgid;
	v->vcpu_id = r->vcpu_id;
	if (r->h.mask & KS_M_CREATED && r->h.ts > m->session->start_ns)
		v->created_ns = r->h.ts;
	if (!v->v.tid)
		v->v.tid = r->tid;
	if (v->v.fresh && !v->v.seq)
		v->v.seq = v->seq_before = r->seq;
	return 0;
}

static void vcpu_gone(struct model *m, const struct ks_gone *r)
{
	struct model_vcpu *v = vcpu_of(m, r->vcpu);
	struct model_vm *vm;

	if (!v || !v->vm || v->gone)
		return;
	v->gone = true;
	vm = vm_of(m, v->vm);
	vm->dead = vm->alive && !--vm->alive;
}

void model__let_go(struct model *m, struct model_vcpu *v)
{
	if (!v)
		return;
	v->next = m->forgotten[0];
	m->forgotten[0] = v;
}

void model__forget_vcpu(struct model *m, __u32 id)
{
	struct ks_gone gone = {.vcpu = id};
	struct model_vcpu *v = vcpu_of(m, id);

	if (!v)
		return;
	vcpu_gone(m, &gone); /* if that was lost */
	v->gone = true;	     /* ... or its descriptor */
	if (v->vm)
		vm_of(m, v->vm)->vcpus--;
	if (v->keep) {
		m->odd += v->v.odd;
		m->missing += v->v.lost;
	}
	idmap__drop(&m->vcpu, id);
	model__let_go(m, v);
}

void model__drop_vm(struct model *m, __u32 id)
{
	free(vm_of(m, id));
	idmap__drop(&m->vm, id);
}

static void bury_vms(struct model *m)
{
	struct model_vm *vm;

	for (__u32 at = 0; (vm = next(&m->vm, &at));)
		if (vm->dead && !vm->vcpus && vm->burials++ == 2)
			model__drop_vm(m, vm->id);
}

void model__bury(struct model *m)
{
	struct model_vcpu *v, *after;

	for (v = m->forgotten[1]; v; v = after) {
		after = v->next;
		v->next = m->buried;
		m->buried = v;
	}
	m->forgotten[1] = m->forgotten[0];
	m->forgotten[0] = NULL;
	bury_vms(m);
}

void model__forget_dead(struct model *m)
{
	struct model_vcpu *v;

	for (__u32 at = 0; (v = next(&m->vcpu, &at));)
		if (v->v.dead)
			model__forget_vcpu(m, v->id);
	model__bury(m);
}

struct model_vcpu *model__stand_in(struct model *m, const struct model_vcpu *of)
{
	struct model_vcpu *v = blank(m);

	if (!v)
		return NULL;
	v->vm = of->vm;
	v->tgid = of->tgid;
	v->gone = true;
	return v;
}

const struct model_vm *model__keep_vm(struct model *m, const struct model *from, __u32 id)
{
	const struct model_vm *now = vm_of(from, id);
	struct model_vm *own = vm_get(m, id);

	if (!own)
		return NULL;
	if (now)
		*own = *now;
	else
		own->dead = id != 0; /* 0: those that were never introduced */
	return own;
}

int model__describe(struct model *m, const struct ks_head *r)
{
	switch (r->type) {
	case KS_VM:
		return describe_vm(m, (const void *)r);
	case KS_NAME:
		return describe_name(m, (const void *)r);
	case KS_VCPU:
		return describe_vcpu(m, (const void *)r);
	case KS_GONE:
		vcpu_gone(m, (const void *)r);
	}
	return 0;
}

/* The thread that a vCPU's record names, as vcpu.c takes it; 0: none. A descriptor's is only the
 * one that created the vCPU, as long as it has not run. */
static __u32 thread_of(const struct ks_head *r)
{
	const void *p = r;

	switch (r->type) {
	case KS_OUT:
		return ((const struct ks_out *)p)->tid;
	case KS_IN:
		return ((const struct ks_in *)p)->tid;
	case KS_SNAP:
		return ((const struct ks_snap *)p)->tid;
	}
	return 0;
}

int model__foretell(struct model *m, const struct ks_head *r)
{
	__u32 tid = thread_of(r);
	struct model_vcpu *v;

	if (!tid)
		return 0;
	v = vcpu_get(m, ((const struct ks_snap *)(const void *)r)->vcpu);
	if (!v)
		return -ENOMEM;
	if (r->ts >= v->last_tid_ns) {
		v->last_tid = tid;
		v->last_tid_ns = r->ts;
	}
	return 0;
}

/* ---- preemptors --------------------------------------------------------------------------- */

static __s32 task_find(const struct model *m, __u32 tid)
{
	__s32 i = m->bucket[tid % TASK_BUCKETS];

	while (i >= 0 && m->task[i].t.tid != tid)
		i = m->task[i].next;
	return i;
}

const struct model_task *model__task(const struct model *m, __u32 tid)
{
	__s32 i = task_find(m, tid);

	return i < 0 ? NULL : &m->task[i].t;
}

static void tasks_forget(struct model *m)
{
	struct model_vcpu *v;

	m->tasks = 0;
	memset(m->bucket, -1, sizeof(m->bucket));
	for (__u32 at = 0; (v = next(&m->vcpu, &at));)
		v->task = -1;
}

static __s32 task_add(struct model *m, __u32 tid)
{
	__u32 room = m->task_room ? m->task_room * 2 : 256;
	struct task_node *t;

	if (m->tasks >= TASKS_MAX)
		tasks_forget(m);
	if (m->tasks == m->task_room) {
		t = realloc(m->task, room * sizeof(*t));
		if (!t)
			return -1;
		m->task = t;
		m->task_room = room;
	}
	m->task[m->tasks].next = m->bucket[tid % TASK_BUCKETS];
	m->bucket[tid % TASK_BUCKETS] = m->tasks;
	return m->tasks++;
}

static int on_task(struct model *m, const struct ks_task *r)
{
	__s32 i = task_find(m, r->tid);
	struct model_task *t;

	if (i < 0 || m->task[i].t.start_ns != r->start_ns)
		i = task_add(
			m, r->tid); /* a tid used again: absences may still refer to the old one */
	if (i < 0)
		return -ENOMEM;
	t = &m->task[i].t;
	memset(t, 0, sizeof(*t));
	t->tid = r->tid;
	t->tgid = r->tgid;
	t->start_ns = r->start_ns;
	t->vm = r->vm;
	t->vcpu = r->vcpu;
	t->kind = r->h.what;
	memcpy(t->comm, r->comm, KS_COMM_LEN);
	return 0;
}

/* ---- records ------------------------------------------------------------------------------ */

static bool kept(struct model *m, struct model_vcpu *v)
{
	const struct model_vm *vm;

	if (v->keep >= 0)
		return v->keep;
	if (!filter__any(m->filter)) {
		v->keep = 1;
		return true;
	}
	vm = model__vm(m, v->vm);
	if (v->vcpu_id < 0 || !vm)
		return true; /* not introduced yet: ask again later */
	v->keep = filter__vcpu(m->filter, vm->name, v->tgid, vm->cgroup, v->vcpu_id,
			       v->last_tid ?: v->v.tid);
	return v->keep;
}

struct model_vcpu *model__vcpu_known(struct model *m, __u32 id)
{
	struct model_vcpu *v = vcpu_of(m, id);

	return v && v->vm && kept(m, v) ? v : NULL;
}

static const struct model_task *preemptor(const struct model *m, const struct model_vcpu *v,
					  const struct absence *a)
{
	if (a->by == KS_BY_NONE)
		return NULL;
	/* else introduced a little late */
	return v->task >= 0 ? &m->task[v->task].t : model__task(m, a->next_tid);
}

static void tell_to(const struct model_listener *to, const struct model *m, struct model_vcpu *v,
		    const struct absence *open, const struct step *s)
{
	const struct absence *a = s->ended ? &s->absence : open;

	for (unsigned i = 0; to->span && i < s->spans; i++)
		to->span(to->ctx, v, &s->span[i], a, preemptor(m, v, a));
	if (s->ended && to->absence)
		to->absence(to->ctx, v, &s->absence, preemptor(m, v, &s->absence));
}

static void tell(struct model *m, struct model_vcpu *v, const struct absence *open,
		 const struct step *s)
{
	tell_to(&m->to, m, v, open, s);
}

static int on_step(struct model *m, const struct ks_head *r, __u32 id)
{
	struct model_vcpu *v = vcpu_get(m, id);
	struct absence open;
	struct step s;

	if (!v)
		return -ENOMEM;
	open = v->v.out;
	vcpu__step(&v->v, r, &s);
	if (!kept(m, v))
		return 0;
	tell(m, v, &open, &s);
	if (r->type == KS_OUT)
		v->task = r->what == KS_BY_NONE ? -1 : task_find(m, v->v.out.next_tid);
	if (m->to.event)
		m->to.event(m->to.ctx, v, r, &s);
	return 0;
}

static int on_vcpu(struct model *m, const struct ks_vcpu *r)
{
	struct model_vcpu *v;
	struct step s;

	if (describe_vcpu(m, r))
		return -ENOMEM;
	v = vcpu_of(m, r->vcpu);
	if (!(r->h.mask & KS_M_CREATED) || r->h.ts <= m->session->start_ns)
		return 0;
	vcpu__created(&v->v, r->h.ts, &s);
	if (!kept(m, v))
		return 0;
	tell(m, v, &v->v.out, &s);
	if (m->to.event)
		m->to.event(m->to.ctx, v, &r->h, &s);
	return 0;
}

int model__record(struct model *m, const struct ks_head *r)
{
	m->events++;
	switch (r->type) {
	case KS_GONE:
		vcpu_gone(m, (const void *)r);
		/* fallthrough */
	case KS_OUT:
	case KS_IN:
	case KS_LOADS:
	case KS_LOAD:
	case KS_PUT:
	case KS_SNAP:
		return on_step(m, r, ((const struct ks_gone *)(const void *)r)->vcpu);
	case KS_VCPU:
		return on_vcpu(m, (const void *)r);
	case KS_TASK:
		return on_task(m, (const void *)r);
	}
	return model__describe(m, r);
}

void model__peek(struct model *m, __u64 at_ns, const struct model_listener *to)
{
	struct model_vcpu *v;
	struct vcpu copy;
	struct step s;

	for (__u32 i = 0; (v = next(&m->vcpu, &i));) {
		if (!kept(m, v))
			continue;
		copy = v->v;
		if (v->created_ns > at_ns)
			copy.state = ST_ABSENT; /* known ahead of its time */
		vcpu__end(&copy, at_ns, &s);
		tell_to(to, m, v, &copy.out, &s);
	}
}

void model__end(struct model *m, __u64 end_ns)
{
	struct model_vcpu *v;
	struct step s;

	for (__u32 at = 0; (v = next(&m->vcpu, &at));) {
		if (!kept(m, v))
			continue;
		vcpu__end(&v->v, end_ns, &s);
		tell(m, v, &v->v.out, &s);
	}
}

__u64 model__events(const struct model *m)
{
	return m->events;
}

__u64 model__odd(const struct model *m)
{
	struct model_vcpu *v;
	__u64 n = m->odd;

	for (unsigned at = 0; (v = model__next(m, &at));)
		n += v->v.odd;
	return n;
}

__u64 model__missing(const struct model *m)
{
	struct model_vcpu *v;
	__u64 n = m->missing;

	for (unsigned at = 0; (v = model__next(m, &at));)
		n += v->v.lost;
	return n;
}

struct model_vcpu *model__next(const struct model *m, unsigned *at)
{
	struct model_vcpu *v;

	while ((v = next(&m->vcpu, at)) && !v->keep)
		;
	return v;
}

void model__free(struct model *m)
{
	struct model_vcpu *v;
	struct model_vm *vm;

	if (!m)
		return;
	for (__u32 at = 0; (v = next(&m->vcpu, &at));)
		model__let_go(m, v);
	for (__u32 at = 0; (vm = next(&m->vm, &at));)
		free(vm);
	idmap__free(&m->vcpu);
	idmap__free(&m->vm);
	model__bury(m);
	model__bury(m);
	while ((v = m->buried)) {
		m->buried = v->next;
		free(v);
	}
	free(m->task);
	free(m);
}
