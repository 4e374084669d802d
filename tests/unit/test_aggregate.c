// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sums as the kernel would leave them in shared memory (arrays of slots, struct ks_agg and owners),
 * and the summaries that are made of them: each state by hand, then thousands of vCPUs that come
 * and go, a writer that never stops, and intervals.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include "aggregate.h"
#include "allocated.h"
#include "clock.h"
#include "scene.h"
#include "step.h"
#include "totals.h"

#define LEN(a)	 (sizeof(a) / sizeof((a)[0]))
#define PLACES	 64
#define START	 SCENE_START
#define OUT(r)	 (KS_A_OUT | (r) << 8)
#define BY(r, b) (OUT(r) | (b) << 16)

static struct host {
	struct ks_slot slot[KS_SLOTS];
	struct ks_agg agg[PLACES];
	__u32 owner[KS_SLOTS];
	struct ks_ctl ctl;
	struct session session;
	struct filter filter;
	struct sums sums;
	struct model *model;
	struct aggregate *aggregate;
} host;

static const struct model_listener nobody;

/* The end has passed unless a test says otherwise: then what is read is of that moment. */
static void set_up(__u64 length_ns)
{
	memset(&host, 0, sizeof(host));
	host.session = scene_session(MODE_AGGREGATES);
	host.ctl.start_ns = START;
	host.ctl.end_ns = START + length_ns;
	host.sums = (struct sums){host.slot, host.agg, host.owner, &host.ctl, PLACES};
	host.model = model__new(&host.session, &host.filter, &nobody);
	host.aggregate = aggregate__new(&host.session, &host.filter, host.model, &host.sums);
	assert_non_null(host.model);
	assert_non_null(host.aggregate);
}

static void tear_down(void)
{
	aggregate__free(host.aggregate);
	model__free(host.model);
}

static void tell(const void *record)
{
	assert_int_equal(aggregate__describe(host.model, record), 0);
}

/* A vCPU takes a place, as slot_new() does it. born_ns != 0: created then. */
static struct ks_agg *vcpu_begins(__u32 place, __u32 vm, __s32 vcpu_id, __u64 born_ns)
{
	static const struct ks_agg zero;
	struct ks_slot *s = &host.slot[place];
	struct ks_agg *a = &host.agg[place];
	union rec is_vm = rec_vm(vm, START);
	union rec is = rec_vcpu(place + 1, born_ns, vm, vcpu_id, born_ns ? KS_M_CREATED : 0);

	assert_int_equal(host.owner[place], 0);
	assert_memory_equal(a, &zero, sizeof(zero)); /* as the kernel expects it */
	memset(s, 0, sizeof(*s));
	s->id = place + 1;
	s->keep = KS_KEEP;
	s->tid = 100 + place;
	s->agg.at = place;
	a->born_ns = born_ns;
	a->created = born_ns != 0;
	tell(&is_vm);
	tell(&is);
	host.owner[place] = place + 1;
	return a;
}

/* agg_leave() */
static void vcpu_ends(__u32 place, __u64 ts)
{
	union rec gone = rec_gone(place + 1, 0, ts);

	host.agg[place].now = host.slot[place].agg;
	host.agg[place].gone_ns = ts;
	host.agg[place].tid = host.slot[place].tid;
	host.owner[place] = KS_GONE_OWNER;
	host.slot[place].keep = KS_NEW;
	host.ctl.dead++;
	tell(&gone);
}

static void does(__u32 place, __u32 what, __u64 since)
{
	host.slot[place].agg.what = what;
	host.slot[place].agg.since = since;
}

static void absence(struct ks_agg *a, unsigned which, __u64 ns)
{
	struct ks_agg_hist *h = &a->hist[which];

	h->sum_ns += ns;
	h->max_ns = ns > h->max_ns ? ns : h->max_ns;
	h->bucket[ks_bucket(ns)]++;
	if (which == KS_H_HALTED || which == KS_H_SLEEPING)
		a->hist[KS_H_WOKEN].bucket[0]++;
}

static struct summary *summary_at(__u64 ns)
{
	static struct summary s;

	assert_int_equal(aggregate__read(host.aggregate, ns, false, &s), 0);
	return &s;
}

