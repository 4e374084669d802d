// SPDX-License-Identifier: BSD-2-Clause
/* What is made of decisions and violations: the verdict, its precedence, and the formats. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include "err.h"
#include "kvm_records.h"
#include "model_text.h"
#include "verdict.h"

static struct kvm k;
static struct filter filter;
static struct model *model;
static struct summary summary;
static struct verdict verdict;
static struct automaton *late;

/* A check of some rules, and a summary of one VM named so that formats have to escape it. */
static void begin(const struct automaton *const *rules, unsigned count)
{
	struct ks_name name = rec_name(1, SCENE_START, "a<b>\033[31m&\"#");
	struct model_listener l;

	kvm_begin(&k, false, rules, count);
	k.s.end_ns = SCENE_START + 1000000000;
	summary__init(&summary, &k.s, &filter, 0, k.s.end_ns, &l);
	model = model__new(&k.s, &filter, &l);
	assert_int_equal(model__record(model, &name.h), 0);
	for (__u32 v = 1; v <= KVM_VCPUS; v++) {
		union rec r = rec_vcpu(v, SCENE_START, 1, v - 1, 0);

		assert_int_equal(model__record(model, &r.h), 0);
	}
}

static void begin_all(void)
{
	begin(rules_builtin, kvm_builtin());
}

static void judge(const struct assertion *a, unsigned assertions, __u64 lost)
{
	assert_int_equal(check__end(k.check, k.s.end_ns, true), 0);
	model__end(model, k.s.end_ns);
	assert_int_equal(summary__finish(&summary, model, lost), 0);
	assert_int_equal(verdict__judge(&verdict, k.check, &summary, a, NULL, assertions), 0);
}

static int end(void **state)
{
	(void)state;
	verdict__free(&verdict);
	summary__free(&summary);
	model__free(model);
	model = NULL;
	kvm_end(&k);
	automaton__free(late);
	late = NULL;
	return 0;
}

static const struct verdict_test *test_of(const char *name)
{
	for (unsigned i = 0; i < verdict.tests; i++)
		if (!strcmp(verdict.test[i].name, name))
			return &verdict.test[i];
	fail_msg("no test %s", name);
	return NULL;
}

static void break_reload(void)
{
	union rec r = kvm_out(&k, 1, KS_R_HALTED);

	kvm_hand(&k, 1, &r);
	r = kvm_in(&k, 1);
	r.in.flags[1] ^= KS_F_SCHEDULED_OUT;
	kvm_hand(&k, 1, &r);
}

/* ---- judging ------------------------------------------------------------------------------ */

static void test_ok(void **state)
{
	(void)state;
	begin_all();
	kvm_good(&k);
	judge(NULL, 0, 0);
	assert_int_equal(verdict__exit(&verdict), EXIT_FINE);
	assert_int_equal(verdict.count[VERDICT_SKIPPED], 1);
	assert_int_equal(verdict.count[VERDICT_OK], verdict.tests - 1);
}

static void test_violated(void **state)
{
	(void)state;
	begin_all();
	kvm_good(&k);
	break_reload();
	judge(NULL, 0, 0);
	assert_int_equal(verdict__exit(&verdict), EXIT_VIOLATED);
	assert_int_equal(test_of("reload_scheduled_out")->status, VERDICT_VIOLATED);
	assert_int_equal(test_of("reload_scheduled_out")->violations, 1);
	assert_int_equal(test_of("same_task")->status, VERDICT_OK);
}

/* Loss makes inconclusive what was clean, and leaves violated what was not. */
static void test_lost(void **state)
{
	(void)state;
	begin_all();
	kvm_good(&k);
	k.vcpu[1].seq += 3;
	kvm_good(&k);
	judge(NULL, 0, 0); /* not even the rings knew */
	assert_int_equal(verdict__exit(&verdict), EXIT_INCONCLUSIVE);
	assert_int_equal(verdict.count[VERDICT_OK] + verdict.count[VERDICT_VIOLATED], 0);
	assert_string_equal(test_of("same_task")->why, "3 records were lost");
	end(NULL);

	begin_all();
	kvm_good(&k);
	break_reload();
	judge(NULL, 0, 5);
	assert_int_equal(verdict__exit(&verdict), EXIT_VIOLATED);
	assert_int_equal(verdict.count[VERDICT_OK], 0);
}

static void test_nothing(void **state)
{
	(void)state;
	begin_all();
	judge(NULL, 0, 0);
	assert_int_equal(verdict__exit(&verdict), EXIT_INCONCLUSIVE);
	assert_string_equal(test_of("same_task")->why, "no event decided it");
	end(NULL);

	kvm_begin(&k, false, rules_builtin, 1);
	summary = (struct summary){.session = &k.s};
	assert_int_equal(verdict__judge(&verdict, k.check, &summary, NULL, NULL, 0), 0);
	assert_string_equal(verdict.doubt, "no vCPU was seen");
	assert_int_equal(verdict__exit(&verdict), EXIT_INCONCLUSIVE);
}

