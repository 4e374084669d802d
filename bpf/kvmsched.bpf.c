// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kernel side: hooks on KVM's preempt notifiers and on the load and put of a vCPU, which turn
 * every transition of a vCPU into one record in its CPU's ring.
 *
 * - kvm_sched_out (its entry, the put's entry and exit, its exit): an OUT, at its exit;
 * - kvm_sched_in (its entry, the load's entry and exit, its exit): an IN, at its exit, or at its
 *   entry with --light;
 * - bare put and load (vcpu_put(), vcpu_load()): added up in the slot; a LOADS before the next OUT,
 * or when the last record is FLUSH_NS old; a PUT or LOAD each with --loads.
 *
 * Which of these programs are loaded is the mode's choice (user/live_load.c); each works with
 * whatever subset is attached, and says in the record which points it saw. All of them run with
 * preemption disabled except create, destroy and the iterator.
 */
#include "kvm_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "wire.h"
#include "step.h"
#include "compat.bpf.h"
#include "state.bpf.h"
#include "describe.bpf.h"
#include "slot.bpf.h"
#include "ring.bpf.h"
#include "agg.bpf.h"

#define LOAD_COUNTED KS_M_POINT(KS_PT_INNER_ENTRY) /* slot.points: a bare load in the window */
#define FLUSH_NS     100000000ULL /* bare loads and puts become a record at least this often */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The points of a transition that is complete, in each mode. */
static __always_inline __u8 inner_points(struct mode m)
{
	return m.light ? 0
		       : KS_M_POINT(KS_PT_INNER_ENTRY) |
				 (m.full ? KS_M_POINT(KS_PT_INNER_EXIT) : 0);
}

static __always_inline __u8 out_points(struct mode m) /* before the exit */
{
	return m.light ? 0 : KS_M_POINT(KS_PT_ENTRY) | inner_points(m);
}

static __always_inline __u8 in_points(struct mode m)
{
	return KS_M_POINT(KS_PT_ENTRY) | inner_points(m) | (m.light ? 0 : KS_M_POINT(KS_PT_EXIT));
}

/* Where the vCPU is, and what has been seen of it, at once. */
static __always_inline __u16 step(__u8 phase, __u8 points)
{
	return phase | points << 8;
}

static __always_inline void set_step(struct ks_slot *s, __u8 phase, __u8 points)
{
	*(__u16 *)&s->phase = step(phase, points);
}

/* An event outside the window. After it, `phase` is where the vCPU was when the window ended: the
 * slot stays as it is, for user space to read. */
static __noinline int outside(struct ks_slot *s, __u8 phase, __u64 ts)
{
	if (s && ts >= ctl.end_ns) {
		s->phase = phase;
		s->keep = KS_CLOSED;
		s->hot = 0;
	}
	return 0;
}

/*
 * Each hook is compiled once for each mode that has it, with a constant for the mode, and once for
 * any: set in_entry, in_entry_full, in_entry_light, in_entry_agg, in_entry_agg_by, in_entry_any.
 * One of the sets is loaded.
 */
#define PARAMS(...) __VA_ARGS__
#define HOOK(at, name, set, mode, params, args...) \
	SEC(at)                                    \
	int BPF_PROG(name##set, PARAMS params)     \
	{                                          \
		return on_##name(ctx, args, mode); \
	}
#define HOOK_FULL(at, name, params, args...)           \
	HOOK(at, name, _full, MODE_FULL, params, args) \
	HOOK(at, name, _any, MODE_ANY, params, args)
#define HOOK_DEFAULT(at, name, params, args...)      \
	HOOK(at, name, , MODE_DEFAULT, params, args) \
	HOOK_FULL(at, name, params, args)
#define HOOK_LIGHT(at, name, params, args...)              \
	HOOK(at, name, _light, MODE_LIGHT, params, args)   \
	HOOK(at, name, _agg, MODE_AGG, params, args)       \
	HOOK(at, name, _agg_by, MODE_AGG_BY, params, args) \
	HOOK_DEFAULT(at, name, params, args)

/* ---- kvm_sched_out ------------------------------------------------------------------------ */

static __always_inline int on_out_entry(void *ctx, struct preempt_notifier *pn, struct mode m)
{
	struct ks_slot *s = slot_notified(ctx, pn);

	if (!s)
		return 0;
	set_step(s, KS_P_GOING, KS_M_POINT(KS_PT_ENTRY));
	*(__u32 *)s->flags = vcpu_flags(notified(pn), m.modern); /* the other points' are 0 */
	s->entry_ts = now();
	return 0;
}
HOOK_DEFAULT("fentry/kvm_sched_out", out_entry, (struct preempt_notifier * pn), pn)

/* May this transition be left out, because a CPU filter wants neither of its ends? */
static __always_inline bool out_wanted(struct ks_slot *s, __u32 cpu)
{
	s->kept_out = cpu_wanted(cpu);
	if (!s->kept_out)
		s->skipped = 1;
	return s->kept_out;
}

/* A transition whose first points passed before everything was attached. */
static __always_inline void out_partly(struct ks_slot *s, struct ks_out *r, __u8 points, __u64 ts)
{
	*(__u32 *)r->flags = 0;
	r->entry_ns = r->put_entry_ns = r->put_exit_ns = 0;
	if (points & KS_M_POINT(KS_PT_INNER_ENTRY)) {
		r->flags[KS_PT_INNER_ENTRY] = s->flags[KS_PT_INNER_ENTRY];
		r->put_entry_ns = ks_dt(s->inner_entry_ts, ts);
	}
	if (points & KS_M_POINT(KS_PT_INNER_EXIT)) {
		r->flags[KS_PT_INNER_EXIT] = s->flags[KS_PT_INNER_EXIT];
		r->put_exit_ns = ks_dt(s->inner_exit_ts, ts);
	}
}

/* Of all that on_out_exit() does, what aggregation needs. */
static __always_inline int on_out_agg(void *ctx, struct preempt_notifier *pn,
				      struct task_struct *next, struct mode m)
{
	struct ks_slot *s = slot_notified(ctx, pn);
	__u32 cpu, vm, was, what;
	struct task_struct *t;
	__u64 ts;

	if (!s)
		return 0;
	t = bpf_get_current_task_btf();
	if (s->run_tid != (__u32)t->pid)
		bind(s, t);
	s->run_delay = task_run_delay(t, m.modern);
	s->cpu = cpu = bpf_get_smp_processor_id();
	what = agg_what(KS_A_OUT, KS_R_PREEMPTED, 0);
	if (!ks_runnable(task_bits(t, m.modern)))
		what = vcpu_blocking((const void *)s->vcpu, m.modern)
			       ? agg_what(KS_A_OUT, KS_R_HALTED, 0)
			       : agg_what(KS_A_OUT, KS_R_SLEEPING, 0);
	was = agg_begin(s);
	ts = now();
	if (m.classes && what == agg_what(KS_A_OUT, KS_R_PREEMPTED, 0))
		what |= agg_what(0, 0, preemptor(s, next, cpu, task_throttled(t), ts, &vm));
	agg_end(s, agg_out(s, was, what, ts));
	return 0;
}

static __always_inline int on_out_exit(void *ctx, struct preempt_notifier *pn,
				       struct task_struct *next, struct mode m)
{
	if (m.aggregate && !m.records)
		return on_out_agg(ctx, pn, next, m);

	struct ks_slot *s = slot_notified(ctx, pn);
	__u16 mask = (m.fields & ~KS_M_RUN_DELAY) | KS_M_POINT(KS_PT_EXIT);
	__u8 at_exit, task, reason, points = 0, by = KS_BY_NONE;
	__u32 cpu, next_vm = 0;
	struct task_struct *t;
	struct ks_ring *ring;
	struct ks_out *r;
	__u64 ts;

	if (!s)
		return 0;
	if (!m.light && s->phase == KS_P_GOING)
		points = s->points;
	s->phase = KS_P_OUT;
	t = bpf_get_current_task_btf();
	s->run_delay = task_run_delay(t, m.modern);
	if (s->run_tid != (__u32)t->pid)
		bind(s, t);
	/* Nothing in kvm_sched_out() changes BLOCKING; where the put was seen, it has been read
	 * there. */
	at_exit = vcpu_flags(notified(pn), m.modern);
	at_exit |= points & KS_M_POINT(KS_PT_INNER_ENTRY)
			   ? s->flags[KS_PT_INNER_ENTRY] & KS_F_BLOCKING
			   : vcpu_blocking(notified(pn), m.modern);
	task = task_bits(t, m.modern);
	s->reason = reason = ks_reason(task, at_exit, mask);
	s->cpu = cpu = bpf_get_smp_processor_id();
	ts = now();
	if (!in_window(ts)) {
		if (m.aggregate)
			agg_end(s, agg_out(s, agg_begin(s), agg_what(KS_A_OUT, reason, 0), ts));
		return outside(s, KS_P_LOADED, ts);
	}
	if (m.by_cpu && !out_wanted(s, cpu))
		return 0;
	if (ks_runnable(task)) {
		bool throttled = task_throttled(t);

		mask |= throttled ? KS_M_THROTTLED : 0;
		by = preemptor(s, next, cpu, throttled, ts, &next_vm);
	}
	if (m.aggregate)
		agg_end(s, agg_out(s, agg_begin(s), agg_what(KS_A_OUT, reason, by), ts));
	if (!m.light && pending(s))
		flush_loads(s, cpu, ts);
	r = ring_get(s, cpu, &ring, &ts);
	if (!r)
		return 0;
	r->h.ts = ts;
	r->h.type = KS_OUT;
	r->h.what = by;
	r->h.mask = mask | points | take_skipped(s, m.by_cpu);
	r->vcpu = s->id;
	r->seq = s->seq;
	r->tid = t->pid;
	r->next_tid = next->pid;
	if (points == out_points(m)) {
		*(__u32 *)r->flags = *(__u32 *)s->flags;
		r->entry_ns = m.light ? 0 : ks_dt(s->entry_ts, ts);
		r->put_entry_ns = m.light ? 0 : ks_dt(s->inner_entry_ts, ts);
		r->put_exit_ns = m.full ? ks_dt(s->inner_exit_ts, ts) : 0;
	} else {
		out_partly(s, r, points, ts);
	}
	r->flags[KS_PT_EXIT] = at_exit;
	r->state = t->__state;
	r->task = task;
	r->reason = reason;
	r->cpu = cpu;
	r->next_vm = next_vm;
	ring_put(ring);
	return 0;
}
HOOK_LIGHT("fexit/kvm_sched_out", out_exit,
	   (struct preempt_notifier * pn, struct task_struct *next), pn, next)

/* ---- kvm_sched_in ------------------------------------------------------------------------- */

static __always_inline int emit_in(struct ks_slot *s, int arg, __u64 exit_ts, struct mode m)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct task_struct *t;
	__u64 ts = s->entry_ts;
	__u8 points = s->points;
	struct ks_ring *ring;
	struct ks_in *r;

	if (!in_window(ts))
		return outside(s, KS_P_OUT, ts);
	if (m.by_cpu) {
		if (!s->kept_out && !cpu_wanted(cpu)) {
			s->skipped = 1;
			return 0;
		}
		s->kept_out = 0;
	}
	r = ring_get(s, cpu, &ring, &ts);
	if (!r)
		return 0;
	t = bpf_get_current_task_btf();
	r->h.ts = ts;
	r->h.type = KS_IN;
	r->h.what = 0;
	r->h.mask = m.fields | take_skipped(s, m.by_cpu) |
		    (s->reason <= KS_R_IOCTL && task_throttled(t) ? KS_M_THROTTLED : 0) | points;
	r->vcpu = s->id;
	r->seq = s->seq;
	r->tid = t->pid;
	*(__u32 *)r->flags = *(__u32 *)s->flags;
	if (points == in_points(m)) {
		r->load_entry_ns = m.light ? 0 : ks_dt(ts, s->inner_entry_ts);
		r->load_exit_ns = m.full ? ks_dt(ts, s->inner_exit_ts) : 0;
	} else { /* attached meanwhile */
		r->load_entry_ns =
			points & KS_M_POINT(KS_PT_INNER_ENTRY) ? ks_dt(ts, s->inner_entry_ts) : 0;
		r->load_exit_ns =
			points & KS_M_POINT(KS_PT_INNER_EXIT) ? ks_dt(ts, s->inner_exit_ts) : 0;
	}
	r->exit_ns = m.light ? 0 : ks_dt(ts, exit_ts);
	r->run_delay_ns = task_run_delay(t, m.modern) - s->run_delay;
	r->cpu = cpu;
	r->cpu_arg = arg;
	r->load_cpu_arg = m.light ? 0 : s->load_cpu_arg;
	r->reason = s->reason;
	r->reserved = 0;
	ring_put(ring);
	return 0;
}

/* An absence that began before the hooks did. */
static __always_inline void begun_before(struct ks_slot *s, bool modern)
{
	s->run_delay = task_run_delay(bpf_get_current_task_btf(), modern);
	s->reason = s->snap_reason;
}

/* Of all that on_in_entry() does, what aggregation needs. */
static __always_inline int on_in_agg(void *ctx, struct preempt_notifier *pn, struct mode m)
{
	struct ks_slot *s = slot_notified(ctx, pn);
	__u32 was;

	if (!s)
		return 0;
	was = agg_begin(s);
	agg_end(s, agg_in(s, was, now(), m));
	return 0;
}

static __always_inline int on_in_entry(void *ctx, struct preempt_notifier *pn, int cpu,
				       struct mode m)
{
	if (m.aggregate && !m.records)
		return on_in_agg(ctx, pn, m);

	__u64 ts = now();
	struct ks_slot *s = slot_notified(ctx, pn);

	if (!s)
		return 0;
	*(__u32 *)s->flags = vcpu_flags(notified(pn), m.modern);
	s->entry_ts = ts;
	if (s->phase != KS_P_OUT)
		begun_before(s, m.modern);
	if (m.aggregate)
		agg_end(s, agg_in(s, agg_begin(s), ts, m));
	set_step(s, m.light ? KS_P_LOADED : KS_P_COMING, KS_M_POINT(KS_PT_ENTRY));
	return m.light ? emit_in(s, cpu, 0, m) : 0;
}
HOOK_LIGHT("fentry/kvm_sched_in", in_entry, (struct preempt_notifier * pn, int cpu), pn, cpu)

static __always_inline int on_in_exit(void *ctx, struct preempt_notifier *pn, int cpu,
				      struct mode m)
{
	struct ks_slot *s = slot_notified(ctx, pn);

	if (!s || s->phase != KS_P_COMING)
		return 0;
	set_step(s, KS_P_LOADED, s->points | KS_M_POINT(KS_PT_EXIT));
	s->flags[KS_PT_EXIT] = vcpu_flags(notified(pn), m.modern);
	return emit_in(s, cpu, now(), m);
}
HOOK_DEFAULT("fexit/kvm_sched_in", in_exit, (struct preempt_notifier * pn, int cpu), pn, cpu)

/* ---- kvm_arch_vcpu_load, kvm_arch_vcpu_put ------------------------------------------------ */

static __always_inline void emit_single(struct ks_slot *s, __u8 type, __u64 exit_ts, struct mode m)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 ts = s->inner_entry_ts;
	struct ks_ring *ring;
	struct ks_load *r;

	if (!in_window(ts))
		return;
	if (m.by_cpu && !cpu_wanted(cpu)) {
		s->skipped = 1;
		return;
	}
	r = ring_get(s, cpu, &ring, &ts);
	if (!r)
		return;
	r->h.ts = ts;
	r->h.type = type;
	r->h.what = 0;
	r->h.mask = m.fields | take_skipped(s, m.by_cpu) | KS_M_POINT(KS_PT_INNER_ENTRY) |
		    (exit_ts ? KS_M_POINT(KS_PT_INNER_EXIT) : 0);
	r->vcpu = s->id;
	r->seq = s->seq;
	r->tid = ((struct task_struct *)bpf_get_current_task_btf())->pid;
	r->flags[0] = s->flags[KS_PT_INNER_ENTRY];
	r->flags[1] = exit_ts ? s->flags[KS_PT_INNER_EXIT] : 0;
	r->cpu = cpu;
	r->cpu_arg = type == KS_LOAD ? s->load_cpu_arg : 0;
	r->reserved = 0;
	r->cost_ns = exit_ts ? ks_dt(ts, exit_ts) : 0;
	__builtin_memset(r->reserved2, 0, sizeof(r->reserved2));
	ring_put(ring);
}

/* Now and then: is it still the same thread, and are the sums due for a record? */
static __noinline int look_up_from_loads(struct ks_slot *s, __u64 ts)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id();

	if (!s)
		return 0;
	if (s->run_tid != (__u32)t->pid)
		bind(s, t);
	if (s->flush_ts && (!cfg.by_cpu || cpu_wanted(cpu))) {
		flush_loads(s, cpu, ts);
	} else {
		s->skipped |= s->flush_ts != 0;
		s->flush_ts = s->run_tid ? ts : 0;
	}
	return 0;
}