static __u64 all_states(const struct summary_vcpu *v)
{
	__u64 sum = 0;

	for (int i = 0; i < ST_CNT; i++)
		sum += v->state_ns[i];
	return sum;
}

static void states_are(const struct summary_vcpu *v, __u64 on, __u64 preempted, __u64 halted,
		       __u64 absent)
{
	assert_int_equal(v->state_ns[ST_ON_OR_USER], on);
	assert_int_equal(v->state_ns[ST_PREEMPTED], preempted);
	assert_int_equal(v->state_ns[ST_HALTED], halted);
	assert_int_equal(v->state_ns[ST_ABSENT], absent);
	assert_int_equal(all_states(v), on + preempted + halted + absent);
}

/* ---- each state --------------------------------------------------------------------------- */

static void nothing_there(void **state)
{
	struct summary *s;

	(void)state;
	set_up(1000);
	s = summary_at(START + 1000);
	assert_int_equal(s->vcpus, 0);
	assert_true(summary__nothing(s));
	summary__free(s);
	aggregate__free(NULL);
	tear_down();
}

/* Until its first event, only the snapshot tells; without it, it is not known. */
static void no_event_yet(void **state)
{
	union rec snap = rec_snap(1, 0, START, KS_M_OUT, KS_R_HALTED), on;
	struct summary *s;

	(void)state;
	set_up(1000);
	vcpu_begins(0, 1, 0, 0);
	vcpu_begins(1, 1, 1, 0);
	vcpu_begins(2, 1, 2, 0);
	on = rec_snap(2, 0, START, 0, 0);
	tell(&snap);
	tell(&on);
	s = summary_at(START + 1000);
	assert_int_equal(s->vcpus, 3);
	states_are(&s->vcpu[0], 0, 0, 1000, 0);
	states_are(&s->vcpu[1], 1000, 0, 0, 0);
	assert_int_equal(s->vcpu[2].state_ns[ST_UNKNOWN], 1000);
	assert_int_equal(s->vcpu[0].absence.count, 0);
	assert_int_equal(s->vcpu[0].switches, 0);
	summary__free(s);
	tear_down();
}

/* What was said stays said; what the first event tells is about the rest. */
static void first_event_after_something_was_said(void **state)
{
	struct ks_agg *a;
	struct summary *s;

	(void)state;
	set_up(400);
	a = vcpu_begins(0, 1, 0, 0);
	s = summary_at(START + 400);
	assert_int_equal(s->vcpu[0].state_ns[ST_UNKNOWN], 400);
	summary__free(s);
	host.ctl.end_ns = START + 1000;
	a->first_ns = 600; /* it was preempted, and came back */
	a->first = KS_R_PREEMPTED;
	does(0, KS_A_IN, START + 600);
	s = summary_at(START + 1000);
	assert_int_equal(s->vcpu[0].state_ns[ST_UNKNOWN], 400);
	assert_int_equal(s->vcpu[0].state_ns[ST_PREEMPTED], 200);
	assert_int_equal(s->vcpu[0].state_ns[ST_ON_OR_USER], 400);
	assert_int_equal(s->vcpu[0].run_delay_ns, 200);
	assert_int_equal(s->vcpu[0].absence.count, 0);
	summary__free(s);
	tear_down();
}

static void first_event(void **state)
{
	struct ks_agg *a;
	struct summary *s;

	(void)state;
	set_up(1000);
	a = vcpu_begins(0, 1, 0, 0); /* comes back at 300 */
	a->first_ns = 300;
	a->first = KS_R_HALTED;
	does(0, KS_A_IN, START + 300);
	a = vcpu_begins(1, 1, 1, 0); /* goes at 300 */
	a->first_ns = 300;
	a->first = KS_R_CNT;
	does(1, OUT(KS_R_HALTED), START + 300);
	s = summary_at(START + 1000);
	states_are(&s->vcpu[0], 700, 0, 300, 0);
	assert_int_equal(s->vcpu[0].reloads, 1);
	assert_int_equal(s->vcpu[0].switches, 0);
	assert_int_equal(s->vcpu[0].absence.count, 0); /* its beginning was not seen */
	states_are(&s->vcpu[1], 300, 0, 700, 0);
	assert_int_equal(s->vcpu[1].reloads, 0);
	assert_int_equal(s->vcpu[1].switches, 1);
	summary__free(s);
	tear_down();
}