static void test_damaged(void **state)
{
	(void)state;
	begin_all();
	kvm_good(&k);
	summary.damaged = true;
	judge(NULL, 0, 0);
	assert_int_equal(verdict__exit(&verdict), EXIT_INCONCLUSIVE);
	end(NULL);

	begin_all();
	kvm_good(&k);
	summary.unfinished = true;
	judge(NULL, 0, 0);
	assert_int_equal(verdict__exit(&verdict), EXIT_INCONCLUSIVE);
	end(NULL);

	begin_all();
	kvm_good(&k);
	k.s.untracked = 1;
	judge(NULL, 0, 0);
	assert_int_equal(verdict__exit(&verdict), EXIT_INCONCLUSIVE);
}

/* All that was asked for cannot be decided here: that is not fine. */
static void test_all_skipped(void **state)
{
	const struct automaton *only = NULL;

	(void)state;
	for (unsigned i = 0; rules_builtin[i]; i++)
		if (!strcmp(rules_builtin[i]->name, "load_put_order"))
			only = rules_builtin[i];
	begin(&only, 1);
	kvm_good(&k);
	judge(NULL, 0, 0);
	assert_int_equal(verdict.count[VERDICT_SKIPPED], 1);
	assert_int_equal(verdict__exit(&verdict), EXIT_INCONCLUSIVE);
}

static void test_assertions(void **state)
{
	static const char *const texts[] = {"count(absence) == 0", "count(absence) > 0",
					    "p99(absence) < 1s", "max(on_or_user) < 1s"};
	struct assertion a[4];
	const char *why, *at;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(assertion__parse(&a[i], texts[i], &why, &at), 0);
	assert_int_not_equal(assertion__parse(&a[3], texts[3], &why, &at), 0);
	assert_int_equal(assertion__parse(&a[3], "sum(on_or_user) < 1s", &why, &at), 0);
	begin(rules_builtin, 0);
	judge(a, 4, 0);
	assert_int_equal(test_of(texts[0])->status, VERDICT_OK);
	assert_int_equal(test_of(texts[1])->status, VERDICT_VIOLATED);
	assert_int_equal(test_of(texts[2])->status, VERDICT_INCONCLUSIVE);
	assert_int_equal(test_of("sum(on_or_user) < 1s")->status, VERDICT_SKIPPED);
	assert_int_equal(verdict__exit(&verdict), EXIT_VIOLATED);
	end(NULL);

	begin(rules_builtin, 0);
	judge(a, 2, 1); /* the second could be mended by what was lost */
	assert_int_equal(test_of(texts[1])->status, VERDICT_INCONCLUSIVE);
	assert_int_equal(verdict__exit(&verdict), EXIT_INCONCLUSIVE);
}

/* ---- the formats -------------------------------------------------------------------------- */

static char *text;
static size_t text_len;

static const char *printed(int (*print)(const struct verdict *v, FILE *f))
{
	FILE *f = open_memstream(&text, &text_len);

	assert_int_equal(print(&verdict, f), 0);
	fclose(f);
	return text;
}

static int print_text(const struct verdict *v, FILE *f)
{
	struct term plain = {.limit = ~0U, .columns = 80, .escape = ESCAPE_TERMINAL};

	return verdict__text(v, &plain, f);
}

static void assert_has(const char *all, const char *part)
{
	if (!strstr(all, part))
		fail_msg("\"%s\" is not in:\n%s", part, all);
}

static void prepare(bool with_late)
{
	static const struct automaton *rules[CHECK_RULES_MAX];
	unsigned n = kvm_builtin();
	union rec r;

	late = model_build(model_around("on", "\"on\" -> \"out\" [label = \"halt;reset(clk)\"];\n"
					      "\"out\" [label = \"out\\nclk < 100us\"];\n"
					      "\"on\" -> \"on\" [label = \"sched_in\"];\n"
					      "\"out\" -> \"on\" [label = \"sched_in\"];\n"));
	memcpy(rules, rules_builtin, n * sizeof(*rules));
	rules[n] = late;
	begin(rules, n + with_late);
	kvm_good(&k);
	break_reload();
	r = kvm_out(&k, 2, KS_R_HALTED);
	kvm_hand(&k, 2, &r);
	judge(NULL, 0, 0);
}

static void test_text(void **state)
{
	const char *all;

	(void)state;
	prepare(true);
	all = printed(print_text);
	assert_has(all, "violated: reload_scheduled_out: ");
	assert_has(all, "a<b>\\x1b[31m&\"# vCPU 0 (thread 101) on CPU 1, ");
	assert_has(all, "event   reload with scheduled_out 0\n");
	assert_has(all, "also    preempted 0, ready 0, ");
	assert_has(all, "state   any\n");
	assert_has(all, "wanted  reload;scheduled_out == 1\n");
	assert_has(all, "  sched_in   entry S--W  reload ---W  reload_end S--W  end ---W\n");
	assert_has(all, "\n  > ");
	assert_has(all, "                             ^ reload, at ");
	assert_has(all, "wanted  clk < 100us, but clk is 4.000 ms\n");
	assert_has(all, "load_put_order           skipped ");
	assert_has(all, "2 violated, 0 inconclusive, 1 skipped: violated\n");
	free(text);
}