/* A bare load begins: the time since the put, or the window's start, was the VMM's. */
static __always_inline int load_bare(struct ks_slot *s, __u8 flags, __u64 ts, struct mode m)
{
	__u64 from = s->put_ts, start = ctl.start_ns;

	if (ts >= ctl.end_ns)
		return outside(s, s->phase, ts);
	if (m.loads || m.by_tid) {
		struct task_struct *t = bpf_get_current_task_btf();

		if (s->run_tid != (__u32)t->pid)
			bind(s, t);
	}
	set_step(s, KS_P_LOADED, 0);
	if (m.loads)
		return 0;
	if (from >= start) {
		s->puts++;
	} else {
		if (ts < start)
			return 0;
		from = start;
	}
	s->points = LOAD_COUNTED;
	s->user_ns += ts - from;
	s->loads++;
	s->load_flags |= flags;
	if (ts - s->flush_ts > FLUSH_NS)
		look_up_from_loads(s, ts);
	return 0;
}

static __always_inline int on_load_entry(void *ctx, struct kvm_vcpu *vcpu, int cpu, struct mode m)
{
	struct ks_slot *s = slot_find(ctx, vcpu, 0);
	__u8 flags;
	__u64 ts;

	if (!s)
		return 0;
	flags = vcpu_flags(vcpu, m.modern);
	ts = now();
	if (s->phase == KS_P_COMING) {
		s->inner_entry_ts = ts;
		s->load_cpu_arg = cpu;
		s->flags[KS_PT_INNER_ENTRY] = flags;
		s->points |= KS_M_POINT(KS_PT_INNER_ENTRY);
		return 0;
	}
	if (m.loads || m.full)
		s->inner_entry_ts = ts;
	if (m.loads) {
		s->load_cpu_arg = cpu;
		s->flags[KS_PT_INNER_ENTRY] = flags;
	}
	load_bare(s, flags, ts, m);
	if (m.loads && !m.full)
		emit_single(s, KS_LOAD, 0, m);
	return 0;
}
HOOK_DEFAULT("fentry/kvm_arch_vcpu_load", load_entry, (struct kvm_vcpu * vcpu, int cpu), vcpu, cpu)

