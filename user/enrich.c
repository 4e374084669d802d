// SPDX-License-Identifier: BSD-2-Clause
/*
 *	record   events, each if its point was seen
 *	VCPU     created (of a vCPU that was created while we looked)
 *	OUT      sched_out  sched_put  sched_put_end  sched_out_end preempt|preempt_ioctl|halt|sleep
 *	IN       sched_in   reload     reload_end     sched_in_end
 *	LOADS    loads
 *	LOAD     load       load_end
 *	PUT      put        put_end
 *	GONE     gone
 *
 * A LOADS record says how often the vCPU was put and loaded, but not where and by whom: after it,
 * thread, CPU and wants_to_run are unknown until a record tells them again. Before Linux 6.11
 * (118964562969) kvm_sched_out() did not ask wants_to_run, even where a stable kernel has the
 *field: scheduled_out, which came with that series, tells which.
 */
#include <string.h>
#include "enrich.h"
#include "step.h"

_Static_assert(1 << F_SCHEDULED_OUT == KS_F_SCHEDULED_OUT && 1 << F_PREEMPTED == KS_F_PREEMPTED &&
		       1 << F_READY == KS_F_READY && 1 << F_WANTS_TO_RUN == KS_F_WANTS_TO_RUN &&
		       1 << F_BLOCKING == KS_F_BLOCKING,
	       "flags are bits of struct event as they come");

void enrich__init(struct enrich *e, const struct session *s)
{
	memset(e, 0, sizeof(*e));
	e->session = s;
	e->flags = FIELD(F_PREEMPTED) | FIELD(F_READY);
	e->task = FIELD(F_ON_RQ) | FIELD(F_RUNNABLE);
	if (s->fields & KS_M_SCHEDULED_OUT)
		e->flags |= FIELD(F_SCHEDULED_OUT);
	if (s->fields & KS_M_WANTS_TO_RUN)
		e->flags |= FIELD(F_WANTS_TO_RUN);
	if (s->fields & KS_M_SCHED_DELAYED)
		e->task |= FIELD(F_SCHED_DELAYED);
}

void enrich__forget(struct enrich_vcpu *v)
{
	memset(v, 0, sizeof(*v));
}

static void set(struct event *ev, enum field f, bool value)
{
	ev->known |= FIELD(f);
	ev->bits |= (__u64)value << f;
}

static void set_place(struct event *ev, __u32 tid, __u16 cpu)
{
	ev->tid = tid;
	ev->cpu = cpu;
	ev->known |= FIELD(F_CPU) | FIELD(F_TID);
}

/* The vCPU runs as this thread on this CPU. */
static void note_place(struct enrich_vcpu *v, __u32 tid, __u16 cpu)
{
	v->tid = tid;
	v->cpu = cpu;
	v->has_tid = v->has_cpu = true;
}

static void seen_on(struct enrich *e, __u16 cpu, __u32 vcpu)
{
	if (cpu < KS_CPUS_MAX)
		e->on[cpu] = vcpu;
}

static void compare_place(struct event *ev, const struct enrich_vcpu *v)
{
	if (v->has_tid)
		set(ev, F_SAME_TASK, ev->tid == v->tid);
	if (v->has_cpu)
		set(ev, F_SAME_CPU, ev->cpu == v->cpu);
}

/* Has any other vCPU been seen on this CPU since this one was loaded there? */
static void look_around(const struct enrich *e, struct event *ev, const struct enrich_vcpu *v,
			__u32 vcpu)
{
	if (v->loaded && v->cpu == ev->cpu && ev->cpu < KS_CPUS_MAX)
		set(ev, F_ALONE, e->on[ev->cpu] == vcpu);
}

/* One point's event: t is what all of the record's have. */
static void point(const struct enrich *e, struct enrich_vcpu *v, struct event *ev,
		  const struct event *t, enum event_id id, __u64 ts, __u8 flags)
{
	*ev = *t;
	ev->id = id;
	ev->ts = ts;
	ev->bits |= flags & e->flags;
	ev->known |= e->flags;
	if (e->flags & FIELD(F_WANTS_TO_RUN)) {
		__u8 wants = flags & KS_F_WANTS_TO_RUN;

		if (v->has_wants_to_run)
			set(ev, F_SAME_WANTS_TO_RUN, wants == v->wants_to_run);
		v->wants_to_run = wants;
		v->has_wants_to_run = true;
	}
}

static void set_blocking(const struct enrich *e, struct event *ev, __u8 flags)
{
	if (e->session->fields & KS_M_BLOCKING)
		set(ev, F_BLOCKING, flags & KS_F_BLOCKING);
}

static void set_inside(struct event *ev, __u64 ns)
{
	ev->inside_ns = ns;
	ev->known |= FIELD(F_INSIDE);
}

static bool seen(const struct ks_head *h, unsigned pt)
{
	return h->mask & KS_M_POINT(pt);
}

/* ---- OUT ---------------------------------------------------------------------------------- */