static void whole_absences(void **state)
{
	struct ks_agg *a;
	const struct summary_vcpu *v;
	struct summary *s;

	(void)state;
	set_up(100000);
	a = vcpu_begins(0, 1, 0, 0);
	a->first_ns = 1000;
	a->first = KS_R_CNT;
	absence(a, KS_H_PREEMPTED, 5000);
	absence(a, KS_H_PREEMPTED, 6000);
	absence(a, KS_H_HALTED, 7000);
	absence(a, KS_H_SLEEPING, 8000);
	a->by_ns[KS_BY_OTHER_VM] = 11000;
	a->by_cnt[KS_BY_OTHER_VM] = 2;
	a->migrations = 3;
	a->clamped = 1;
	a->unknown_ns = 10;
	does(0, KS_A_IN, START + 50000);
	s = summary_at(START + 100000);
	v = &s->vcpu[0];
	assert_int_equal(v->state_ns[ST_ON_OR_USER], 100000 - 26000 - 10);
	assert_int_equal(v->state_ns[ST_PREEMPTED], 11000);
	assert_int_equal(v->state_ns[ST_SLEEPING], 8000);
	assert_int_equal(v->state_ns[ST_UNKNOWN], 10);
	assert_int_equal(all_states(v), 100000);
	assert_int_equal(v->absence.count, 4);
	assert_int_equal(v->absence.max, 8000);
	assert_int_equal(v->absence.sum, 26000);
	assert_int_equal(v->run_delay.count, 4);
	assert_int_equal(v->run_delay_ns, 11000);
	assert_int_equal(v->by_state[ST_PREEMPTED].count, 2);
	assert_int_equal(v->switches, 4);
	assert_int_equal(v->reloads, 4);
	assert_int_equal(v->migrations, 3);
	assert_int_equal(v->clamped, 1);
	assert_int_equal(s->preemptors, 1);
	assert_int_equal(s->preemptor[0].by, KS_BY_OTHER_VM);
	assert_int_equal(s->preemptor[0].time_ns, 11000);
	assert_int_equal(s->preemptor[0].count, 2);
	assert_int_equal(s->total.absence.kind, HIST_COARSE);
	summary__free(s);
	tear_down();
}

/* Where the kernel cannot tell run delay, blocked absences have none. */
static void no_run_delay(void **state)
{
	struct ks_agg *a;
	struct summary *s;

	(void)state;
	set_up(100000);
	host.session.fields &= ~KS_M_RUN_DELAY;
	a = vcpu_begins(0, 1, 0, 0);
	absence(a, KS_H_PREEMPTED, 5000);
	absence(a, KS_H_HALTED, 7000);
	does(0, KS_A_IN, START + 50000);
	s = summary_at(START + 100000);
	assert_int_equal(s->vcpu[0].unmeasured, 1);
	assert_int_equal(s->vcpu[0].run_delay.count, 1);
	assert_int_equal(s->vcpu[0].run_delay_ns, 5000);
	summary__free(s);
	tear_down();
}

/* What goes on counts up to the window's end, which may also be before the last event. */
static void open_absences_and_the_end(void **state)
{
	static const struct {
		__u64 out, end, on, preempted;
	} cases[] = {{600, 1000, 600, 400}, {999, 1000, 999, 1}, {1000, 1000, 1000, 0}};

	(void)state;
	for (unsigned i = 0; i < LEN(cases); i++) {
		struct summary s;
		struct ks_agg *a;

		set_up(cases[i].end);
		a = vcpu_begins(0, 1, 0, 0);
		a->first_ns = cases[i].out;
		a->first = KS_R_CNT;
		does(0, BY(KS_R_PREEMPTED, KS_BY_KERNEL), START + cases[i].out);
		assert_int_equal(aggregate__read(host.aggregate, host.ctl.end_ns, true, &s), 0);
		states_are(&s.vcpu[0], cases[i].on, cases[i].preempted, 0, 0);
		assert_int_equal(s.vcpu[0].run_delay_ns, cases[i].preempted);
		assert_int_equal(s.vcpu[0].switches, cases[i].preempted != 0);
		assert_int_equal(s.preemptors, cases[i].preempted != 0);
		if (s.preemptors) {
			assert_int_equal(s.preemptor[0].victim, 1);
			assert_int_equal(s.preemptor[0].time_ns, cases[i].preempted);
			assert_int_equal(s.vcpu[0].v->v.state, ST_PREEMPTED);
			assert_int_equal(s.vcpu[0].v->v.since, START + cases[i].out);
		}
		summary__free(&s);
		tear_down();
	}
}

