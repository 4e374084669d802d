// SPDX-License-Identifier: BSD-2-Clause
/*
 * A trace cut into intervals: together they have what the whole has, to the nanosecond; and what is
 * open at an edge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "intervals.h"
#include "scene.h"

#define T0 SCENE_START

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary whole;
static struct model_listener to_whole;
static struct intervals intervals;
static struct summary ticks[5000];
static unsigned count;

static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *r, const struct step *s)
{
	(void)ctx;
	to_whole.event(to_whole.ctx, v, r, s);
	intervals.to.event(intervals.to.ctx, v, r, s);
}

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	(void)ctx;
	to_whole.span(to_whole.ctx, v, s, a, task);
	intervals.to.span(intervals.to.ctx, v, s, a, task);
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	(void)ctx;
	to_whole.absence(to_whole.ctx, v, a, task);
	intervals.to.absence(intervals.to.ctx, v, a, task);
}

static void begin(__u64 from, __u64 to, __u64 length)
{
	static const struct model_listener l = {
		.event = on_event, .span = on_span, .absence = on_absence};

	session = scene_session(MODE_DEFAULT);
	summary__init(&whole, &session, &filter, from, to, &to_whole);
	intervals__init(&intervals, &session, &filter, from, to, length, false);
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
	count = 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < count; i++)
		summary__free(&ticks[i]);
	summary__free(&whole);
	intervals__free(&intervals);
	model__free(model);
	return 0;
}

static void keep(struct tick *t)
{
	assert_true(count < 5000);
	assert_int_equal(t->n, count + 1);
	ticks[count++] = *t->summary;
	memset(t->summary, 0, sizeof(*t->summary));
}

static void edges_before(__u64 ts)
{
	struct tick t;

	while (intervals__edge(&intervals) < ts) {
		assert_int_equal(intervals__cut(&intervals, model, 0, &t), 0);
		keep(&t);
		intervals__next(&intervals);
	}
}

static int on_record(void *ctx, const struct ks_head *r, unsigned stream)
{
	(void)ctx;
	(void)stream;
	edges_before(r->ts);
	return model__record(model, r);
}

static void feed(union rec r)
{
	assert_int_equal(on_record(NULL, &r.h, 0), 0);
}

static void finish(__u64 end)
{
	struct tick t;
	bool any;

	session.end_ns = end;
	edges_before(end);
	model__end(model, end);
	if (whole.to_ns == ~0ULL)
		whole.to_ns = end;
	assert_int_equal(summary__finish(&whole, model, 0), 0);
	assert_int_equal(intervals__end(&intervals, model, whole.to_ns, 0, &t, &any), 0);
	if (any) {
		assert_true(t.last);
		keep(&t);
	}
}

static const struct summary_vcpu *vcpu_of(const struct summary *s, __u32 id)
{
	for (unsigned i = 0; i < s->vcpus; i++)
		if (s->vcpu[i].v->id == id)
			return &s->vcpu[i];
	return NULL;
}

/* What the intervals have of one vCPU; each of them is full of states. */
static struct summary_vcpu sum_of(__u32 id)
{
	struct summary_vcpu sum = {0};

	for (unsigned i = 0; i < count; i++) {
		const struct summary_vcpu *v = vcpu_of(&ticks[i], id);
		__u64 all = 0;

		for (int st = 0; v && st < ST_CNT; st++) {
			sum.state_ns[st] += v->state_ns[st];
			sum.state_cnt[st] += v->state_cnt[st];
			all += v->state_ns[st];
		}
		assert_true(!v || all == ticks[i].to_ns - ticks[i].from_ns);
		if (!v)
			continue;
		sum.switches += v->switches;
		sum.migrations += v->migrations;
		sum.reloads += v->reloads;
		sum.loads += v->loads;
		sum.run_delay_ns += v->run_delay_ns;
		assert_int_equal(hist__merge(&sum.absence, &v->absence), 0);
		assert_int_equal(hist__merge(&sum.run_delay, &v->run_delay), 0);
	}
	return sum;
}

static void assert_same_hist(struct hist *a, const struct hist *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->sum, b->sum);
	assert_int_equal(a->max, b->max);
	assert_int_equal(hist__quantile(a, 990), hist__quantile(b, 990));
	hist__free(a);
}

