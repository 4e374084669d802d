// SPDX-License-Identifier: BSD-2-Clause
/*
 * vCPUs and VMs stay until a forgotten record says that they are gone. Of tasks, those that were
 * introduced last, four per remainder of the tid: the kernel introduces a task once and again only
 * when it has forgotten it itself, so an old introduction may be needed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flight_who.h"
#include "keep_seq.h"
#include "record.h"

#define SETS 8192U
#define WAYS 4U

enum phase { PHASE_UNKNOWN, PHASE_LOADED, PHASE_USER, PHASE_OUT };

struct who_vcpu {
	struct ks_vcpu introduced; /* type 0: not */
	__u32 seq;		   /* of its last forgotten record */
	__u32 tid;
	__u16 cpu;
	__u8 phase, reason;
	bool gone;
	/* of the dump */
	bool has_behind;
	__u32 before; /* the number that its first record follows */
	__u32 last;
	__u32 behind; /* the number that the first record behind it follows */
	__u64 count;
};

struct who_vm {
	struct ks_vm vm;
	struct ks_name name; /* type 0: not known */
	__u32 vcpus;
};

int who__init(struct who *w)
{
	*w = (struct who){.vcpus.size = (sizeof(struct who_vcpu) + 7) & ~7UL,
			  .vms.size = (sizeof(struct who_vm) + 7) & ~7UL,
			  .task = calloc(SETS * WAYS, sizeof(*w->task))};
	return w->task ? 0 : -ENOMEM;
}

void who__free(struct who *w)
{
	idmap__free(&w->vcpus);
	idmap__free(&w->vms);
	free(w->task);
}

/* ---- what is forgotten -------------------------------------------------------------------- */

static void on_vm(struct who *w, const struct ks_head *r)
{
	__u32 id = ((const struct ks_vm *)(const void *)r)->vm;
	struct who_vm *vm = idmap__make(&w->vms, id);

	if (vm && r->type == KS_VM)
		memcpy(&vm->vm, r, sizeof(vm->vm));
	else if (vm)
		memcpy(&vm->name, r, sizeof(vm->name));
}
_Static_assert(offsetof(struct ks_vm, vm) == offsetof(struct ks_name, vm), "on_vm()");

static void on_vcpu(struct who *w, const struct ks_vcpu *r)
{
	struct who_vcpu *v = idmap__make(&w->vcpus, r->vcpu);
	struct who_vm *vm = idmap__make(&w->vms, r->vm);

	if (!v || !vm)
		return;
	vm->vcpus += !v->introduced.h.type;
	v->introduced = *r;
	if (!v->seq)
		v->seq = r->seq;
	if (!v->tid)
		v->tid = r->tid;
}

/* In its set: in place of itself, or of the one that was introduced first. */
static void on_task(struct who *w, const struct ks_task *r)
{
	struct ks_task *set = &w->task[r->tid % SETS * WAYS], *at = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].h.type && set[i].tid == r->tid) {
			at = &set[i];
			break;
		}
		if (set[i].h.ts < at->h.ts)
			at = &set[i];
	}
	*at = *r;
}

static void drop(struct who *w, __u32 id)
{
	struct who_vcpu *v = idmap__get(&w->vcpus, id);
	__u32 vm = v->introduced.vm;
	struct who_vm *m = v->introduced.h.type ? idmap__get(&w->vms, vm) : NULL;

	if (m && !--m->vcpus)
		idmap__drop(&w->vms, vm);
	idmap__drop(&w->vcpus, id);
}

static void on_gone(struct who *w, const struct ks_gone *r)
{
	struct who_vcpu *v = idmap__get(&w->vcpus, r->vcpu);

	if (!v)
		return;
	v->gone = true;
	if (!w->open)
		drop(w, r->vcpu);
}

/* The snapshot at the start holds until the first record. */
static void on_snap(struct who *w, const struct ks_snap *r)
{
	struct who_vcpu *v = idmap__make(&w->vcpus, r->vcpu);

	if (!v || v->phase != PHASE_UNKNOWN || r->h.mask & KS_M_END)
		return;
	v->phase = r->h.mask & KS_M_OUT	   ? PHASE_OUT
		   : r->h.mask & KS_M_USER ? PHASE_USER
					   : PHASE_LOADED;
	v->reason = r->reason;
	v->cpu = r->cpu;
	v->tid = r->tid;
	v->seq = r->seq;
}