static void created_in_the_window(void **state)
{
	struct ks_agg *a;
	struct summary *s;

	(void)state;
	set_up(1000);
	a = vcpu_begins(0, 1, 0, START + 100);
	a->first_ns = 50;
	a->first = KS_R_CNT;
	does(0, OUT(KS_R_HALTED), START + 150);
	vcpu_begins(1, 1, 1, START + 200); /* without an event */
	s = summary_at(START + 1000);
	states_are(&s->vcpu[0], 50, 0, 850, 100);
	assert_int_equal(s->vcpu[1].state_ns[ST_ABSENT], 200);
	assert_int_equal(all_states(&s->vcpu[1]), 1000);
	summary__free(s);
	tear_down();
}

/* ---- those that are gone ------------------------------------------------------------------ */

/* Shown once more as itself, then as its VM's; its place is free then, and another's. */
static void gone(void **state)
{
	struct ks_agg *a;
	struct summary *s;

	(void)state;
	set_up(1000);
	a = vcpu_begins(0, 1, 0, START + 100);
	a->first_ns = 50;
	a->first = KS_R_CNT;
	does(0, BY(KS_R_PREEMPTED, KS_BY_HOST), START + 150);
	vcpu_begins(1, 1, 1, 0);
	vcpu_ends(0, START + 400);
	s = summary_at(START + 1000);
	assert_int_equal(s->vcpus, 2);
	states_are(&s->vcpu[0], 50, 250, 0, 700);
	assert_false(s->vcpu[0].folded);
	assert_int_equal(host.owner[0], KS_GONE_OWNER);
	summary__free(s);
	for (int i = 0; i < 3; i++) {
		s = summary_at(START + 1000);
		assert_int_equal(s->vcpus, 2);
		assert_true(s->vcpu[0].folded); /* it has no number: first */
		states_are(&s->vcpu[0], 50, 250, 0, 0);
		assert_int_equal(s->vcpu[0].switches, 1);
		assert_int_equal(s->preemptors, 1);
		assert_int_equal(s->preemptor[0].time_ns, 250);
		assert_int_equal(host.owner[0], 0);
		summary__free(s);
	}
	vcpu_begins(0, 2, 0, START + 500);
	s = summary_at(START + 1000);
	assert_int_equal(s->vcpus, 3);
	summary__free(s);
	tear_down();
}

static void gone_before_the_window(void **state)
{
	struct summary *s;

	(void)state;
	set_up(1000);
	vcpu_begins(0, 1, 0, 0);
	vcpu_ends(0, START - 10);
	s = summary_at(START + 1000);
	assert_int_equal(s->vcpus, 0);
	assert_int_equal(host.owner[0], 0);
	summary__free(s);
	tear_down();
}

/* It came and went between two looks at the descriptors' ring: nothing of it is dropped. */
static void gone_before_it_was_introduced(void **state)
{
	union rec vm = rec_vm(1, START), is = rec_vcpu(1, START + 10, 1, 0, KS_M_CREATED);
	union rec end = rec_gone(1, 0, START + 500);
	struct summary *s;

	(void)state;
	set_up(1000);
	host.owner[0] = KS_GONE_OWNER;
	host.agg[0].born_ns = START + 10;
	host.agg[0].created = 1;
	host.agg[0].gone_ns = START + 500;
	host.agg[0].now = (struct ks_now){START + 300, KS_A_IN, 0};
	host.agg[0].first_ns = 290;
	host.agg[0].first = KS_R_HALTED;
	s = summary_at(START + 1000);
	assert_int_equal(s->vcpus, 0);
	summary__free(s);
	tell(&vm);
	tell(&is);
	tell(&end);
	s = summary_at(START + 1000);
	assert_int_equal(s->vcpus, 1);
	states_are(&s->vcpu[0], 200, 0, 290, 510);
	summary__free(s);
	tear_down();
	set_up(1000); /* its descriptor was lost: its place must be free again all the same */
	host.owner[0] = KS_GONE_OWNER;
	host.agg[0].gone_ns = START + 500;
	assert_int_equal(aggregate__collect(host.aggregate), 0);
	assert_int_equal(aggregate__collect(host.aggregate), 0);
	assert_int_equal(host.owner[0], 0);
	tear_down();
}

