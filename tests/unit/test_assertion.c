// SPDX-License-Identifier: BSD-2-Clause
/* Assertions on numbers: what can be written, and what they say of a summary. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "assertion.h"
#include "scene.h"

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;

static int on_record(void *ctx, const struct ks_head *r, unsigned stream)
{
	(void)ctx;
	(void)stream;
	return model__record(model, r);
}

static int begin(void **state)
{
	struct scene sc = {.mode = MODE_FULL, .seed = 3, .fn = on_record};
	struct model_listener l;

	(void)state;
	session = scene_session(MODE_FULL);
	summary__init(&summary, &session, &filter, 0, ~0ULL, &l);
	model = model__new(&session, &filter, &l);
	assert_int_equal(scene_play(&sc, 4000), 0);
	session.end_ns = summary.to_ns = sc.now;
	model__end(model, sc.now);
	assert_int_equal(summary__finish(&summary, model, 0), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	summary__free(&summary);
	model__free(model);
	return 0;
}

/* ---- parsing ------------------------------------------------------------------------------ */

static void test_parse(void **state)
{
	static const struct {
		const char *text, *measure;
		enum assertion_fn fn;
		enum compare op;
		__u64 value;
		enum summary_by by;
	} good[] = {
		{"p99(run_delay) < 2ms", "run_delay", FN_P99, CMP_LT, 2000000, SUMMARY_BY_ALL},
		{"max(absence)<50ms by vm", "absence", FN_MAX, CMP_LT, 50000000, SUMMARY_BY_VM},
		{"count(preempted) == 0", "preempted", FN_COUNT, CMP_EQ, 0, SUMMARY_BY_ALL},
		{" p99.9( halted ) >= 1.5us  by  vcpu ", "halted", FN_P999, CMP_GE, 1500,
		 SUMMARY_BY_VCPU},
		{"sum(running) > 1s", "running", FN_SUM, CMP_GT, 1000000000, SUMMARY_BY_ALL},
		{"sum(switches) <= 7", "switches", FN_SUM, CMP_LE, 7, SUMMARY_BY_ALL},
		{"mean(reload_cost) < 3us", "reload_cost", FN_MEAN, CMP_LT, 3000, SUMMARY_BY_ALL},
		{"min(absence) > 1ns", "absence", FN_MIN, CMP_GT, 1, SUMMARY_BY_ALL},
	};
	const char *why, *at;
	struct assertion a;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (assertion__parse(&a, good[i].text, &why, &at))
			fail_msg("%s: at %s: %s", good[i].text, at, why);
		assert_string_equal(a.measure->name, good[i].measure);
		assert_int_equal(a.fn, good[i].fn);
		assert_int_equal(a.op, good[i].op);
		assert_int_equal(a.value, good[i].value);
		assert_int_equal(a.by, good[i].by);
	}
}

static void test_parse_wrong(void **state)
{
	static const char *const wrong[] = {
		"",
		"p99",
		"p99(",
		"p98(absence) < 1s",
		"p99(absense) < 1s",
		"p99(absence < 1s",
		"p99(absence)",
		"p99(absence) <",
		"p99(absence) < 1",
		"p99(absence) < 1parsec",
		"p99(absence) = 1s",
		"p99(absence) != 1s",
		"p99(absence) < 1s by host",
		"p99(absence) < 1s by",
		"p99(absence) < 1s and",
		"p99(absence) < 1s by vm x",
		"count(absence) < 1s",
		"count(absence) < 1.5",
		"count(absence) < x",
		"count(running) == 0",
		"max(running) < 1s",
		"max(switches) < 5",
		"count(absence) < 99999999999999999999",
	};
	const char *why, *at;
	struct assertion a;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (assertion__parse(&a, wrong[i], &why, &at) != -EINVAL || !why || !at)
			fail_msg("parsed: %s", wrong[i]);
}

/* ---- evaluating --------------------------------------------------------------------------- */

static struct assertion_result evaluate(const char *text)
{
	struct assertion_result r;
	const char *why, *at;
	struct assertion a;

	assert_int_equal(assertion__parse(&a, text, &why, &at), 0);
	assert_int_equal(assertion__evaluate(&a, &summary, &r), 0);
	return r;
}

/* The number of the only group. */
static __u64 number(const char *fn)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %s", fn, strncmp(fn, "count", 5) ? "> 0ns" : "> 0");
	return evaluate(text).value;
}

