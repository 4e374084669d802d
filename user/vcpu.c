// SPDX-License-Identifier: BSD-2-Clause
/*
 *	was \ record   OUT            IN               LOADS            LOAD           PUT
 *	-------------  -------------  ---------------  ---------------  -------------  -------------
 *	running        running|OUT    odd              running(user_ns) (nested load)  running|user
 *	user           odd            odd              running(user_ns) user|running   (nested put)
 *	absent states  odd            absence|running  odd              odd            odd
 *	fresh          running|OUT    absence|running  running(user_ns) user|running   running|user
 *	dead           odd            odd              odd              odd            odd
 *
 * "a|b": the time since the last record was a, from now on it is b. fresh: the vCPU existed but has
 *not been heard of in this window; its first record tells what it was doing. A gap in the sequence
 *numbers, or an odd record, makes the time before unknown; the state after is the record's all the
 *same. dead: after GONE; nothing can follow, and nothing does. Light mode has neither loads nor
 *puts: running and user are one, on_or_user.
 */
#include <string.h>
#include "step.h"
#include "vcpu.h"

static const char *const state_names[ST_CNT] = {
	[ST_RUNNING] = "running",     [ST_USER] = "user",	[ST_ON_OR_USER] = "on_or_user",
	[ST_PREEMPTED] = "preempted", [ST_HALTED] = "halted",	[ST_SLEEPING] = "sleeping",
	[ST_ABSENT] = "absent",	      [ST_UNKNOWN] = "unknown", [ST_ELSEWHERE] = "elsewhere",
};

const char *state__name(enum state s)
{
	return state_names[s];
}

enum state state__of_reason(__u8 reason)
{
	switch (reason) {
	case KS_R_PREEMPTED:
	case KS_R_IOCTL:
		return ST_PREEMPTED;
	case KS_R_HALTED:
		return ST_HALTED;
	case KS_R_SLEEPING:
		return ST_SLEEPING;
	}
	return ST_UNKNOWN;
}

static bool away(enum state s)
{
	return s == ST_PREEMPTED || s == ST_HALTED || s == ST_SLEEPING;
}

/* Known to be absent, by a record and not only by the snapshot, which may be older than it says. */
static bool surely_away(const struct vcpu *v)
{
	return !v->fresh && away(v->state);
}

static enum state on_cpu(const struct vcpu *v)
{
	return v->light ? ST_ON_OR_USER : ST_RUNNING;
}

/* [since, ts) was `state`. */
static void pass(struct vcpu *v, __u64 ts, enum state state, __u64 user_ns, struct step *out)
{
	struct span *s;

	if (ts <= v->since)
		return;
	if (v->light && (state == ST_RUNNING || state == ST_USER))
		state = ST_ON_OR_USER, user_ns = 0; /* a damaged recording: there are no loads */
	s = &out->span[out->spans++];
	*s = (struct span){.from = v->since, .to = ts, .state = state, .cpu = v->cpu};
	s->user_ns = user_ns > ts - v->since ? ts - v->since : user_ns;
	v->since = ts;
}

void vcpu__init(struct vcpu *v, __u64 start_ns, bool light)
{
	memset(v, 0, sizeof(*v));
	v->since = start_ns;
	v->light = light;
	v->fresh = true;
	v->state = ST_UNKNOWN;
}

void vcpu__created(struct vcpu *v, __u64 ts, struct step *out)
{
	memset(out, 0, sizeof(*out));
	if (!v->fresh || v->seq)
		return;
	pass(v, ts, ST_ABSENT, 0, out);
	v->fresh = false;
	v->state = v->light ? ST_ON_OR_USER : ST_USER;
}

/* Is the record the one that follows the vCPU's last? Counts what is missing. */
static bool follows(struct vcpu *v, __u32 seq, struct step *out)
{
	__u32 missing = seq - v->seq - 1;

	v->seq = seq;
	if (!missing)
		return true;
	if (missing >= 1U << 31) { /* a number again, or from before: a damaged recording */
		v->odd++;
		return false;
	}
	v->lost += missing;
	out->lost = missing;
	return false;
}