/* Read between its end and when that was told: no time goes back. */
static void read_while_it_dies(void **state)
{
	struct summary now, before, part = {0};

	(void)state;
	set_up(600);
	vcpu_begins(0, 1, 0, 0)->first = KS_R_CNT;
	does(0, KS_A_IN, START);
	assert_int_equal(aggregate__read(host.aggregate, START + 600, false, &before), 0);
	host.ctl.end_ns = START + 1000;
	vcpu_ends(0, START + 590);
	assert_int_equal(aggregate__read(host.aggregate, START + 1000, false, &now), 0);
	states_are(&now.vcpu[0], 600, 0, 0, 400);
	assert_int_equal(summary__since(&part, &now, &before), 0);
	states_are(&part.vcpu[0], 0, 0, 0, 400);
	summary__free(&part);
	summary__free(&now);
	summary__free(&before);
	tear_down();
}

/* A VM that is gone is in one more summary, then forgotten, while what was said of it is still
 * used.
 */
static void vm_forgotten(void **state)
{
	struct summary before, now, part = {0};
	__u64 at = START + 1000;

	(void)state;
	set_up(1000);
	host.ctl.end_ns = ~0ULL;
	vcpu_begins(0, 1, 0, 0);
	vcpu_begins(1, 2, 0, 0);
	vcpu_ends(0, START + 500);
	assert_int_equal(aggregate__collect(host.aggregate), 0);
	assert_int_equal(aggregate__read(host.aggregate, at, true, &before), 0);
	assert_int_equal(before.vcpus, 2);
	assert_int_equal(aggregate__read(host.aggregate, ++at, true, &now), 0);
	assert_int_equal(now.vcpus, 1);
	assert_int_equal(now.vcpu[0].v->vm, 2);
	assert_non_null(model__vm(host.model, before.vcpu[0].v->vm));
	assert_int_equal(summary__since(&part, &now, &before), 0);
	assert_int_equal(part.vcpus, 1);
	summary__free(&part);
	for (int i = 0; i < 2; i++) {
		summary__free(&before);
		before = now;
		assert_int_equal(aggregate__read(host.aggregate, ++at, true, &now), 0);
	}
	assert_null(model__vm(host.model, 1));
	summary__free(&before);
	summary__free(&now);
	tear_down();
}

/* A place is another vCPU's between two intervals: nothing of the former is taken from the latter.
 */
static void place_used_again_between_intervals(void **state)
{
	struct summary before, now, part = {0};
	struct ks_agg *a;

	(void)state;
	set_up(100000);
	a = vcpu_begins(0, 1, 0, 0);
	absence(a, KS_H_PREEMPTED, 5000);
	a->by_ns[KS_BY_HOST] = 5000;
	a->by_cnt[KS_BY_HOST] = 1;
	does(0, KS_A_IN, START + 6000);
	assert_int_equal(aggregate__read(host.aggregate, START + 10, true, &before), 0);
	vcpu_ends(0, START + 50000);
	assert_int_equal(aggregate__collect(host.aggregate), 0);
	a = vcpu_begins(0, 1, 1, START + 60000);
	absence(a, KS_H_PREEMPTED, 300);
	a->by_ns[KS_BY_HOST] = 300;
	a->by_cnt[KS_BY_HOST] = 1;
	does(0, KS_A_IN, START + 60300);
	assert_int_equal(aggregate__read(host.aggregate, START + 20, true, &now), 0);
	assert_int_equal(summary__since(&part, &now, &before), 0);
	assert_int_equal(part.vcpus, 2);
	assert_true(part.vcpu[0].folded);
	states_are(&part.vcpu[1], 39700, 300, 0, 60000);
	assert_int_equal(part.vcpu[1].absence.count, 1);
	assert_int_equal(part.preemptors, 1);
	assert_int_equal(part.preemptor[0].time_ns, 300);
	assert_int_equal(part.preemptor[0].count, 1);
	summary__free(&part);
	summary__free(&before);
	summary__free(&now);
	tear_down();
}