/* The exit of a load or put that is part of the transition `phase`? Then that is all. */
static __always_inline bool nested_exit(struct ks_slot *s, __u8 phase, __u8 flags, __u64 ts,
					struct mode m)
{
	if (s->phase != phase && !m.loads)
		return false;
	s->flags[KS_PT_INNER_EXIT] = flags;
	if (s->phase != phase)
		return false;
	s->inner_exit_ts = ts;
	s->points |= KS_M_POINT(KS_PT_INNER_EXIT);
	return true;
}

static __always_inline void add_cost(__u32 *sum, __u32 *max, __u32 cost)
{
	*sum = ks_add_sat(*sum, cost);
	if (cost > *max)
		*max = cost;
}

static __always_inline int on_load_exit(void *ctx, struct kvm_vcpu *vcpu, struct mode m)
{
	struct ks_slot *s = slot_find(ctx, vcpu, 0);
	__u8 flags;
	__u64 ts;

	if (!s)
		return 0;
	ts = now();
	flags = vcpu_flags(vcpu, m.modern);
	if (nested_exit(s, KS_P_COMING, flags, ts, m))
		return 0;
	if (m.loads) {
		emit_single(s, KS_LOAD, ts, m);
	} else if (s->points == LOAD_COUNTED) {
		add_cost(&s->load_ns, &s->load_max_ns, ks_dt(s->inner_entry_ts, ts));
		s->load_flags |= flags;
	}
	return 0;
}
HOOK_FULL("fexit/kvm_arch_vcpu_load", load_exit, (struct kvm_vcpu * vcpu, int cpu), vcpu)