/* The task's own state, and what follows from it: should the vCPU be marked as preempted? */
static void judge_task(const struct enrich *e, struct enrich_vcpu *v, const struct ks_out *r)
{
	bool runnable = ks_runnable(r->task), wants = r->flags[KS_PT_EXIT] & KS_F_WANTS_TO_RUN;
	bool asked = e->session->fields & KS_M_SCHEDULED_OUT;

	v->task_known = e->task;
	v->task_bits = (__u64) !!(r->task & KS_T_ON_RQ) << F_ON_RQ |
		       (__u64) !!(r->task & KS_T_SCHED_DELAYED) << F_SCHED_DELAYED |
		       (__u64)runnable << F_RUNNABLE |
		       (__u64)(runnable && (wants || !asked)) << F_WANTS_CPU;
	if (!asked || (e->session->fields & KS_M_WANTS_TO_RUN && seen(&r->h, KS_PT_EXIT)))
		v->task_known |= FIELD(F_WANTS_CPU);
	v->task_bits &= v->task_known;
}

static enum event_id absence_event(__u8 reason)
{
	static const __u8 ids[KS_R_CNT] = {
		[KS_R_UNKNOWN] = EV_CNT,	 [KS_R_PREEMPTED] = EV_PREEMPT,
		[KS_R_IOCTL] = EV_PREEMPT_IOCTL, [KS_R_HALTED] = EV_HALT,
		[KS_R_SLEEPING] = EV_SLEEP,
	};

	return ids[reason];
}

static unsigned on_out(struct enrich *e, struct enrich_vcpu *v, __u32 vcpu, const struct ks_out *r,
		       struct event *out)
{
	__u64 entry_ts = r->h.ts - r->entry_ns;
	enum event_id absence = absence_event(r->reason);
	struct event t = {.next_tid = r->next_tid}, *ev = out;

	judge_task(e, v, r);
	set_place(&t, r->tid, r->cpu);
	t.known |= FIELD(F_NEXT_TID) | v->task_known;
	t.bits = v->task_bits;
	if (e->session->fields & KS_M_QUOTA && r->h.what != KS_BY_NONE)
		set(&t, F_THROTTLED, r->h.mask & KS_M_THROTTLED);
	if (seen(&r->h, KS_PT_ENTRY)) {
		point(e, v, ev, &t, EV_SCHED_OUT, entry_ts, r->flags[KS_PT_ENTRY]);
		compare_place(ev, v);
		look_around(e, ev++, v, vcpu);
	}
	if (seen(&r->h, KS_PT_INNER_ENTRY)) {
		point(e, v, ev, &t, EV_SCHED_PUT, r->h.ts - r->put_entry_ns,
		      r->flags[KS_PT_INNER_ENTRY]);
		set_blocking(e, ev++, r->flags[KS_PT_INNER_ENTRY]);
	}
	if (seen(&r->h, KS_PT_INNER_EXIT)) {
		point(e, v, ev, &t, EV_SCHED_PUT_END, r->h.ts - r->put_exit_ns,
		      r->flags[KS_PT_INNER_EXIT]);
		set_inside(ev++, (__u64)r->put_entry_ns - r->put_exit_ns);
	}
	if (seen(&r->h, KS_PT_EXIT)) {
		point(e, v, ev, &t, EV_SCHED_OUT_END, r->h.ts, r->flags[KS_PT_EXIT]);
		set_blocking(e, ev, r->flags[KS_PT_EXIT]);
		if (seen(&r->h, KS_PT_ENTRY))
			set_inside(ev, r->entry_ns);
		ev++;
	}
	if (absence != EV_CNT && ev > out) {
		*ev = ev[-1];
		ev->known &= ~(FIELD(F_INSIDE) | FIELD(F_SAME_WANTS_TO_RUN));
		ev++->id = absence;
	}
	note_place(v, r->tid, r->cpu);
	v->loaded = false;
	v->out_ts = r->h.ts;
	v->has_out = true;
	seen_on(e, r->cpu, vcpu);
	return ev - out;
}

/* ---- IN ----------------------------------------------------------------------------------- */

static void compare_absence(const struct enrich *e, struct event *ev, const struct enrich_vcpu *v,
			    const struct ks_in *r)
{
	ev->known |= v->task_known;
	ev->bits |= v->task_bits;
	compare_place(ev, v);
	set(ev, F_TOLD_CPU, r->cpu_arg == r->cpu);
	if (v->has_out) {
		ev->absence_ns = r->h.ts > v->out_ts ? r->h.ts - v->out_ts : 0;
		ev->known |= FIELD(F_ABSENCE);
	}
	if (v->has_out && r->h.mask & KS_M_RUN_DELAY) {
		ev->run_delay_ns = r->run_delay_ns;
		ev->known |= FIELD(F_RUN_DELAY);
	}
	if (e->session->fields & KS_M_QUOTA && r->reason <= KS_R_IOCTL)
		set(ev, F_THROTTLED, r->h.mask & KS_M_THROTTLED);
}

static unsigned on_in(struct enrich *e, struct enrich_vcpu *v, __u32 vcpu, const struct ks_in *r,
		      struct event *out)
{
	struct event t = {}, *ev = out;