/* ---- many --------------------------------------------------------------------------------- */

static unsigned long long seed = 42;

static __u32 some(__u32 below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % below;
}

#define VMS 5
struct vm_sums {
	__u64 ns[ST_CNT], run_delay_ns, switches, absences, by_ns, by_cnt;
};

static void sum_up(const struct summary *s, struct vm_sums *out)
{
	memset(out, 0, (VMS + 1) * sizeof(*out));
	for (unsigned i = 0; i < s->vcpus; i++) {
		const struct summary_vcpu *v = &s->vcpu[i];
		struct vm_sums *to = &out[v->v->vm];

		for (int st = 0; st < ST_ABSENT; st++)
			to->ns[st] += v->state_ns[st];
		to->run_delay_ns += v->run_delay_ns;
		to->switches += v->switches;
		to->absences += v->absence.count;
	}
	for (unsigned i = 0; i < s->preemptors; i++) {
		out[s->preemptor[i].victim_vm].by_ns += s->preemptor[i].time_ns;
		out[s->preemptor[i].victim_vm].by_cnt += s->preemptor[i].count;
	}
}

static void nothing_falls(const struct vm_sums *before, const struct vm_sums *now)
{
	for (int vm = 1; vm <= VMS; vm++) {
		for (int st = 0; st < ST_ABSENT; st++)
			assert_true(now[vm].ns[st] >= before[vm].ns[st]);
		assert_true(now[vm].run_delay_ns >= before[vm].run_delay_ns);
		assert_true(now[vm].switches >= before[vm].switches);
		assert_true(now[vm].absences >= before[vm].absences);
		assert_true(now[vm].by_ns >= before[vm].by_ns);
		assert_true(now[vm].by_cnt >= before[vm].by_cnt);
	}
}

/* One event of a vCPU at ts, as agg_out() and agg_in() would note it. */
static void event(__u32 place, __u64 ts)
{
	struct ks_now *now = &host.slot[place].agg;
	struct ks_agg *a = &host.agg[place];
	__u64 ns = ts - now->since;

	if ((now->what & 0xff) == KS_A_NONE) {
		a->first_ns = ts - (a->born_ns ?: START);
		a->first = KS_R_CNT;
		does(place, OUT(KS_R_HALTED), ts);
	} else if ((now->what & 0xff) == KS_A_IN) {
		does(place, some(2) ? OUT(KS_R_HALTED) : BY(KS_R_PREEMPTED, 1 + some(6)), ts);
	} else {
		__u8 by = now->what >> 16;

		absence(a, by ? KS_H_PREEMPTED : KS_H_HALTED, ns);
		a->by_ns[by] += ns;
		a->by_cnt[by]++;
		does(place, KS_A_IN, ts);
	}
}

/* All of the sums of an interval are what the interval had room for. */
static void interval_is_sane(const struct summary *now, struct summary *before)
{
	struct summary part = {0};

	assert_int_equal(summary__since(&part, now, before), 0);
	for (unsigned i = 0; i < part.vcpus; i++) {
		assert_true(all_states(&part.vcpu[i]) <= now->to_ns - START);
		assert_true(part.vcpu[i].absence.count <= 1000);
	}
	for (unsigned i = 0; i < part.preemptors; i++)
		assert_true(part.preemptor[i].time_ns <= now->to_ns - START);
	summary__free(&part);
}