static void on_out(struct vcpu *v, const struct ks_out *r, struct step *out)
{
	bool sound = follows(v, r->seq, out);

	if (r->h.mask & KS_M_SKIPPED)
		pass(v, r->h.ts, ST_ELSEWHERE, 0, out);
	else if (!sound || surely_away(v) || (!v->fresh && v->state == ST_USER))
		pass(v, r->h.ts, ST_UNKNOWN, 0, out), v->odd += sound;
	else
		pass(v, r->h.ts, v->state == ST_UNKNOWN && !v->fresh ? ST_UNKNOWN : on_cpu(v), 0,
		     out);
	v->state = state__of_reason(r->reason);
	v->cpu = r->cpu;
	v->tid = r->tid;
	v->ran = true;
	v->out = (struct absence){.from = v->since,
				  .next_tid = r->next_tid,
				  .next_vm = r->next_vm,
				  .cpu_out = r->cpu,
				  .reason = r->reason,
				  .by = r->h.what,
				  .whole = true};
}

static bool runnable(const struct absence *a)
{
	return a->reason == KS_R_PREEMPTED || a->reason == KS_R_IOCTL;
}

static void end_absence(struct vcpu *v, const struct ks_in *r, struct step *out)
{
	struct absence *a = &out->absence;
	__u64 length;

	*a = v->out;
	a->to = r->h.ts > a->from ? r->h.ts : a->from;
	a->cpu_in = r->cpu;
	length = a->to - a->from;
	out->ended = true;
	if (runnable(a)) {
		a->run_delay_ns = length;
		a->has_run_delay = true;
	} else if (a->whole && (r->h.mask & KS_M_RUN_DELAY)) {
		a->clamped = r->run_delay_ns > length;
		a->run_delay_ns = a->clamped ? length : r->run_delay_ns;
		a->has_run_delay = true;
	}
	if ((r->h.mask & KS_M_THROTTLED) && a->by != KS_BY_NONE)
		a->by = KS_BY_QUOTA; /* throttled only after it had gone */
}

/* An absence that was on when the window began: of its part inside. */
static struct absence begun_before(const struct vcpu *v, __u8 reason)
{
	return (struct absence){
		.from = v->since, .reason = reason, .cpu_out = v->snapped ? v->cpu : VCPU_NO_CPU};
}

static void on_in(struct vcpu *v, const struct ks_in *r, struct step *out)
{
	bool sound = follows(v, r->seq, out);

	if (r->h.mask & KS_M_SKIPPED) {
		pass(v, r->h.ts, ST_ELSEWHERE, 0, out);
	} else if (sound && surely_away(v)) {
		end_absence(v, r, out);
		pass(v, r->h.ts, v->state, 0, out);
	} else if (v->fresh && sound) { /* it went before the window began: the kernel knows why */
		if (away(state__of_reason(r->reason))) {
			v->out = begun_before(v, r->reason);
			end_absence(v, r, out);
		}
		pass(v, r->h.ts, state__of_reason(r->reason), 0, out);
	} else {
		v->odd += sound;
		pass(v, r->h.ts, ST_UNKNOWN, 0, out);
	}
	v->state = on_cpu(v);
	v->cpu = r->cpu;
	v->tid = r->tid;
	v->ran = true;
}

static void on_loads(struct vcpu *v, const struct ks_loads *r, struct step *out)
{
	bool sound = follows(v, r->seq, out);

	if (r->h.mask & KS_M_SKIPPED)
		pass(v, r->h.ts, ST_ELSEWHERE, 0, out);
	else if (!sound || surely_away(v) || (v->state == ST_UNKNOWN && !v->fresh))
		pass(v, r->h.ts, ST_UNKNOWN, 0, out), v->odd += sound && surely_away(v);
	else
		pass(v, r->h.ts, ST_RUNNING, r->user_ns, out);
	v->state = r->h.mask & KS_M_USER ? ST_USER : ST_RUNNING;
	v->cpu = r->cpu;
}

/* A bare load or put. One that finds the vCPU where it leads to is nested in an ioctl (arm64
 * resets). */
static void on_single(struct vcpu *v, const struct ks_load *r, enum state was, enum state is,
		      struct step *out)
{
	bool sound = follows(v, r->seq, out);