static void test_values(void **state)
{
	const struct summary_vcpu *t = &summary.total;

	(void)state;
	assert_int_equal(number("count(absence)"), t->absence.count);
	assert_int_equal(number("sum(absence)"), t->absence.sum);
	assert_int_equal(number("max(absence)"), t->absence.max);
	assert_int_equal(number("min(absence)"), t->absence.min);
	assert_int_equal(number("mean(absence)"), t->absence.sum / t->absence.count);
	assert_int_equal(number("p50(absence)"), hist__quantile(&t->absence, 500));
	assert_int_equal(number("p99.9(absence)"), hist__quantile(&t->absence, 999));
	assert_int_equal(number("count(preempted)"), t->state_cnt[ST_PREEMPTED]);
	assert_int_equal(number("sum(preempted)"), t->state_ns[ST_PREEMPTED]);
	assert_int_equal(number("sum(running)"), t->state_ns[ST_RUNNING]);
	assert_int_equal(number("count(switches)"), t->switches);
	assert_int_equal(number("count(lost)"), 0);
	assert_int_equal(number("max(reload_cost)"), t->reload.max_ns);
	assert_int_equal(number("count(load_cost)"), t->load.count);
	assert_int_equal(number("max(load_cost)"), t->load.max_ns);
}

static void test_groups(void **state)
{
	struct assertion_result r = evaluate("count(switches) >= 0 by vm");
	__u64 most = 0;
	char text[64];

	(void)state;
	assert_int_equal(r.groups, 2);
	assert_int_equal(r.failed, 0);
	r = evaluate("count(switches) < 0 by vcpu");
	assert_int_equal(r.groups, SCENE_VCPUS);
	assert_int_equal(r.failed, SCENE_VCPUS);
	assert_ptr_equal(r.v, summary.vcpu[0].v);
	for (unsigned i = 0; i < summary.vcpus; i++)
		if (summary.vcpu[i].switches > most)
			most = summary.vcpu[i].switches;
	snprintf(text, sizeof(text), "count(switches) < %llu by vcpu", (unsigned long long)most);
	r = evaluate(text);
	assert_int_equal(r.failed, 1);
	assert_int_equal(r.value, most);
}

static void test_absent(void **state)
{
	struct assertion_result r;

	(void)state;
	r = evaluate("p99(load_cost) < 1s");
	assert_int_equal(r.groups, 0);
	assert_non_null(strstr(r.absent, "--loads"));
	session.mode = MODE_DEFAULT;
	r = evaluate("max(reload_cost) < 1s");
	assert_non_null(strstr(r.absent, "--full"));
}

/* Only what more records cannot mend is sure. */
static void test_sure(void **state)
{
	static const struct {
		const char *text;
		bool failed, sure;
	} cases[] = {
		{"max(absence) < 1ns", true, true},  {"max(absence) > 9h", true, false},
		{"count(absence) == 0", true, true}, {"count(absence) == 9999999", true, false},
		{"count(absence) <= 1", true, true}, {"count(absence) >= 99999999", true, false},
		{"p99(absence) < 1ns", true, false}, {"mean(absence) < 1ns", true, false},
		{"min(absence) > 9h", true, true},   {"min(absence) < 1ns", true, false},
		{"sum(absence) < 1ns", true, true},  {"sum(absence) > 1ns", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct assertion_result r = evaluate(cases[i].text);

		if (!!r.failed != cases[i].failed || r.sure != cases[i].sure)
			fail_msg("%s: failed %d, sure %d", cases[i].text, r.failed, r.sure);
	}
}

/* One absence breaks a maximum, and what must not happen at all; it must be one that is counted. */
static void test_broken_by(void **state)
{
	static const struct {
		const char *text;
		bool broken;
	} cases[] = {
		{"max(absence) < 5ms", true},	  {"max(absence) <= 5ms", false},
		{"max(absence) <= 4999us", true}, {"max(absence) > 1ms", false},
		{"max(run_delay) < 2ms", true},	  {"max(run_delay) < 3ms", false},
		{"max(preempted) < 1ms", false},  {"max(halted) < 1ms", true},
		{"count(halted) == 0", true},	  {"count(halted) < 1", true},
		{"count(halted) < 2", false},	  {"count(preempted) == 0", false},
		{"p99(absence) < 1ms", false},	  {"max(absence) < 0ms", false},
	};
	const struct absence a = {.from = 1000000,
				  .to = 6000000,
				  .run_delay_ns = 2000000,
				  .reason = KS_R_HALTED,
				  .has_run_delay = true,
				  .whole = true};
	struct absence open = a, part = a;
	struct assertion x;
	const char *why, *at;

	(void)state;
	open.open = true;
	part.whole = false;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(assertion__parse(&x, cases[i].text, &why, &at), 0);
		assert_int_equal(assertion__broken_by(&x, &a), cases[i].broken);
		assert_false(assertion__broken_by(&x, &open));
		assert_false(assertion__broken_by(&x, &part));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_broken_by),
		cmocka_unit_test(test_parse_wrong),
		cmocka_unit_test_setup_teardown(test_values, begin, end),
		cmocka_unit_test_setup_teardown(test_groups, begin, end),
		cmocka_unit_test_setup_teardown(test_absent, begin, end),
		cmocka_unit_test_setup_teardown(test_sure, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