static __always_inline int on_put_entry(void *ctx, struct kvm_vcpu *vcpu, struct mode m)
{
	struct ks_slot *s = slot_find(ctx, vcpu, 0);
	__u8 flags;
	__u64 ts;

	if (!s)
		return 0;
	flags = vcpu_flags(vcpu, m.modern);
	ts = now();
	if (s->phase == KS_P_GOING) {
		s->inner_entry_ts = ts;
		s->flags[KS_PT_INNER_ENTRY] = flags | vcpu_blocking(vcpu, m.modern);
		s->points |= KS_M_POINT(KS_PT_INNER_ENTRY);
		return 0;
	}
	s->phase = KS_P_USER;
	s->put_ts = ts;		/* the next load counts the put */
	if (ts >= ctl.start_ns) /* before, nested ones may look bare: not all is attached yet */
		s->put_flags |= flags;
	if (m.loads) {
		s->inner_entry_ts = ts;
		s->flags[KS_PT_INNER_ENTRY] = flags;
		if (!m.full)
			emit_single(s, KS_PUT, 0, m);
	}
	return 0;
}
HOOK_DEFAULT("fentry/kvm_arch_vcpu_put", put_entry, (struct kvm_vcpu * vcpu), vcpu)

static __always_inline int on_put_exit(void *ctx, struct kvm_vcpu *vcpu, struct mode m)
{
	struct ks_slot *s = slot_find(ctx, vcpu, 0);
	__u8 flags;
	__u64 ts;

	if (!s)
		return 0;
	ts = now();
	flags = vcpu_flags(vcpu, m.modern);
	if (nested_exit(s, KS_P_GOING, flags, ts, m))
		return 0;
	if (m.loads) {
		emit_single(s, KS_PUT, ts, m);
	} else if (in_window(s->put_ts)) {
		add_cost(&s->put_ns, &s->put_max_ns, ks_dt(s->put_ts, ts));
		s->put_flags |= flags;
	}
	return 0;
}
HOOK_FULL("fexit/kvm_arch_vcpu_put", put_exit, (struct kvm_vcpu * vcpu), vcpu)