	if (r->h.mask & KS_M_SKIPPED)
		pass(v, r->h.ts, ST_ELSEWHERE, 0, out);
	else if (!sound || surely_away(v) || (v->state == ST_UNKNOWN && !v->fresh))
		pass(v, r->h.ts, ST_UNKNOWN, 0, out), v->odd += sound && surely_away(v);
	else
		pass(v, r->h.ts, v->fresh ? was : v->state, 0, out);
	v->state = is;
	v->cpu = r->cpu;
	if (!v->ran) /* else it may be a thread that only looks at it, or tears it down */
		v->tid = r->tid;
}

static void on_gone(struct vcpu *v, const struct ks_gone *r, struct step *out)
{
	bool sound = r->seq == v->seq || follows(v, r->seq + 1, out);

	if (!sound && out->lost)
		pass(v, r->h.ts, ST_UNKNOWN, 0, out);
	else
		pass(v, r->h.ts, v->fresh && !v->light ? ST_USER : v->state, 0, out);
	v->state = ST_ABSENT;
	v->dead = true;
}

/* The snapshot at the start only matters while no record has come: its state holds until one does.
 * In a recording that was cut, a vCPU had records before. */
static void on_first_snap(struct vcpu *v, const struct ks_snap *r)
{
	if (!v->fresh || v->seq != r->seq)
		return;
	v->snapped = true;
	v->cpu = r->cpu < KS_CPUS_MAX ? r->cpu : 0;
	v->tid = r->tid;
	if (r->h.mask & KS_M_OUT) {
		v->state = state__of_reason(r->reason);
		v->out = begun_before(v, r->reason);
	} else {
		v->state = v->light ? ST_ON_OR_USER : r->h.mask & KS_M_USER ? ST_USER : ST_RUNNING;
	}
}

/* The one at the end tells which records are missing behind the last one that came. */
static void on_last_snap(struct vcpu *v, const struct ks_snap *r, struct step *out)
{
	if (r->tid)
		v->tid = r->tid;
	if (r->seq == v->seq)
		return;
	follows(v, r->seq + 1, out);
	v->seq = r->seq;
	pass(v, r->h.ts, ST_UNKNOWN, 0, out);
	v->state = ST_UNKNOWN;
}

static bool is_step(const struct ks_head *r)
{
	return r->type < KS_VCPU;
}

void vcpu__step(struct vcpu *v, const struct ks_head *r, struct step *out)
{
	out->spans = 0;
	out->ended = false;
	out->lost = 0;
	if (v->dead) {
		v->odd++;
		return;
	}
	switch (r->type) {
	case KS_OUT:
		on_out(v, (const void *)r, out);
		break;
	case KS_IN:
		on_in(v, (const void *)r, out);
		break;
	case KS_LOADS:
		on_loads(v, (const void *)r, out);
		break;
	case KS_LOAD:
		on_single(v, (const void *)r, ST_USER, ST_RUNNING, out);
		break;
	case KS_PUT:
		on_single(v, (const void *)r, ST_RUNNING, ST_USER, out);
		break;
	case KS_GONE:
		on_gone(v, (const void *)r, out);
		break;
	case KS_SNAP:
		if (r->mask & KS_M_END)
			on_last_snap(v, (const void *)r, out);
		else
			on_first_snap(v, (const void *)r);
	}
	if (is_step(r))
		v->fresh = false;
}

/* Its run delay so far is only known where all of it is. */
static void leave_open(const struct vcpu *v, struct step *out)
{
	struct absence *a = &out->absence;

	*a = v->out;
	a->to = v->since > a->from ? v->since : a->from;
	a->open = true;
	if (runnable(a)) {
		a->run_delay_ns = a->to - a->from;
		a->has_run_delay = true;
	}
	out->ended = true;
}

void vcpu__end(struct vcpu *v, __u64 end_ns, struct step *out)
{
	memset(out, 0, sizeof(*out));
	pass(v, end_ns, v->state, 0, out);
	if (out->spans)
		out->span[0].open = v->state != ST_ABSENT;
	if (away(v->state))
		leave_open(v, out);
}