/* A vCPU halts, and the trace ends in a state that it should have left before. */
static void halt_too_long(void)
{
	static const struct automaton *rules[1];
	union rec r;

	late = model_build(model_around("on", "\"on\" -> \"out\" [label = \"halt;reset(clk)\"];\n"
					      "\"out\" [label = \"out\\nclk < 100us\"];\n"
					      "\"out\" -> \"on\" [label = \"sched_in\"];\n"));
	rules[0] = late;
	begin(rules, 1);
	r = rec_vcpu(1, SCENE_START, 1, 0, KS_M_CREATED);
	kvm_hand(&k, 1, &r);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
}

static void test_open(void **state)
{
	union rec r;

	(void)state;
	halt_too_long();
	r = rec_snap(1, k.vcpu[1].seq, k.s.end_ns, KS_M_END, 0);
	kvm_hand(&k, 1, &r);
	judge(NULL, 0, 0);
	assert_has(printed(print_text), "event   none: the trace ends\n");
	free(text);
}

/* Without the end's snapshot the records may go on: the vCPU may have left the state in time. */
static void test_open_without_end(void **state)
{
	(void)state;
	halt_too_long();
	judge(NULL, 0, 0);
	assert_int_equal(verdict.count[VERDICT_VIOLATED], 0);
}

static void test_ktap(void **state)
{
	const char *all;

	(void)state;
	prepare(false);
	all = printed(verdict__ktap);
	assert_memory_equal(all, "KTAP version 1\n1..19\n", 21);
	assert_has(all, "\nok 2 load_put_order # SKIP needs --loads");
	assert_has(all, "\nnot ok 13 reload_scheduled_out\n");
	assert_has(all, "\n# Totals: pass:17 fail:1 xfail:0 xpass:0 skip:1 error:0\n");
	for (const char *line = all; *line; line = strchr(line, '\n') + 1)
		assert_true(!strncmp(line, "KTAP ", 5) || !strncmp(line, "1..", 3) ||
			    !strncmp(line, "ok ", 3) || !strncmp(line, "not ok ", 7) ||
			    *line == '#');
	free(text);
}

static void test_ktap_inconclusive(void **state)
{
	(void)state;
	begin_all();
	kvm_good(&k);
	judge(NULL, 0, 7);
	assert_has(printed(verdict__ktap),
		   "\nnot ok 1 load_preempted # ERROR inconclusive: 7 records were lost\n");
	free(text);
}

static void test_junit(void **state)
{
	const char *all;

	(void)state;
	prepare(false);
	all = printed(verdict__junit);
	assert_has(all, "<testsuites tests=\"19\" failures=\"1\" errors=\"0\" skipped=\"1\" ");
	assert_has(all, "<failure type=\"violated\" message=\"kvm_sched_in() loads ");
	assert_has(all, "a&lt;b&gt;");
	assert_has(all, "<skipped message=\"needs --loads");
	assert_null(strchr(all, '\033'));
	free(text);
}

static void validate(void)
{
	FILE *f = popen("exec tests/validate-json docs/schema/check.json -", "w");
	int status;

	assert_non_null(f);
	fputs(printed(verdict__json), f);
	status = pclose(f);
	free(text);
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(status, 0);
}

static void test_json(void **state)
{
	struct assertion a[2];
	const char *why, *at;

	(void)state;
	prepare(true);
	validate();
	end(NULL);
	assert_int_equal(assertion__parse(&a[0], "count(lost) > 5 by vcpu", &why, &at), 0);
	assert_int_equal(assertion__parse(&a[1], "p99(load_cost) < 1s", &why, &at), 0);
	begin_all();
	kvm_good(&k);
	judge(a, 2, 4);
	validate();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_ok, end),
		cmocka_unit_test_teardown(test_violated, end),
		cmocka_unit_test_teardown(test_lost, end),
		cmocka_unit_test_teardown(test_nothing, end),
		cmocka_unit_test_teardown(test_damaged, end),
		cmocka_unit_test_teardown(test_all_skipped, end),
		cmocka_unit_test_teardown(test_assertions, end),
		cmocka_unit_test_teardown(test_text, end),
		cmocka_unit_test_teardown(test_open, end),
		cmocka_unit_test_teardown(test_open_without_end, end),
		cmocka_unit_test_teardown(test_ktap, end),
		cmocka_unit_test_teardown(test_ktap_inconclusive, end),
		cmocka_unit_test_teardown(test_junit, end),
		cmocka_unit_test_teardown(test_json, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