/* ---- life and death ----------------------------------------------------------------------- */

static __noinline int slot_free(__u64 vcpu)
{
	__u32 *index = bpf_map_lookup_elem(&slot_of, &vcpu), at;
	struct ks_loads last = {};
	struct ks_gone rec = {};
	struct ks_slot *s;
	__u64 ts = now();

	if (!index) {
		bpf_map_delete_elem(&refused, &vcpu); /* the next at this address is another */
		return 0;
	}
	at = *index;
	s = slot_at(at);
	if (s->vcpu != vcpu || ts >= ctl.end_ns) /* after the end, it is kept for user space */
		return 0;
	if (slot_wanted(s) && in_window(ts)) {
		if (!cfg.loads && !cfg.light && s->phase == KS_P_USER) {
			s->seq++;
			s->user_ns += ts - user_since(s);
			s->puts += s->put_ts >= ctl.start_ns && s->put_ts != s->born_ts;
			take_loads(s, &last, s->cpu, ts);
			last.h.mask |= KS_M_USER;
			if (describe(&last, sizeof(last)))
				s->lost++;
		}
		rec.h.ts = ts;
		rec.h.type = KS_GONE;
		rec.vcpu = s->id;
		rec.seq = s->seq;
		rec.lost = s->lost;
		describe(&rec, sizeof(rec));
	}
	thread_forget(s);
	vm_put(s->kvm);
	bpf_map_delete_elem(&slot_of, &vcpu);
	s->hot = 0;
	s->keep = KS_NEW;
	if (cfg.aggregate)
		agg_leave(s, ts);
	s->vcpu = 0;
	return 0;
}