/* OUT, IN, LOADS, LOAD, PUT */
static void on_step(struct who *w, const struct ks_head *r)
{
	const struct ks_out *out = (const void *)r; /* vcpu, seq and tid are at one place in all */
	struct who_vcpu *v = idmap__get(&w->vcpus, out->vcpu) ?: idmap__make(&w->vcpus, out->vcpu);

	/* a vCPU's records are in several streams, which are forgotten one after the other */
	if (!v || (__s32)(out->seq - v->seq) < 0)
		return;
	v->seq = out->seq;
	if (r->type != KS_LOADS)
		v->tid = out->tid;
	switch (r->type) {
	case KS_OUT:
		v->phase = PHASE_OUT;
		v->reason = out->reason;
		v->cpu = out->cpu;
		break;
	case KS_IN:
		v->phase = PHASE_LOADED;
		v->cpu = ((const struct ks_in *)(const void *)r)->cpu;
		break;
	case KS_LOADS:
		v->phase = r->mask & KS_M_USER ? PHASE_USER : PHASE_LOADED;
		v->cpu = ((const struct ks_loads *)(const void *)r)->cpu;
		break;
	default:
		v->phase = r->type == KS_PUT ? PHASE_USER : PHASE_LOADED;
		v->cpu = ((const struct ks_load *)(const void *)r)->cpu;
	}
}

static void on_descriptor(struct who *w, const struct ks_head *r)
{
	switch (r->type) {
	case KS_VM:
	case KS_NAME:
		on_vm(w, r);
		break;
	case KS_VCPU:
		on_vcpu(w, (const void *)r);
		break;
	case KS_TASK:
		on_task(w, (const void *)r);
		break;
	case KS_GONE:
		on_gone(w, (const void *)r);
		break;
	case KS_SNAP:
		on_snap(w, (const void *)r);
	}
}

void who__forgotten(struct who *w, const char *records, size_t bytes)
{
	const struct ks_head *r;

	for (size_t at = 0; at < bytes; at += record__size(r->type)) {
		r = (const void *)(records + at);
		if (r->type < KS_VCPU)
			on_step(w, r);
		else
			on_descriptor(w, r);
	}
}

/* ---- who it is ---------------------------------------------------------------------------- */

void who__vcpu(const struct who *w, __u32 id, struct ks_vcpu *r)
{
	const struct who_vcpu *v = idmap__get(&w->vcpus, id);

	if (v && v->introduced.h.type)
		*r = v->introduced;
}

void who__vm(const struct who *w, __u32 id, struct ks_vm *r, struct ks_name *name)
{
	const struct who_vm *vm = idmap__get(&w->vms, id);

	if (vm && vm->vm.h.type)
		*r = vm->vm;
	if (vm && vm->name.h.type)
		*name = vm->name;
}

void who__task(const struct who *w, __u32 tid, struct ks_task *r)
{
	const struct ks_task *set = &w->task[tid % SETS * WAYS];

	for (unsigned i = 0; tid && i < WAYS; i++)
		if (set[i].h.type && set[i].tid == tid)
			*r = set[i];
}

/* ---- a dump ------------------------------------------------------------------------------- */

void who__open(struct who *w)
{
	struct who_vcpu *v;

	w->open = true;
	for (__u32 at = 0; (v = idmap__next(&w->vcpus, &at));) {
		v->before = v->last = v->seq;
		v->count = 0;
		v->has_behind = false;
	}
}

static int put_vm(const struct who_vm *vm, __u64 ts, struct keep_pile *to)
{
	struct ks_vm r = vm->vm;
	struct ks_name name = vm->name;
	int err = 0;

	r.h.ts = name.h.ts = ts;
	if (r.h.type)
		err = keep_pile__put(to, &r, sizeof(r));
	if (!err && name.h.type)
		err = keep_pile__put(to, &name, sizeof(name));
	return err;
}