static void thousands_come_and_go(void **state)
{
	struct vm_sums sums[2][VMS + 1] = {0};
	struct summary before = {0}, now;
	unsigned born = 0, died = 0;
	__u64 ts = START;

	(void)state;
	set_up(0);
	assert_int_equal(aggregate__read(host.aggregate, ts, true, &before), 0);
	for (int round = 0; round < 800; round++) {
		for (int i = 0; i < 40; i++) {
			__u32 place = some(PLACES);

			ts += 1 + some(1000);
			if (!host.owner[place] && ++born)
				vcpu_begins(place, 1 + some(VMS), some(100), ts);
			else if (host.owner[place] != KS_GONE_OWNER && !some(20) && ++died)
				vcpu_ends(place, ts);
			else if (host.owner[place] != KS_GONE_OWNER)
				event(place, ts);
		}
		host.ctl.end_ns = ts;
		if (!some(4))
			assert_int_equal(aggregate__collect(host.aggregate), 0);
		assert_int_equal(aggregate__read(host.aggregate, ts, some(2), &now), 0);
		sum_up(&now, sums[1]);
		nothing_falls(sums[0], sums[1]);
		memcpy(sums[0], sums[1], sizeof(sums[0]));
		if (now.by_victim == before.by_victim)
			interval_is_sane(&now, &before);
		summary__free(&before);
		before = now;
	}
	print_message("%u vCPUs came, %u went, in %u places\n", born, died, PLACES);
	assert_true(died > 1000);
	summary__free(&before);
	tear_down();
}

#define SHORT_LIVED 100000U

/* VM 1 lives, and loses every other vCPU; the others have some ten each, one after the other. */
static void come_and_go(__u32 i, __u64 ts)
{
	__u32 place = 1 + i % (PLACES - 1);
	struct ks_agg *a = vcpu_begins(place, i % 2 ? 1 : 2 + i / 10, i % 10, ts);

	a->first_ns = 10;
	a->first = KS_R_CNT;
	absence(a, KS_H_PREEMPTED, 50);
	a->by_ns[KS_BY_HOST] = 50;
	a->by_cnt[KS_BY_HOST] = 1;
	does(place, KS_A_IN, ts + 60);
	vcpu_ends(place, ts + 100);
}

/* Memory follows what is there, not what has been; intervals that are added up lose nothing. */
static void memory_is_bounded(void **state)
{
	struct summary before = {0}, now;
	struct totals totals;
	size_t early = 0;
	__u64 ts = START, host_cnt = 0;

	(void)state;
	set_up(0);
	vcpu_begins(0, 1, 0, 0);
	does(0, KS_A_IN, START);
	totals__init(&totals, true);
	assert_int_equal(aggregate__read(host.aggregate, ts, false, &before), 0);
	for (__u32 i = 0; i < SHORT_LIVED; i++) {
		struct summary part = {0};
		struct tick tick = {.summary = &part};

		come_and_go(i, ts += 1000000);
		if (i % 60 == 13)
			assert_int_equal(aggregate__collect(host.aggregate), 0);
		if (i % 20 != 19)
			continue;
		host.ctl.end_ns = ts + 200;
		assert_int_equal(aggregate__read(host.aggregate, ts + 200, false, &now), 0);
		now.adds_up = true;
		assert_int_equal(summary__since(&part, &now, &before), 0);
		assert_int_equal(totals__add(&totals, &tick), 0);
		summary__free(&part);
		summary__free(&before);
		before = now;
		if (i == SHORT_LIVED / 10 - 1)
			early = allocated_bytes();
	}
	print_message("%zu bytes after %u vCPUs, %zu after %u\n", early, SHORT_LIVED / 10,
		      allocated_bytes(), SHORT_LIVED);
	assert_true(allocated_bytes() < early + early / 4);
	assert_int_equal(totals.sum.vcpu[0].v->vm, 1);
	assert_true(totals.sum.vcpu[0].folded);
	assert_int_equal(totals.sum.vcpu[0].switches, SHORT_LIVED / 2);
	assert_int_equal(totals.sum.vcpu[0].run_delay.count, SHORT_LIVED / 2);
	assert_false(totals.sum.vcpu[1].folded); /* there is one of each VM */
	for (unsigned i = 2; i < totals.sum.vcpus; i++)
		assert_int_equal(totals.sum.vcpu[i].switches, 5);
	for (unsigned i = 0; i < totals.sum.preemptors; i++)
		if (totals.sum.preemptor[i].victim_vm == 1)
			host_cnt += totals.sum.preemptor[i].count;
	assert_int_equal(host_cnt, SHORT_LIVED / 2);
	assert_in_range(totals.vms, 200, TOTALS_GONE_MAX + 4);
	assert_null(model__vm(host.model, 9000));
	assert_non_null(model__vm(totals.sum.model, 2 + (SHORT_LIVED - 100) / 10));
	totals__free(&totals);
	summary__free(&before);
	tear_down();
}