SEC("fentry/kvm_arch_vcpu_create")
int BPF_PROG(vcpu_create, struct kvm_vcpu *vcpu)
{
	__u64 addr = first_arg(ctx);

	slot_free(addr); /* of a vCPU whose end was missed: these hooks can be, being preemptible */
	slot_new(addr, now(), 1, bpf_get_current_task_btf());
	return 0;
}

/* Creation that fails frees the vCPU without kvm_arch_vcpu_destroy(). */
SEC("fexit/kvm_arch_vcpu_create")
int BPF_PROG(vcpu_created, struct kvm_vcpu *vcpu, int ret)
{
	if (ret)
		slot_free(first_arg(ctx));
	return 0;
}

/* At exit: on some paths the destruction itself still loads and puts the vCPU. */
SEC("fexit/kvm_arch_vcpu_destroy")
int BPF_PROG(vcpu_destroy, struct kvm_vcpu *vcpu)
{
	slot_free(first_arg(ctx));
	return 0;
}

/* ---- the snapshot of what exists ---------------------------------------------------------- */

/* "kvm-vcpu:N" is the name that kvm_main.c gives to a vCPU's anonymous file. */
static bool is_vcpu_file(struct file *f)
{
	static const char want[] = "kvm-vcpu:";
	const unsigned char *name = f->f_path.dentry->d_name.name;
	char got[sizeof(want)] = {};

	bpf_probe_read_kernel(got, sizeof(got) - 1, name);
	for (int i = 0; i < (int)sizeof(want) - 1; i++)
		if (got[i] != want[i])
			return false;
	return true;
}

