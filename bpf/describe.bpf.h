/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who is who: VMs, vCPUs, and the tasks that take a vCPU's CPU are introduced before they are
 * named in a record. Descriptors go to a ring of their own (meta), because some are written
 * preemptibly and their times may not be in order.
 */
#ifndef KVMSCHED_DESCRIBE_BPF_H
#define KVMSCHED_DESCRIBE_BPF_H

#include "compat.bpf.h"
#include "state.bpf.h"
#include "step.h"

static int describe(void *rec, __u64 size)
{
	__u64 flags = bpf_ringbuf_query(&meta, BPF_RB_AVAIL_DATA) > META_BYTES / 2
			      ? BPF_RB_FORCE_WAKEUP
			      : BPF_RB_NO_WAKEUP;
	long err = bpf_ringbuf_output(&meta, rec, size, flags);

	if (err)
		__sync_fetch_and_add(&ctl.meta_lost, 1);
	return err;
}

static void vm_describe(struct vm *vm, struct task_struct *t, __u64 ts)
{
	struct task_struct *leader = t->group_leader;
	struct ks_vm rec = {};

	rec.h.ts = ts;
	rec.h.type = KS_VM;
	rec.vm = vm->id;
	rec.tgid = t->tgid;
	rec.cgroup = leader->cgroups->dfl_cgrp->kn->id;
	bpf_probe_read_kernel(rec.comm, sizeof(rec.comm), leader->comm);
	vm->described = !describe(&rec, sizeof(rec));
}

static __u32 vm_get(__u64 kvm, struct task_struct *t)
{
	struct vm *vm = bpf_map_lookup_elem(&vms, &kvm), fresh = {};
	__u32 tgid = t->tgid;
	struct owner own = {};

	if (!vm) {
		fresh.id = __sync_fetch_and_add(&ctl.next_vm, 1) + 1;
		own.vm = fresh.id;
		own.start_ns = t->group_leader->start_time;
		/* NOEXIST: another of its vCPUs may be faster */
		if (!bpf_map_update_elem(&vms, &kvm, &fresh, BPF_NOEXIST)) {
			bpf_map_update_elem(&vmms, &tgid, &own, BPF_ANY);
			__sync_fetch_and_add(&ctl.task_gen, 1);
		}
		vm = bpf_map_lookup_elem(&vms, &kvm);
		if (!vm)
			return 0;
	}
	__sync_fetch_and_add(&vm->vcpus, 1);
	return vm->id;
}

/* The VMM stays known: it is its VM's also while it exits. */
static void vm_put(__u64 kvm)
{
	struct vm *vm = bpf_map_lookup_elem(&vms, &kvm);

	if (vm && __sync_fetch_and_add(&vm->vcpus, -1) == 1)
		bpf_map_delete_elem(&vms, &kvm);
}

/* Introduces a vCPU and, the first time, its VM. What does not fit into the ring is tried again at
 * the vCPU's next event (see filter()). */
static void slot_describe(struct ks_slot *s, struct task_struct *t)
{
	__u64 kvm = s->kvm;
	struct vm *vm = bpf_map_lookup_elem(&vms, &kvm);
	struct ks_vcpu rec = {};

	if (vm && !vm->described)
		vm_describe(vm, t, s->born_ts);
	rec.h.ts = s->born_ts;
	rec.h.type = KS_VCPU;
	rec.h.mask = s->created ? KS_M_CREATED : 0;
	rec.vcpu = s->id;
	rec.vm = s->vm;
	rec.vcpu_id = s->vcpu_id;
	rec.tgid = s->tgid;
	rec.tid = s->tid;
	s->undescribed = describe(&rec, sizeof(rec)) || (vm && !vm->described);
}

/* Who a thread or process belongs to, unless its number was another's before. */
static struct owner *owner_of(void *map, __u32 id, __u64 start_ns)
{
	struct owner *own = bpf_map_lookup_elem(map, &id);

	return own && (!own->start_ns || own->start_ns == start_ns) ? own : NULL;
}

/* The preemptor's kind and VM; introduces it where this CPU has not done so yet. */
static __noinline int task_new(struct task *e, struct task_struct *t, __u64 ts)
{
	__u32 tid = t->pid, tgid = t->tgid;
	bool kthread = t->flags & PF_KTHREAD;
	struct owner *own;
	struct ks_task rec = {};

	if (!e)
		return 0;
	e->tid = tid;
	e->start_ns = t->start_time;
	e->gen = ctl.task_gen;
	e->tgid = tgid;
	e->vm = 0;
	e->kind = kthread ? KS_K_KERNEL : KS_K_HOST;
	if (!kthread) {
		own = owner_of(&threads, tid, e->start_ns);
		if (own) {
			e->kind = KS_K_VCPU;
		} else {
			own = owner_of(&vmms, tgid, t->group_leader->start_time);
			if (own)
				e->kind = KS_K_VMM;
		}
		if (own) {
			e->vm = own->vm;
			rec.vcpu = own->vcpu;
		}
	}
	rec.h.ts = ts;
	rec.h.type = KS_TASK;
	rec.h.what = e->kind;
	rec.tid = tid;
	rec.start_ns = e->start_ns;
	rec.tgid = tgid;
	rec.vm = e->vm;
	__builtin_memcpy(rec.comm, e->comm, sizeof(rec.comm));
	e->known = !cfg.records || !describe(&rec, sizeof(rec)); /* no record names it */
	return 0;
}

static __always_inline __u8 preemptor(const struct ks_slot *s, struct task_struct *next, __u32 cpu,
				      bool throttled, __u64 ts, __u32 *vm)
{
	__u32 tid = next->pid, at = cpu << TASKS_BITS | (tid & ((1 << TASKS_BITS) - 1));
	struct task *e = bpf_map_lookup_elem(&tasks, &at);
	__u64 start = next->start_time, comm[2] = {};

	*vm = 0;
	if (!e)
		return KS_BY_NONE;
	bpf_probe_read_kernel(comm, sizeof(comm), next->comm);
	if (e->tid != tid || e->start_ns != start || e->gen != ctl.task_gen || !e->known ||
	    e->comm[0] != comm[0] || e->comm[1] != comm[1]) {
		e->comm[0] = comm[0];
		e->comm[1] = comm[1];
		task_new(e, next, ts);
	}
	/* one process may have several VMs: its own threads are the victim's */
	*vm = e->kind == KS_K_VMM && e->tgid == s->tgid ? s->vm : e->vm;
	return ks_class(throttled, s->vm, e->kind, *vm);
}

#endif