static int put_vcpu(const struct who_vcpu *v, __u64 ts, struct keep_pile *to)
{
	struct ks_vcpu r = v->introduced;

	r.h.ts = ts;
	r.h.mask &= ~KS_M_CREATED;
	r.seq = v->before;
	r.tid = v->tid;
	return keep_pile__put(to, &r, sizeof(r));
}

static int put_state(const struct who_vcpu *v, const struct session *s, struct keep_pile *to)
{
	struct ks_snap r = {.h = {.ts = s->start_ns, .type = KS_SNAP, .mask = s->fields},
			    .vcpu = v->introduced.vcpu,
			    .seq = v->before,
			    .tid = v->tid,
			    .cpu = v->cpu};

	if (v->phase == PHASE_OUT) {
		r.h.mask |= KS_M_OUT;
		r.reason = v->reason;
	}
	if (v->phase == PHASE_USER)
		r.h.mask |= KS_M_USER;
	return keep_pile__put(to, &r, sizeof(r));
}

int who__put_start(const struct who *w, const struct session *s, struct keep_pile *to)
{
	const struct who_vcpu *v;
	const struct who_vm *vm;
	int err = 0;

	for (__u32 at = 0; !err && (vm = idmap__next(&w->vms, &at));)
		err = put_vm(vm, s->start_ns, to);
	for (__u32 at = 0; !err && (v = idmap__next(&w->vcpus, &at));) {
		if (!v->introduced.h.type || v->gone)
			continue;
		err = put_vcpu(v, s->start_ns, to);
		if (!err && v->phase != PHASE_UNKNOWN)
			err = put_state(v, s, to);
	}
	for (unsigned i = 0; !err && i < SETS * WAYS; i++) {
		struct ks_task r = w->task[i];

		r.h.ts = s->start_ns;
		if (r.h.type)
			err = keep_pile__put(to, &r, sizeof(r));
	}
	return err;
}

void who__inside(struct who *w, const struct ks_head *r)
{
	const struct ks_vcpu *d = (const void *)r;
	struct keep_seq_number n;
	struct who_vcpu *v;

	if (r->type != KS_VCPU && !keep_seq__number(r, &n))
		return;
	v = idmap__make(&w->vcpus, d->vcpu); /* vcpu: at the same place in all */
	if (!v)
		return;
	if (r->type == KS_VCPU) {
		if (!v->count && !v->last)
			v->before = v->last = d->seq;
		return;
	}
	v->count += r->type < KS_VCPU;
	if ((__s32)(n.last - v->last) > 0)
		v->last = n.last;
}

void who__behind(struct who *w, const struct ks_head *r)
{
	struct keep_seq_number n;
	struct who_vcpu *v;

	if (!keep_seq__number(r, &n))
		return;
	v = idmap__get(&w->vcpus, n.vcpu);
	if (!v || (v->has_behind && (__s32)(n.previous - v->behind) >= 0))
		return;
	v->has_behind = true;
	v->behind = n.previous;
}

static __u32 tail(const struct who_vcpu *v)
{
	return v->has_behind && (__s32)(v->behind - v->last) > 0 ? v->behind - v->last : 0;
}

__u64 who__missing(const struct who *w)
{
	const struct who_vcpu *v;
	__u64 n = 0;

	for (__u32 at = 0; (v = idmap__next(&w->vcpus, &at));) {
		__u64 had = v->last - v->before;

		n += (had > v->count ? had - v->count : 0) + tail(v);
	}
	return n;
}

int who__put_tails(const struct who *w, const struct session *s, struct keep_pile *to)
{
	const struct who_vcpu *v;
	int err = 0;

	for (__u32 at = 0; !err && (v = idmap__next(&w->vcpus, &at));) {
		struct ks_snap r = {
			.h = {.ts = s->end_ns, .type = KS_SNAP, .mask = s->fields | KS_M_END},
			.vcpu = at - 1,
			.seq = v->behind,
			.lost = tail(v)};

		if (r.lost)
			err = keep_pile__put(to, &r, sizeof(r));
	}
	return err;
}

void who__close(struct who *w)
{
	const struct who_vcpu *v;

	w->open = false;
	for (__u32 at = 0; (v = idmap__next(&w->vcpus, &at));)
		if (v->gone)
			drop(w, at - 1);
}
