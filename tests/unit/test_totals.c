// SPDX-License-Identifier: BSD-2-Clause
/* Intervals added up: what they have together, that nothing falls, what is folded and forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "allocated.h"
#include "scene.h"
#include "totals.h"

#define T0 SCENE_START
#define S  1000000000ULL

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary whole;
static struct model_listener to_whole;
static struct intervals intervals;
static struct totals totals;
static __u64 before[64];
static bool forgets; /* as a trace that is served; `whole` has then lost them, too */

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

static void begin(__u64 length, bool per_vcpu)
{
	static const struct model_listener l = {
		.event = on_event, .span = on_span, .absence = on_absence};

	session = scene_session(MODE_DEFAULT);
	summary__init(&whole, &session, &filter, 0, ~0ULL, &to_whole);
	intervals__init(&intervals, &session, &filter, 0, ~0ULL, length, false);
	intervals__add_up(&intervals);
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
	totals__init(&totals, per_vcpu);
	memset(before, 0, sizeof(before));
	forgets = false;
}

static int teardown(void **state)
{
	(void)state;
	totals__free(&totals);
	summary__free(&whole);
	intervals__free(&intervals);
	model__free(model);
	return 0;
}

/* What a VM has, in the order of what[]: nothing may fall. */
static void check_growth(void)
{
	for (unsigned i = 0, n; i < totals.sum.vcpus; i += n) {
		struct summary_vcpu v;
		__u64 now[ST_CNT + 4];
		__u32 vm = totals.sum.vcpu[i].v->vm;

		n = summary__group(&totals.sum, SUMMARY_BY_VM, i);
		assert_int_equal(summary__add_up(&totals.sum, i, n, &v), 0);
		memcpy(now, v.state_ns, sizeof(v.state_ns));
		now[ST_CNT] = v.switches;
		now[ST_CNT + 1] = v.migrations;
		now[ST_CNT + 2] = v.run_delay.count;
		now[ST_CNT + 3] = v.run_delay.sum;
		for (unsigned k = 0; vm <= 2 && k < ST_CNT + 4; k++) {
			assert_true(now[k] >= before[vm * (ST_CNT + 4) + k]);
			before[vm * (ST_CNT + 4) + k] = now[k];
		}
		summary__free_vcpu(&v);
	}
}

static void add(struct tick *t)
{
	assert_int_equal(totals__add(&totals, t), 0);
	check_growth();
	intervals__next(&intervals);
	if (forgets)
		model__forget_dead(model);
}

static void edges_before(__u64 ts)
{
	struct tick t;

	while (intervals__edge(&intervals) < ts) {
		assert_int_equal(intervals__cut(&intervals, model, 0, &t), 0);
		add(&t);
	}
}

static int take(void *ctx, const struct ks_head *r, unsigned stream)
{
	(void)ctx;
	(void)stream;
	edges_before(r->ts);
	return model__record(model, r);
}

static void feed(union rec r)
{
	assert_int_equal(take(NULL, &r.h, 0), 0);
}

static void finish(__u64 end)
{
	struct tick t;
	bool any;

	edges_before(end);
	session.end_ns = whole.to_ns = end;
	model__end(model, end);
	assert_int_equal(summary__finish(&whole, model, 0), 0);
	assert_int_equal(intervals__end(&intervals, model, end, 0, &t, &any), 0);
	if (any)
		add(&t);
}

static __u64 preemptions(const struct summary *s, __u64 *ns)
{
	__u64 n = 0;

	*ns = 0;
	for (unsigned i = 0; i < s->preemptors; i++) {
		n += s->preemptor[i].count;
		*ns += s->preemptor[i].time_ns;
	}
	return n;
}

