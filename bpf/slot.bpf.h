/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A slot per vCPU: found by its address, filled when the vCPU is first seen, filtered once and
 * again when a list changes.
 */
#ifndef KVMSCHED_SLOT_BPF_H
#define KVMSCHED_SLOT_BPF_H

#include <bpf/bpf_core_read.h>
#include "compat.bpf.h"
#include "describe.bpf.h"
#include "state.bpf.h"

static __always_inline bool cpu_wanted(__u32 cpu)
{
	return cpu < KS_CPUS_MAX &&
	       (cfg.cpus[(cpu / 64) & (KS_CPUS_MAX / 64 - 1)] >> (cpu % 64)) & 1;
}

static bool vcpu_id_wanted(__s32 id)
{
	if (!cfg.vcpu_ranges)
		return true;
	for (int i = 0; i < KS_VCPU_RANGES; i++)
		if (i < cfg.vcpu_ranges && id >= cfg.vcpus[i].from && id <= cfg.vcpus[i].to)
			return true;
	return false;
}

static bool cgroup_wanted(const struct task_struct *t)
{
	struct cgroup *cg;

	if (!cfg.cgroups)
		return true;
	cg = t->cgroups->dfl_cgrp;
	for (int i = 0; i < KS_CGROUPS; i++)
		if (i < (int)cfg.cgroups && cgroup_below(cg, cfg.cgroup[i].level, cfg.cgroup[i].id))
			return true;
	return false;
}

static bool listed(void *map, __u32 key, bool otherwise)
{
	__u32 *v = bpf_map_lookup_elem(map, &key);

	return v ? *v : otherwise;
}

/* Kinds AND, values of a kind OR. Run when the vCPU is new, changes its thread, or a list changed;
 * the next event's slot_wanted() makes use of it. */
static __noinline int filter(struct ks_slot *s, struct task_struct *t)
{
	bool keep;

	if (!s)
		return 0;
	s->hot = 0;
	s->lists_gen = __sync_fetch_and_add(&ctl.lists_gen, 0); /* before the lists */
	keep = vcpu_id_wanted(s->vcpu_id);
	if (keep && cfg.by_tgid)
		keep = listed(&filter_tgid, s->tgid, cfg.by_name);
	if (keep && cfg.by_tid)
		keep = listed(&filter_tid, s->run_tid ?: s->tid, false);
	if (t->tgid == (pid_t)s->tgid)
		s->in_cgroup = cgroup_wanted(t);
	keep = keep && s->in_cgroup;
	if (keep && (s->undescribed || !s->introduced)) {
		s->introduced = 1;
		slot_describe(s, t);
	}
	s->keep = !keep ? KS_DROP : s->undescribed ? KS_ASK : KS_KEEP; /* ASK: come again */
	return 0;
}

/* The thread that last did KVM_RUN on this vCPU; VMs also load vCPUs from other threads. */
static __u32 vcpu_run_tid(__u64 vcpu)
{
	struct pid *pid = BPF_CORE_READ((struct kvm_vcpu *)vcpu, pid);

	return pid ? BPF_CORE_READ(pid, numbers[0].nr) : 0;
}

/* The vCPU's thread is nothing special any more; its number may become another's. */
static __noinline int thread_forget(struct ks_slot *s)
{
	struct owner *own;
	__u32 tid;

	if (!s)
		return 0;
	tid = s->run_tid;
	own = bpf_map_lookup_elem(&threads, &tid);
	if (own && own->vcpu == s->id) {
		bpf_map_delete_elem(&threads, &tid);
		__sync_fetch_and_add(&ctl.task_gen, 1);
	}
	return 0;
}

/* Another task has the vCPU: is another thread to run it? */
static __noinline int bind(struct ks_slot *s, struct task_struct *t)
{
	struct owner own = {};
	__u32 tid;

	if (!s)
		return 0;
	s->tid = t->pid;
	tid = vcpu_run_tid(s->vcpu);
	if (!tid || tid == s->run_tid)
		return 0;
	thread_forget(s);
	s->run_tid = tid;
	own.vcpu = s->id;
	own.vm = s->vm;
	own.start_ns = tid == (__u32)t->pid ? t->start_time : 0;
	bpf_map_update_elem(&threads, &tid, &own, BPF_ANY);
	__sync_fetch_and_add(&ctl.task_gen, 1);
	filter(s, t);
	return 0;
}

/* ---- slots -------------------------------------------------------------------------------- */

static __always_inline struct ks_slot *slot_at(__u32 index)
{
	return &slots[index & (KS_SLOTS - 1)];
}

/* 32 bits of a pointer are a number to the verifier; it may also be compared with one. */
static __always_inline __u32 slot_bucket(__u64 vcpu)
{
	return ((__u32)vcpu * 0x9e3779b1U) >> (32 - SLOT_BITS);
}

struct claim {
	__u64 vcpu;
	__u32 first;
	__u32 at; /* + 1; 0 = none free */
	__u32 owner;
};

static long claim_one(__u32 i, struct claim *c)
{
	__u32 at = (c->first + i) & (KS_SLOTS - 1);
	struct ks_slot *s = &slots[at];

	if (at >= cfg.slots || s->vcpu || __sync_val_compare_and_swap(&s->vcpu, 0, c->vcpu))
		return 0;
	c->at = at + 1;
	return 1;
}

/* The first free slot from the vCPU's own on; returns its index + 1. */
static __u32 slot_claim(__u64 vcpu)
{
	struct claim c = {.vcpu = vcpu, .first = slot_bucket(vcpu)};

	bpf_loop(KS_SLOTS, claim_one, &c, 0); /* 5.17 */
	return c.at;
}