	set_place(&t, r->tid, r->cpu);
	if (seen(&r->h, KS_PT_ENTRY)) {
		point(e, v, ev, &t, EV_SCHED_IN, r->h.ts, r->flags[KS_PT_ENTRY]);
		compare_absence(e, ev++, v, r);
	}
	if (seen(&r->h, KS_PT_INNER_ENTRY)) {
		point(e, v, ev, &t, EV_RELOAD, r->h.ts + r->load_entry_ns,
		      r->flags[KS_PT_INNER_ENTRY]);
		set(ev++, F_TOLD_CPU, r->load_cpu_arg == r->cpu);
	}
	if (seen(&r->h, KS_PT_INNER_EXIT)) {
		point(e, v, ev, &t, EV_RELOAD_END, r->h.ts + r->load_exit_ns,
		      r->flags[KS_PT_INNER_EXIT]);
		set_inside(ev++, (__u64)r->load_exit_ns - r->load_entry_ns);
	}
	if (seen(&r->h, KS_PT_EXIT)) {
		point(e, v, ev, &t, EV_SCHED_IN_END, r->h.ts + r->exit_ns, r->flags[KS_PT_EXIT]);
		set_inside(ev++, r->exit_ns);
	}
	if (session__two_hooks(e->session->mode)) { /* puts and loads that follow are not seen */
		enrich__forget(v);
		return ev - out;
	}
	note_place(v, r->tid, r->cpu);
	v->loaded = true;
	v->has_out = false;
	v->task_known = 0;
	v->task_bits = 0;
	seen_on(e, r->cpu, vcpu);
	return ev - out;
}

/* ---- bare loads and puts ------------------------------------------------------------------ */

static unsigned on_loads(struct enrich *e, struct enrich_vcpu *v, const struct ks_loads *r,
			 struct event *ev)
{
	*ev = (struct event){.id = EV_LOADS,
			     .ts = r->h.ts,
			     .cpu = r->cpu,
			     .loads = r->loads,
			     .puts = r->puts,
			     .known = FIELD(F_CPU) | FIELD(F_LOADS) | FIELD(F_PUTS)};
	ev->known |= e->flags & (FIELD(F_SCHEDULED_OUT) | FIELD(F_PREEMPTED));
	ev->bits = (r->load_flags | r->put_flags) & ev->known;
	enrich__forget(v);
	return r->loads || r->puts;
}

static unsigned on_load(struct enrich *e, struct enrich_vcpu *v, __u32 vcpu,
			const struct ks_load *r, struct event *out)
{
	struct event t = {}, *ev = out;

	enrich__forget(v); /* another thread may load it, on another CPU */
	set_place(&t, r->tid, r->cpu);
	point(e, v, ev, &t, EV_LOAD, r->h.ts, r->flags[0]);
	set(ev++, F_TOLD_CPU, r->cpu_arg == r->cpu);
	if (seen(&r->h, KS_PT_INNER_EXIT)) {
		point(e, v, ev, &t, EV_LOAD_END, r->h.ts + r->cost_ns, r->flags[1]);
		set_inside(ev++, r->cost_ns);
	}
	note_place(v, r->tid, r->cpu);
	v->loaded = true;
	seen_on(e, r->cpu, vcpu);
	return ev - out;
}

static unsigned on_put(struct enrich *e, struct enrich_vcpu *v, __u32 vcpu, const struct ks_load *r,
		       struct event *out)
{
	struct event t = {}, *ev = out;

	set_place(&t, r->tid, r->cpu);
	point(e, v, ev, &t, EV_PUT, r->h.ts, r->flags[0]);
	compare_place(ev, v);
	look_around(e, ev++, v, vcpu);
	if (seen(&r->h, KS_PT_INNER_EXIT)) {
		point(e, v, ev, &t, EV_PUT_END, r->h.ts + r->cost_ns, r->flags[1]);
		set_inside(ev++, r->cost_ns);
	}
	enrich__forget(v);
	seen_on(e, r->cpu, vcpu);
	return ev - out;
}

static unsigned bare(struct event *ev, enum event_id id, __u64 ts)
{
	*ev = (struct event){.id = id, .ts = ts};
	return 1;
}

unsigned enrich__record(struct enrich *e, struct enrich_vcpu *v, __u32 vcpu,
			const struct ks_head *r, struct event out[ENRICH_MAX])
{
	switch (r->type) {
	case KS_OUT:
		return on_out(e, v, vcpu, (const void *)r, out);
	case KS_IN:
		return on_in(e, v, vcpu, (const void *)r, out);
	case KS_LOADS:
		return on_loads(e, v, (const void *)r, out);
	case KS_LOAD:
		return on_load(e, v, vcpu, (const void *)r, out);
	case KS_PUT:
		return on_put(e, v, vcpu, (const void *)r, out);
	case KS_VCPU:
		return r->mask & KS_M_CREATED ? bare(out, EV_CREATED, r->ts) : 0;
	case KS_GONE:
		return bare(out, EV_GONE, r->ts);
	}
	return 0;
}