static void snap_state(struct ks_snap *r, __u64 vcpu)
{
	__u64 task = vcpu_task_at(vcpu);

	r->h.mask = cfg.fields;
	r->flags = vcpu_flags((void *)vcpu, false) | vcpu_blocking((void *)vcpu, false);
	r->reason = KS_R_UNKNOWN;
	if (!task) {
		r->h.mask |= KS_M_USER;
	} else if (vcpu_is_out_at(vcpu, task)) {
		r->h.mask |= KS_M_OUT;
		r->reason = ks_reason(task_bits_at(task), r->flags, r->h.mask);
	}
	r->cpu = BPF_CORE_READ((struct kvm_vcpu *)vcpu, cpu);
}

/* Introduces every vCPU that exists, and what it is doing, once: a vCPU that never switches is
 * shown, and one that is stuck is seen. A state that its own hooks changed meanwhile is read again.
 * Run once before the window too, for what a vCPU that is absent when the window begins is absent
 * for. */
SEC("iter/task_file")
int snapshot(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;
	struct ks_snap rec = {};
	struct ks_slot *s;
	__u32 *index, at;
	__u64 vcpu;

	if (!t || !f || !is_vcpu_file(f))
		return 0;
	vcpu = (__u64)BPF_CORE_READ(f,
				    private_data); /* 7.3 does no arithmetic on a loaded void * */
	if (BPF_CORE_READ((struct kvm_vcpu *)vcpu, kvm, mm) != t->mm)
		return 0; /* a file handed to another process: that of the VMM itself counts */
	index = bpf_map_lookup_elem(&slot_of, &vcpu);
	at = index ? *index + 1 : slot_new(vcpu, now(), 0, t);
	if (!at)
		return 0;
	s = slot_at(at - 1);
	if (!in_window(now())) {
		snap_state(&rec, vcpu);
		s->snap_reason = rec.reason;
		return 0;
	}
	if (s->snapped || s->keep <= KS_DROP)
		return 0;
	s->snapped = 1;
	rec.h.type = KS_SNAP;
	rec.vcpu = s->id;
	for (int i = 0; i < 3; i++) {
		rec.seq = *(volatile __u32 *)&s->seq;
		rec.lost = s->lost;
		rec.h.ts = now();
		snap_state(&rec, vcpu);
		if (*(volatile __u32 *)&s->seq == rec.seq)
			break;
	}
	rec.tid = vcpu_run_tid(vcpu) ?: s->tid;
	describe(&rec, sizeof(rec));
	return 0;
}