/* Both ways come to the same, whatever the intervals cut through. */
static void compare(void)
{
	struct summary_vcpu sum;
	__u64 ns, want_ns, all = 0, want = 0;

	assert_int_equal(summary__add_up(&totals.sum, 0, totals.sum.vcpus, &sum), 0);
	assert_int_equal(sum.switches, whole.total.switches);
	assert_int_equal(sum.migrations, whole.total.migrations);
	assert_int_equal(sum.run_delay.count, whole.total.run_delay.count);
	assert_int_equal(sum.run_delay.sum, whole.total.run_delay.sum);
	for (unsigned permille = 10; permille <= 1000; permille += 30)
		assert_int_equal(hist__quantile(&sum.run_delay, permille),
				 hist__quantile(&whole.total.run_delay, permille));
	for (unsigned st = ST_PREEMPTED; st <= ST_SLEEPING; st++)
		assert_int_equal(sum.state_ns[st], whole.total.state_ns[st]);
	for (unsigned st = 0; st < ST_CNT; st++) {
		all += sum.state_ns[st];
		want += st == ST_ABSENT ? 0 : whole.total.state_ns[st];
	}
	assert_int_equal(all, want);
	assert_int_equal(preemptions(&totals.sum, &ns), preemptions(&whole, &want_ns));
	assert_int_equal(ns, want_ns);
	assert_true(totals.sum.preemptors <= 2 * KS_BY_CNT);
	summary__free_vcpu(&sum);
}

static void scene_by(__u64 length, bool per_vcpu)
{
	struct scene s = {.seed = 7, .fn = take};

	begin(length, per_vcpu);
	assert_int_equal(scene_play(&s, 4000), 0);
	finish(s.now + 12345);
	compare();
}

static void test_whole(void **state)
{
	(void)state;
	scene_by(500000, false);
	assert_int_equal(totals.sum.vcpus, 2);
	assert_true(totals.sum.vcpu[0].folded);
	assert_true(intervals.n > 50);
}

static void test_per_vcpu(void **state)
{
	(void)state;
	scene_by(500000, true);
	assert_int_equal(totals.sum.vcpus, SCENE_VCPUS);
	assert_false(totals.sum.vcpu[0].folded);
}

/* An absence that lasts for many intervals is one preemption. */
static void test_long(void **state)
{
	__u64 ns;

	(void)state;
	begin(100, false);
	feed(rec_vm(1, T0));
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_out(1, 1, T0 + 250, KS_R_PREEMPTED));
	edges_before(T0 + 1001);
	assert_int_equal(preemptions(&totals.sum, &ns), 1);
	assert_int_equal(ns, 750); /* what is open counts up to now */
	feed(rec_in(1, 2, T0 + 1050, 0));
	finish(T0 + 2000);
	compare();
}

static void introduce(__u32 vm, __u32 vcpu, __u64 ts)
{
	feed(rec_vm(vm, ts));
	feed(rec_vcpu(vcpu, ts, vm, vcpu, KS_M_CREATED));
	feed(rec_out(vcpu, 1, ts + 10, KS_R_HALTED));
	feed(rec_in(vcpu, 2, ts + 20, 5));
}

static void test_fold(void **state)
{
	(void)state;
	begin(1000, true);
	introduce(1, 1, T0 + 10);
	introduce(1, 2, T0 + 110);
	edges_before(T0 + 2500);
	assert_int_equal(totals.sum.vcpus, 2);
	feed(rec_gone(1, 2, T0 + 2600));
	finish(T0 + 10000);
	assert_int_equal(totals.sum.vcpus, 2);
	assert_true(totals.sum.vcpu[0].folded);
	assert_int_equal(totals.sum.vcpu[0].switches, 1);
	assert_int_equal(totals.sum.vcpu[0].run_delay.count, 1);
	assert_false(totals.sum.vcpu[1].folded);
	compare();
}

static unsigned vms(void)
{
	unsigned count = 0;

	for (unsigned i = 0, n; i < totals.sum.vcpus; i += n, count++)
		n = summary__group(&totals.sum, SUMMARY_BY_VM, i);
	assert_int_equal(count, totals.vms);
	return count;
}

static void test_forget(void **state)
{
	(void)state;
	begin(10 * S, false);
	introduce(1, 1, T0 + 10);
	introduce(2, 2, T0 + 110);
	feed(rec_gone(1, 2, T0 + 15 * S));
	edges_before(T0 + 100 * S);
	assert_int_equal(vms(), 2);
	edges_before(T0 + 400 * S);
	assert_int_equal(vms(), 1);
	assert_int_equal(totals.sum.vcpu[0].v->vm, 2);
}