static void compare(__u64 length, __u64 from, __u64 to)
{
	struct scene s = {.mode = MODE_DEFAULT, .seed = 7, .fn = on_record};
	__u64 events = 0, taken = 0, want = 0;

	begin(from, to, length);
	for (__u32 v = 1; v <= SCENE_VCPUS; v++) /* known from the start: nothing is learnt late */
		s.vcpu[v].cpu = v % 4;
	assert_int_equal(scene_play(&s, 6000), 0);
	finish(to == ~0ULL || to > s.now ? s.now : to);
	assert_true(count > 3);
	for (unsigned i = 0; i < count; i++) {
		events += ticks[i].events;
		assert_int_equal(ticks[i].from_ns, i ? ticks[i - 1].to_ns : whole.from_ns);
		for (unsigned k = 0; k < ticks[i].preemptors; k++)
			taken += ticks[i].preemptor[k].time_ns;
	}
	for (unsigned k = 0; k < whole.preemptors; k++)
		want += whole.preemptor[k].time_ns;
	assert_int_equal(taken, want);
	assert_int_equal(ticks[count - 1].to_ns, whole.to_ns);
	assert_int_equal(events, whole.events);
	for (__u32 id = 1; id <= SCENE_VCPUS; id++) {
		const struct summary_vcpu *w = vcpu_of(&whole, id);
		struct summary_vcpu sum = sum_of(id);

		assert_int_equal(sum.state_ns[ST_PREEMPTED], w->state_ns[ST_PREEMPTED]);
		assert_int_equal(sum.state_ns[ST_HALTED], w->state_ns[ST_HALTED]);
		assert_int_equal(sum.state_ns[ST_SLEEPING], w->state_ns[ST_SLEEPING]);
		assert_int_equal(sum.state_ns[ST_ABSENT], w->state_ns[ST_ABSENT]);
		assert_int_equal(
			sum.state_ns[ST_RUNNING] + sum.state_ns[ST_USER] + sum.state_ns[ST_UNKNOWN],
			w->state_ns[ST_RUNNING] + w->state_ns[ST_USER] + w->state_ns[ST_UNKNOWN]);
		assert_int_equal(sum.switches, w->switches);
		assert_int_equal(sum.migrations, w->migrations);
		assert_int_equal(sum.reloads, w->reloads);
		assert_int_equal(sum.loads, w->loads);
		assert_int_equal(sum.run_delay_ns, w->run_delay_ns);
		assert_same_hist(&sum.absence, &w->absence);
		assert_same_hist(&sum.run_delay, &w->run_delay);
	}
}

static void test_whole(void **state)
{
	(void)state;
	compare(1000000, 0, ~0ULL);
}

static void test_odd_length(void **state)
{
	(void)state;
	compare(777777, 0, ~0ULL);
}

static void test_window(void **state)
{
	(void)state;
	compare(3000001, T0 + 12345678, T0 + 60000001);
}

static void introduce(void)
{
	feed(rec_vm(1, T0));
	feed(rec_vcpu(1, T0, 1, 0, 0));
}

/* Preempted over two edges: each interval has its part of everything but the count. */
static void test_open(void **state)
{
	(void)state;
	begin(0, ~0ULL, 100);
	introduce();
	feed(rec_out(1, 1, T0 + 50, KS_R_PREEMPTED));
	feed(rec_in(1, 2, T0 + 250, 0));
	finish(T0 + 330);
	assert_int_equal(count, 4);
	assert_int_equal(ticks[0].vcpu[0].state_ns[ST_PREEMPTED], 50);
	assert_int_equal(ticks[1].vcpu[0].state_ns[ST_PREEMPTED], 100);
	assert_int_equal(ticks[2].vcpu[0].state_ns[ST_PREEMPTED], 50);
	assert_int_equal(ticks[1].vcpu[0].run_delay_ns, 100);
	assert_int_equal(ticks[1].preemptor[0].time_ns, 100);
	assert_int_equal(ticks[1].vcpu[0].absence.count, 0);
	assert_int_equal(ticks[2].vcpu[0].absence.count, 1);
	assert_int_equal(ticks[2].vcpu[0].absence.max, 200);
	assert_int_equal(ticks[0].vcpu[0].switches, 1);
	assert_int_equal(ticks[1].vcpu[0].switches, 0);
	assert_int_equal(ticks[3].vcpu[0].state_ns[ST_RUNNING], 30);
}

/* What a halted vCPU waited is known when it is back: counted then, also what lies before. */
static void test_learnt_later(void **state)
{
	(void)state;
	begin(T0 + 30, ~0ULL, 100);
	introduce();
	feed(rec_out(1, 1, T0 + 10, KS_R_HALTED));
	feed(rec_in(1, 2, T0 + 250, 230)); /* awake since 20 */
	feed(rec_out(1, 3, T0 + 270, KS_R_HALTED));
	feed(rec_in(1, 4, T0 + 300, 7));
	finish(T0 + 330);
	assert_int_equal(count, 3);
	assert_int_equal(ticks[0].vcpu[0].run_delay_ns, 0);
	assert_int_equal(ticks[1].vcpu[0].run_delay_ns, 0);
	assert_int_equal(ticks[2].vcpu[0].run_delay_ns, 220 + 7);
	assert_int_equal(ticks[2].vcpu[0].state_ns[ST_HALTED], 20 + 30);
	assert_int_equal(whole.vcpu[0].run_delay_ns, 220 + 7);
}

/* So is that it was preempted from the start. */
static void test_from_the_start(void **state)
{
	union rec in = rec_in(1, 1, T0 + 250, 0);

	(void)state;
	in.in.reason = KS_R_PREEMPTED;
	begin(0, ~0ULL, 100);
	introduce();
	feed(in);
	feed(rec_out(1, 2, T0 + 290, KS_R_PREEMPTED)); /* over the next edge, and to the end */
	finish(T0 + 330);
	assert_int_equal(ticks[0].vcpu[0].state_ns[ST_UNKNOWN], 100);
	assert_int_equal(ticks[1].vcpu[0].run_delay_ns, 0);
	assert_int_equal(ticks[2].vcpu[0].run_delay_ns, 250 + 10);
	assert_int_equal(ticks[3].vcpu[0].run_delay_ns, 30);
	assert_int_equal(whole.vcpu[0].run_delay_ns, 250 + 40);
}

