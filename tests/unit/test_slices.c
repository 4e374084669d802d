// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slices of a window: whatever is cut, they add up to what a summary of the whole window says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "scene.h"
#include "slices.h"

#define T0 SCENE_START

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary whole;
static struct model_listener to_whole;
static struct slices slices;

/* As run.c does. */
static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *r, const struct step *s)
{
	(void)ctx;
	to_whole.event(&whole, v, r, s);
	assert_int_equal(slices__event(&slices, v, r), 0);
}

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	struct span cut;

	(void)ctx;
	to_whole.span(&whole, v, s, a, task);
	if (summary__clip(&whole, s, &cut))
		assert_int_equal(slices__span(&slices, v, &cut, a, task), 0);
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	(void)ctx;
	to_whole.absence(&whole, v, a, task);
	assert_int_equal(slices__absence(&slices, v, a, task), 0);
}

static void begin(__u64 from, __u64 to, unsigned count)
{
	struct model_listener l = {.event = on_event, .span = on_span, .absence = on_absence};

	session = scene_session(MODE_DEFAULT);
	summary__init(&whole, &session, &filter, from, to, &to_whole);
	assert_int_equal(slices__init(&slices, &session, from, to, count), 0);
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
}

static void feed(union rec r)
{
	assert_int_equal(model__record(model, &r.h), 0);
}

static void finish(__u64 end)
{
	session.end_ns = end;
	model__end(model, end);
	assert_int_equal(summary__finish(&whole, model, 0), 0);
	assert_int_equal(slices__finish(&slices, model), 0);
}

static int teardown(void **state)
{
	(void)state;
	summary__free(&whole);
	slices__free(&slices);
	model__free(model);
	model = NULL;
	return 0;
}

static void same_hist(const struct hist *a, const struct hist *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->sum, b->sum);
	assert_int_equal(a->max, b->max);
	for (unsigned permille = 0; permille <= 1000; permille += 50)
		assert_int_equal(hist__quantile(a, permille), hist__quantile(b, permille));
}

static void assert_adds_up(void)
{
	struct summary_vcpu sum = {.switches = 0};
	__u64 taken = 0, taken_whole = 0;

	for (unsigned i = 0; i < slices.count; i++) {
		const struct summary *s = &slices.slice[i];

		for (int st = 0; st < ST_CNT; st++)
			sum.state_ns[st] += s->total.state_ns[st];
		sum.run_delay_ns += s->total.run_delay_ns;
		sum.switches += s->total.switches;
		sum.reloads += s->total.reloads;
		sum.loads += s->total.loads;
		sum.migrations += s->total.migrations;
		assert_int_equal(hist__merge(&sum.absence, &s->total.absence), 0);
		assert_int_equal(hist__merge(&sum.run_delay, &s->total.run_delay), 0);
		for (unsigned p = 0; p < s->preemptors; p++)
			taken += s->preemptor[p].time_ns;
	}
	for (unsigned p = 0; p < whole.preemptors; p++)
		taken_whole += whole.preemptor[p].time_ns;
	for (int st = 0; st < ST_CNT; st++)
		assert_int_equal(sum.state_ns[st], whole.total.state_ns[st]);
	assert_int_equal(sum.run_delay_ns, whole.total.run_delay_ns);
	assert_int_equal(sum.switches, whole.total.switches);
	assert_int_equal(sum.reloads, whole.total.reloads);
	assert_int_equal(sum.loads, whole.total.loads);
	assert_int_equal(sum.migrations, whole.total.migrations);
	assert_int_equal(taken, taken_whole);
	same_hist(&sum.absence, &whole.total.absence);
	same_hist(&sum.run_delay, &whole.total.run_delay);
	summary__free_vcpu(&sum);
}

/* Two vCPUs, absences shorter and longer than a slice, one of them over several edges, records on
 * edges. */
static void story(void)
{
	__u32 seq = 0;

	feed(rec_vm(1, T0));
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_vcpu(2, T0, 1, 1, 0));
	for (__u64 t = 100; t < 9000; t += 300) {
		seq++;
		feed(rec_out(1, seq, T0 + t, seq % 4 == 1 ? KS_R_PREEMPTED : KS_R_HALTED));
		if (seq == 5)
			t += 2500;
		feed(rec_in(1, ++seq, T0 + t + 100, 40));
	}
	feed(rec_out(2, 1, T0 + 9500, KS_R_SLEEPING));
	feed(rec_in(2, 2, T0 + 9990, 300));
}

static void test_adds_up(void **state)
{
	(void)state;
	for (unsigned count = 1; count < 40; count++) {
		begin(T0, T0 + 10000, count);
		story();
		finish(T0 + 10000);
		assert_true(whole.total.absence.count > 20);
		assert_adds_up();
		teardown(state);
	}
}

static void test_part_of_a_recording(void **state)
{
	(void)state;
	begin(T0 + 777, T0 + 6543, 7);
	story();
	finish(T0 + 10000);
	assert_adds_up();
}

/* An absence over three slices is time in each of them, and an absence in the last. */
static void test_over_edges(void **state)
{
	(void)state;
	begin(T0, T0 + 300, 3);
	feed(rec_vm(1, T0));
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_out(1, 1, T0 + 50, KS_R_HALTED));
	feed(rec_in(1, 2, T0 + 250, 60));
	finish(T0 + 300);
	assert_int_equal(slices.slice[0].total.state_ns[ST_HALTED], 50);
	assert_int_equal(slices.slice[1].total.state_ns[ST_HALTED], 100);
	assert_int_equal(slices.slice[2].total.state_ns[ST_HALTED], 50);
	assert_int_equal(slices.slice[1].total.run_delay_ns, 10);
	assert_int_equal(slices.slice[2].total.run_delay_ns, 50);
	assert_int_equal(slices.slice[1].total.absence.count, 0);
	assert_int_equal(slices.slice[2].total.absence.max, 200);
	assert_adds_up();
}

/* More slices than nanoseconds, an empty window: nothing breaks. */
static void test_degenerate(void **state)
{
	(void)state;
	begin(T0, T0 + 3, 7);
	story();
	finish(T0 + 10000);
	assert_adds_up();
	teardown(state);
	begin(T0, T0, 1);
	story();
	finish(T0 + 10000);
	assert_adds_up();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_adds_up, teardown),
		cmocka_unit_test_teardown(test_part_of_a_recording, teardown),
		cmocka_unit_test_teardown(test_over_edges, teardown),
		cmocka_unit_test_teardown(test_degenerate, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