/* ---- a writer that never stops ------------------------------------------------------------- */

static volatile bool enough;

static void say(__u32 what)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&host.slot[0].agg.what, what, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Out, in, out ...: each absence adds to several words, which belong together. */
static __attribute__((no_sanitize("address", "undefined"))) void *write_on(void *unused)
{
	volatile struct ks_agg *a = &host.agg[0];
	volatile struct ks_agg_hist *h = &a->hist[KS_H_HALTED];
	struct ks_slot *s = &host.slot[0];
	__u64 n = 0;

	while (!enough) {
		__u64 ts;

		say(OUT(KS_R_HALTED) | KS_A_BUSY);
		ts = now_ns();
		if (n % 2) {
			__u64 ns = ts - s->agg.since;

			h->sum_ns += ns;
			if (ns > h->max_ns)
				h->max_ns = ns;
			h->bucket[ks_bucket(ns)]++;
			a->migrations++;
			a->by_ns[7] = h->sum_ns;
		}
		__atomic_store_n(&s->agg.since, ts, __ATOMIC_RELAXED);
		say(n++ % 2 ? KS_A_IN : OUT(KS_R_HALTED));
		for (volatile unsigned wait = some(4000); wait; wait--)
			;
	}
	return unused;
}

static void whole(const struct sums_vcpu *v)
{
	const struct ks_agg_hist *h = &v->a.hist[KS_H_HALTED];
	__u64 count = 0;

	for (__u64 i = 0; i <= ks_bucket(h->max_ns); i++)
		count += h->bucket[i];
	assert_false(v->now.what & KS_A_BUSY);
	assert_true(v->a.migrations == (h->max_ns ? count : v->a.migrations));
	assert_true(v->a.by_ns[7] == h->sum_ns);
	assert_true(v->at_ns >= v->now.since);
}

static void never_half_an_event(void **state)
{
	static struct sums_vcpu one;
	__u64 until = now_ns() + 3000000000ULL, seen = 0, last = 0;
	unsigned reads = 0, changes = 0;
	pthread_t writer;

	(void)state;
	set_up(0);
	host.ctl.end_ns = ~0ULL;
	vcpu_begins(0, 1, 0, 0);
	does(0, KS_A_IN, now_ns());
	enough = false;
	assert_int_equal(pthread_create(&writer, NULL, write_on, NULL), 0);
	for (; reads < 1000000 && now_ns() < until; reads++) {
		assert_true(sums__read(&host.sums, 0, &one));
		whole(&one);
		assert_true(one.a.migrations >= seen && one.at_ns >= last);
		changes += one.a.migrations > seen;
		seen = one.a.migrations;
		last = one.at_ns;
	}
	enough = true;
	pthread_join(writer, NULL);
	print_message("%u readings, %u of them news, beside %llu absences\n", reads, changes,
		      (unsigned long long)host.agg[0].migrations);
	assert_true(changes > 10);
	tear_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(no_event_yet),
		cmocka_unit_test(first_event_after_something_was_said),
		cmocka_unit_test(first_event),
		cmocka_unit_test(whole_absences),
		cmocka_unit_test(no_run_delay),
		cmocka_unit_test(open_absences_and_the_end),
		cmocka_unit_test(created_in_the_window),
		cmocka_unit_test(gone),
		cmocka_unit_test(gone_before_the_window),
		cmocka_unit_test(gone_before_it_was_introduced),
		cmocka_unit_test(read_while_it_dies),
		cmocka_unit_test(vm_forgotten),
		cmocka_unit_test(place_used_again_between_intervals),
		cmocka_unit_test(thousands_come_and_go),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(never_half_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