/* That records are missing is not: the state before holds up to the edge. */
static void test_lost_later(void **state)
{
	(void)state;
	begin(0, ~0ULL, 100);
	introduce();
	feed(rec_out(1, 1, T0 + 50, KS_R_PREEMPTED));
	feed(rec_out(1, 3, T0 + 250, KS_R_PREEMPTED));
	feed(rec_in(1, 4, T0 + 320, 0));
	finish(T0 + 400);
	assert_int_equal(ticks[1].vcpu[0].state_ns[ST_PREEMPTED], 100);
	assert_int_equal(ticks[1].vcpu[0].run_delay_ns, 100);
	assert_int_equal(ticks[2].vcpu[0].state_ns[ST_UNKNOWN], 50);
	assert_int_equal(ticks[2].vcpu[0].run_delay_ns, 50);
	assert_int_equal(ticks[3].vcpu[0].run_delay_ns, 20);
	assert_int_equal(whole.vcpu[0].run_delay_ns, 70);
}

/* A record with an edge's time belongs to the interval that ends there, once. */
static void test_on_the_edge(void **state)
{
	(void)state;
	begin(0, ~0ULL, 100);
	introduce();
	feed(rec_out(1, 1, T0 + 100, KS_R_PREEMPTED));
	feed(rec_in(1, 2, T0 + 200, 0));
	finish(T0 + 300);
	assert_int_equal(count, 3);
	assert_int_equal(ticks[0].vcpu[0].switches, 1);
	assert_int_equal(ticks[1].vcpu[0].switches, 0);
	assert_int_equal(ticks[1].vcpu[0].absence.count, 1);
	assert_int_equal(ticks[2].vcpu[0].absence.count, 0);
	assert_int_equal(ticks[1].vcpu[0].state_ns[ST_PREEMPTED], 100);
	assert_int_equal(ticks[2].vcpu[0].state_ns[ST_RUNNING], 100);
}

/* A descriptor that is read ahead of its time does not make the vCPU exist before it. */
static void test_not_yet(void **state)
{
	union rec later = rec_vcpu(1, T0 + 150, 1, 0, KS_M_CREATED);

	(void)state;
	begin(0, ~0ULL, 100);
	assert_int_equal(model__describe(model, &later.h), 0);
	feed(rec_vm(1, T0));
	feed(later);
	feed(rec_load(KS_LOAD, 1, 1, T0 + 170));
	feed(rec_gone(1, 1, T0 + 210));
	finish(T0 + 400);
	assert_int_equal(count, 4);
	assert_int_equal(ticks[0].vcpu[0].state_ns[ST_ABSENT], 100);
	assert_int_equal(ticks[1].vcpu[0].state_ns[ST_ABSENT], 50);
	assert_int_equal(ticks[1].vcpu[0].state_ns[ST_RUNNING], 30);
	assert_int_equal(ticks[2].vcpu[0].state_ns[ST_ABSENT], 90);
	assert_int_equal(ticks[3].vcpu[0].state_ns[ST_ABSENT], 100);
}

/* Preemptors per vCPU where that is asked for. */
static void test_victims(void **state)
{
	(void)state;
	begin(0, ~0ULL, 1000);
	intervals.now.by_victim = true; /* the first one */
	introduce();
	feed(rec_vcpu(2, T0, 1, 1, 0));
	for (__u32 v = 1; v <= 2; v++)
		feed(rec_out(v, 1, T0 + 100 * v, KS_R_PREEMPTED));
	for (__u32 v = 1; v <= 2; v++)
		feed(rec_in(v, 2, T0 + 300 + v, 0));
	finish(T0 + 1000);
	assert_int_equal(whole.preemptors, 1);
	assert_int_equal(ticks[0].preemptors, 2);
	summary__sort_preemptors(&ticks[0]);
	assert_int_equal(ticks[0].preemptor[0].victim, 1);
	assert_int_equal(ticks[0].preemptor[0].time_ns, 201);
	assert_int_equal(ticks[0].preemptor[1].victim, 2);
	assert_int_equal(ticks[0].preemptor[1].time_ns, 102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_whole, teardown),
		cmocka_unit_test_teardown(test_odd_length, teardown),
		cmocka_unit_test_teardown(test_window, teardown),
		cmocka_unit_test_teardown(test_open, teardown),
		cmocka_unit_test_teardown(test_learnt_later, teardown),
		cmocka_unit_test_teardown(test_from_the_start, teardown),
		cmocka_unit_test_teardown(test_lost_later, teardown),
		cmocka_unit_test_teardown(test_on_the_edge, teardown),
		cmocka_unit_test_teardown(test_not_yet, teardown),
		cmocka_unit_test_teardown(test_victims, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