/* Thousands of VMs come and go within minutes. */
static void test_churn(void **state)
{
	(void)state;
	begin(10 * S, false);
	introduce(1, 1, T0 + 10);
	for (__u32 i = 2; i <= 2000; i++) {
		introduce(i, i, T0 + 5 * S + i * S / 10);
		feed(rec_gone(i, 2, T0 + 5 * S + i * S / 10 + 1000));
	}
	edges_before(T0 + 250 * S);
	assert_in_range(vms(), TOTALS_GONE_MAX / 2, TOTALS_GONE_MAX + 101);
	assert_int_equal(totals.sum.vcpu[0].v->vm, 1);
}

static unsigned known(void)
{
	unsigned n = 0;

	for (unsigned at = 0; model__next(model, &at);)
		n++;
	return n;
}

/* Its descriptor was lost, and it is forgotten like any other. */
static void test_nameless(void **state)
{
	(void)state;
	begin(10 * S, true);
	forgets = true;
	feed(rec_out(7, 1, T0 + 10, KS_R_HALTED));
	feed(rec_in(7, 2, T0 + 20, 5));
	edges_before(T0 + 15 * S);
	assert_false(totals.sum.vcpu[0].folded);
	feed(rec_gone(7, 2, T0 + 16 * S));
	for (unsigned i = 2; i < 60; i++) {
		edges_before(T0 + i * 10 * S);
		introduce(i, 8 + i, T0 + i * 10 * S);
	}
	assert_int_equal(totals.sum.vcpu[0].v->vm, 0);
	assert_true(totals.sum.vcpu[0].folded);
	assert_int_equal(totals.sum.vcpu[0].switches, 1);
}

#define SHORT_LIVED 100000U

/* Memory follows what is there, not what has been: ten vCPUs per VM, every other one of VM 1. */
static void test_bounded(void **state)
{
	size_t early = 0;
	char name[160];

	(void)state;
	begin(10 * S, false);
	forgets = true;
	introduce(1, 1, T0 + 10);
	for (__u32 i = 2; i <= SHORT_LIVED; i++) {
		__u64 ts = T0 + 5 * S + i * S / 10;

		introduce(i % 2 ? 1 : 2 + i / 10, i, ts);
		feed(rec_gone(i, 2, ts + 1000));
		if (i == SHORT_LIVED / 10)
			early = allocated_bytes();
	}
	print_message("%zu bytes after %u vCPUs, %zu after %u\n", early, SHORT_LIVED / 10,
		      allocated_bytes(), SHORT_LIVED);
	assert_true(allocated_bytes() < early + early / 4);
	assert_in_range(known(), 1, 102);
	assert_in_range(vms(), TOTALS_GONE_MAX / 2, TOTALS_GONE_MAX + 30);
	edges_before(T0 + (SHORT_LIVED / 10 + 60) * S);
	assert_int_equal(known(), 1);
	assert_int_equal(totals.sum.vcpu[0].v->vm, 1);
	assert_int_equal(totals.sum.vcpu[0].switches, SHORT_LIVED / 2);
	assert_null(model__vm(model, SHORT_LIVED / 10));
	model__vm_name(totals.sum.model, SHORT_LIVED / 10, name, sizeof(name));
	assert_string_not_equal(name, "vm10000");
	finish(T0 + (SHORT_LIVED / 10 + 500) * S);
	assert_int_equal(vms(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_whole, teardown),
		cmocka_unit_test_teardown(test_per_vcpu, teardown),
		cmocka_unit_test_teardown(test_long, teardown),
		cmocka_unit_test_teardown(test_fold, teardown),
		cmocka_unit_test_teardown(test_forget, teardown),
		cmocka_unit_test_teardown(test_churn, teardown),
		cmocka_unit_test_teardown(test_nameless, teardown),
		cmocka_unit_test_teardown(test_bounded, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