static long agg_claim_one(__u32 i, struct claim *c)
{
	__u32 at = (c->first + i) % cfg.aggs & (KS_SLOTS - 1);

	if (agg_owner[at] || __sync_val_compare_and_swap(&agg_owner[at], 0, c->owner))
		return 0;
	c->at = at + 1;
	return 1;
}

/* The number of a new vCPU: where there is aggregation, its sums' place + 1; 0 = none is free. */
static __u32 vcpu_number(__u32 slot)
{
	__u32 next = __sync_fetch_and_add(&ctl.next_vcpu, 1);
	struct claim c = {.owner = slot + 1, .first = next};

	if (!cfg.aggregate)
		return next + 1;
	if (cfg.aggs)
		bpf_loop(cfg.aggs, agg_claim_one, &c, 0);
	return c.at;
}

static __always_inline void agg_born(struct ks_slot *s)
{
	__u32 at = s->id - 1;
	struct ks_agg *a = bpf_map_lookup_elem(&aggs, &at);

	s->agg.at = at;
	if (a) {
		a->born_ns = s->born_ts;
		a->created = s->created;
	}
}

/* Each vCPU counts once: it is asked for again at its next event. */
static __u32 refuse(__u64 vcpu)
{
	__u32 value = 0;

	if (!bpf_map_update_elem(&refused, &vcpu, &value, BPF_NOEXIST))
		__sync_fetch_and_add(&ctl.untracked, 1);
	return 0;
}

/* A vCPU seen for the first time. t: a task of its VMM. Returns the slot's index + 1. */
static __noinline __u32 slot_new(__u64 vcpu, __u64 ts, __u32 created, struct task_struct *t)
{
	const struct kvm_vcpu *v = (const struct kvm_vcpu *)vcpu;
	struct ks_slot *s;
	__u32 index;

	if (ts >= ctl.end_ns)
		return 0; /* its descriptor would be later than what closes the recording */
	index = slot_claim(vcpu);
	if (!index)
		return refuse(vcpu);
	index--;
	s = slot_at(index);
	if (bpf_map_update_elem(&slot_of, &vcpu, &index, BPF_NOEXIST)) {
		__u32 *other = bpf_map_lookup_elem(&slot_of, &vcpu);

		s->vcpu = 0; /* the snapshot and a hook met; or the map is full */
		return other ? *other + 1 : 0;
	}
	__builtin_memset(&s->kvm, 0, sizeof(*s) - __builtin_offsetof(struct ks_slot, kvm));
	s->id = vcpu_number(index);
	if (!s->id) {
		bpf_map_delete_elem(&slot_of, &vcpu);
		s->vcpu = 0;
		return refuse(vcpu);
	}
	s->in_cgroup = 1;
	s->kvm = (__u64)BPF_CORE_READ(v, kvm);
	s->vcpu_id = BPF_CORE_READ(v, vcpu_id);
	s->tid = t->pid;
	s->tgid = t->tgid;
	s->vm = vm_get(s->kvm, t);
	s->born_ts = ts;
	s->created = created;
	if (created) {
		s->phase = KS_P_USER;
		s->put_ts = ts;
	}
	if (cfg.aggregate)
		agg_born(s);
	bind(s, t);
	filter(s, t);
	return index + 1;
}

static __noinline __u32 slot_slow(__u64 vcpu)
{
	__u32 bucket = slot_bucket(vcpu), at = moved[bucket & (KS_SLOTS - 1)], *index;

	if (slot_at(bucket)->vcpu == vcpu) /* not wanted, or to be asked again */
		return bucket + 1;
	if (slot_at(at)->vcpu == vcpu)
		return at + 1;
	index = bpf_map_lookup_elem(&slot_of, &vcpu);
	at = index ? *index + 1 : slot_new(vcpu, now(), 0, bpf_get_current_task_btf());
	if (at)
		moved[bucket & (KS_SLOTS - 1)] = at - 1;
	return at;
}

/* Do the filters want this vCPU? If so, its next events need not ask. */
static __noinline int slot_wanted(struct ks_slot *s)
{
	struct task_struct *t = bpf_get_current_task_btf();

	if (!s || s->keep == KS_NEW || s->keep == KS_CLOSED)
		return 0;
	if (cfg.by_tid && s->run_tid != (__u32)t->pid)
		bind(s, t);
	if (s->keep == KS_ASK || s->lists_gen != *(volatile __u32 *)&ctl.lists_gen)
		filter(s, t);
	if (s->keep == KS_KEEP) {
		/* user space changes the list, raises lists_gen, clears hot: none is missed */
		__sync_lock_test_and_set(&s->hot, s->vcpu);
		if (s->lists_gen != *(volatile __u32 *)&ctl.lists_gen)
			s->hot = 0;
	}
	return s->keep != KS_DROP;
}

/* The slot of the vCPU at `vcpu`, which lies `before` bytes before the hooked function's argument;
 * NULL: none, or the filters do not want it. */
static __always_inline struct ks_slot *slot_find(void *ctx, const void *vcpu, __u32 before)
{
	struct ks_slot *s = &slots[slot_bucket((__u64)vcpu)];
	__u32 at;

	if (s->hot == (__u64)vcpu)
		return s;
	at = slot_slow(first_arg(ctx) - before);
	if (!at)
		return NULL;
	s = slot_at(at - 1);
	return slot_wanted(s) ? s : NULL;
}

static __always_inline struct ks_slot *slot_notified(void *ctx, struct preempt_notifier *pn)
{
	return slot_find(ctx, notified(pn),
			 bpf_core_field_offset(struct kvm_vcpu, preempt_notifier));
}

#endif
