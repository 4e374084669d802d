/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a kernel that obeys its rules, in --full mode: of Linux 6.12, or with `old` of 6.1. A
 * test takes one, spoils a field, and hands it on.
 */
#ifndef KVMSCHED_TESTS_KVM_RECORDS_H
#define KVMSCHED_TESTS_KVM_RECORDS_H

#include "check.h"
#include "rules.h"
#include "scene.h"

#define KVM_NEW	  (SCENE_FIELDS | KS_M_SCHED_DELAYED)
#define KVM_OLD	  (KS_M_BLOCKING | KS_M_RUN_DELAY | KS_M_QUOTA)
#define KVM_VCPUS 4

struct kvm {
	struct session s;
	bool old;
	__u64 now;
	struct {
		__u32 seq, tid;
		__u16 cpu;
		__u8 out_flags; /* at the end of kvm_sched_out() */
		__u8 reason;
		struct model_vcpu v;
	} vcpu[KVM_VCPUS + 1];
	struct check *check;
};

static inline void kvm_begin(struct kvm *k, bool old, const struct automaton *const *rules,
			     unsigned count)
{
	memset(k, 0, sizeof(*k));
	k->old = old;
	k->s = scene_session(MODE_FULL);
	k->s.fields = old ? KVM_OLD : KVM_NEW;
	k->now = SCENE_START;
	for (__u32 v = 1; v <= KVM_VCPUS; v++) {
		k->vcpu[v].tid = 100 + v;
		k->vcpu[v].cpu = v;
		k->vcpu[v].v.id = v;
		k->vcpu[v].v.vm = 1;
		k->vcpu[v].v.vcpu_id = v - 1;
	}
	k->check = check__new(&k->s, rules, count);
	if (!k->check)
		abort();
}

static inline void kvm_end(struct kvm *k)
{
	check__free(k->check);
	k->check = NULL;
}

static inline void kvm_hand(struct kvm *k, __u32 v, const union rec *r)
{
	if (check__record(k->check, &k->vcpu[v].v, &r->h, true))
		abort();
}

/* The flags that the vCPU has anyway: inside KVM_RUN. */
static inline __u8 kvm_wants(const struct kvm *k, __u8 reason)
{
	return k->old || reason == KS_R_IOCTL ? 0 : KS_F_WANTS_TO_RUN;
}

static inline union rec kvm_out(struct kvm *k, __u32 v, __u8 reason)
{
	bool runnable = reason == KS_R_PREEMPTED || reason == KS_R_IOCTL;
	__u8 wants = kvm_wants(k, reason), flags = wants | (k->old ? 0 : KS_F_SCHEDULED_OUT);
	union rec r = rec_out(v, ++k->vcpu[v].seq, k->now += 1000000, reason);

	if (runnable && (k->old || wants))
		flags |= KS_F_PREEMPTED | KS_F_READY;
	r.h.mask = (k->s.fields & ~KS_M_RUN_DELAY) | KS_M_POINTS;
	r.out.tid = k->vcpu[v].tid;
	r.out.cpu = k->vcpu[v].cpu;
	r.out.task = runnable ? 1 : 0;
	r.out.entry_ns = 900;
	r.out.put_entry_ns = 700;
	r.out.put_exit_ns = 200;
	r.out.flags[0] = wants;
	r.out.flags[1] = r.out.flags[2] = r.out.flags[3] = flags;
	if (reason == KS_R_HALTED)
		r.out.flags[1] = r.out.flags[3] |= KS_F_BLOCKING;
	k->vcpu[v].out_flags = flags;
	k->vcpu[v].reason = reason;
	return r;
}

static inline union rec kvm_in(struct kvm *k, __u32 v)
{
	__u8 wants = kvm_wants(k, k->vcpu[v].reason);
	union rec r = rec_in(v, ++k->vcpu[v].seq, k->now += 1000000, 0);

	r.h.mask = k->s.fields | KS_M_POINTS;
	r.in.tid = k->vcpu[v].tid;
	r.in.cpu = r.in.cpu_arg = r.in.load_cpu_arg = k->vcpu[v].cpu;
	r.in.reason = k->vcpu[v].reason;
	r.in.load_entry_ns = 200;
	r.in.load_exit_ns = 700;
	r.in.exit_ns = 900;
	r.in.flags[0] = k->vcpu[v].out_flags;
	r.in.flags[1] = r.in.flags[2] = wants | (k->old ? 0 : KS_F_SCHEDULED_OUT);
	r.in.flags[3] = wants;
	return r;
}

static inline union rec kvm_loads(struct kvm *k, __u32 v)
{
	union rec r = rec_loads(v, ++k->vcpu[v].seq, k->now += 1000, 3, 100);

	r.h.mask = k->s.fields | KS_M_POINT(1) | KS_M_POINT(2);
	r.loads.cpu = k->vcpu[v].cpu;
	r.loads.load_flags = r.loads.put_flags = kvm_wants(k, 0);
	return r;
}

static inline union rec kvm_load(struct kvm *k, __u32 v, __u8 type)
{
	union rec r = rec_load(type, v, ++k->vcpu[v].seq, k->now += 1000);

	r.h.mask = k->s.fields | KS_M_POINT(1) | KS_M_POINT(2);
	r.load.tid = k->vcpu[v].tid;
	r.load.cpu = r.load.cpu_arg = k->vcpu[v].cpu;
	r.load.flags[0] = r.load.flags[1] = kvm_wants(k, 0);
	r.load.cost_ns = 300;
	return r;
}

/* Each vCPU enters an ioctl, and goes and comes back twice. */
static inline void kvm_round(struct kvm *k, __u8 reason)
{
	for (__u32 v = 1; v <= KVM_VCPUS; v++) {
		union rec r = kvm_loads(k, v);

		kvm_hand(k, v, &r);
	}
	for (unsigned i = 0; i < 4 * KVM_VCPUS; i++) {
		__u32 v = 1 + i % KVM_VCPUS;
		union rec r = i / KVM_VCPUS % 2 ? kvm_in(k, v) : kvm_out(k, v, reason);

		kvm_hand(k, v, &r);
	}
}

/* All good, for a while and for every reason. */
static inline void kvm_good(struct kvm *k)
{
	for (__u8 reason = KS_R_PREEMPTED; reason < KS_R_CNT; reason++)
		kvm_round(k, reason);
}

static inline unsigned kvm_builtin(void)
{
	unsigned n = 0;

	while (rules_builtin[n])
		n++;
	return n;
}

static inline const struct check_rule *kvm_rule(const struct kvm *k, const char *name)
{
	for (unsigned i = 0; i < check__rules(k->check); i++)
		if (!strcmp(check__rule(k->check, i)->a->name, name))
			return check__rule(k->check, i);
	abort();
}

#endif
