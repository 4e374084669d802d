// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two profiles compared, made by hand: which VM is which, when a preemptor is named, what limits
 * say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "diff.h"
#include "err.h"

#define BLOCKS 40
#define SECOND 1000000000ULL

static struct profile a, b;
static struct diff d;

static unsigned row_of(const char *name)
{
	const struct measure *m;
	unsigned i = 0;

	for (unsigned at = 0; (m = measure__next(&at)) && strcmp(m->name, name);)
		i++;
	return i;
}

static void vm_init(struct profile_vm *vm, const char *name, const char *uuid,
		    unsigned preempted_pct)
{
	*vm = (struct profile_vm){.vcpus = 1, .block = calloc(BLOCKS, sizeof(*vm->block))};
	assert_non_null(vm->block);
	strcpy(vm->name, name);
	strcpy(vm->uuid, uuid);
	for (unsigned i = 0; i < BLOCKS; i++) {
		__u64 waits = SECOND / 100 * preempted_pct + i % 7 * 1000000;

		vm->block[i].known_ns = SECOND;
		vm->block[i].time_ns[row_of("preempted")] = waits;
		vm->block[i].time_ns[row_of("run_delay")] = waits;
		vm->block[i].time_ns[row_of("running")] = SECOND - waits;
	}
}

static void take(struct profile_vm *vm, const char *name, unsigned pct)
{
	vm->taker = calloc(1, sizeof(*vm->taker));
	vm->takers = 1;
	assert_non_null(vm->taker);
	vm->taker->by = KS_BY_HOST;
	strcpy(vm->taker->name, name);
	vm->taker->time_ns = calloc(BLOCKS, sizeof(__u64));
	vm->by_class[KS_BY_HOST] =
		(struct profile_taker){.by = KS_BY_HOST, .time_ns = calloc(BLOCKS, sizeof(__u64))};
	for (unsigned i = 0; i < BLOCKS; i++) {
		vm->taker->time_ns[i] = SECOND / 100 * pct + i % 5 * 1000000;
		vm->by_class[KS_BY_HOST].time_ns[i] = vm->taker->time_ns[i] + SECOND / 100;
		vm->by_class[KS_BY_HOST].sum_ns += vm->by_class[KS_BY_HOST].time_ns[i];
	}
}

static void profile_init(struct profile *p, unsigned vms, unsigned all_pct)
{
	*p = (struct profile){.blocks = BLOCKS,
			      .to_ns = BLOCKS * SECOND,
			      .vms = vms,
			      .vm = calloc(vms + 1, sizeof(*p->vm))};
	assert_non_null(p->vm);
	vm_init(&p->all, "", "", all_pct);
}

static int teardown(void **state)
{
	(void)state;
	diff__free(&d);
	profile__free(&a);
	profile__free(&b);
	return 0;
}

static const struct diff_line *line_of(const char *measure, const char *taker)
{
	for (unsigned i = 0; i < d.vm[0].lines; i++) {
		const struct diff_line *l = &d.vm[0].line[i];

		if (taker ? l->taker && !strcmp(l->taker->name, taker) /* "": its class */
			  : l->measure && !strcmp(l->measure->name, measure))
			return l;
	}
	fail_msg("no line %s", taker ?: measure);
	return NULL;
}

static void test_matching(void **state)
{
	(void)state;
	profile_init(&a, 4, 20);
	vm_init(&a.vm[0], "db", "", 20);
	vm_init(&a.vm[1], "old", "11-22", 20);
	vm_init(&a.vm[2], "gone", "", 20);
	vm_init(&a.vm[3], "web", "", 20);
	profile_init(&b, 4, 20);
	vm_init(&b.vm[0], "db", "99", 20);
	vm_init(&b.vm[1], "fresh", "", 20);
	vm_init(&b.vm[2], "renamed", "11-22", 20);
	vm_init(&b.vm[3], "web", "", 20);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	assert_int_equal(d.vms, 3);
	assert_string_equal(d.vm[0].a->name, "old");
	assert_string_equal(d.vm[0].b->name, "renamed");
	assert_string_equal(d.vm[1].b->name, "db");
	assert_string_equal(d.vm[2].b->name, "web");
	assert_int_equal(d.only_as, 1);
	assert_string_equal(d.only_a[0]->name, "gone");
	assert_int_equal(d.only_bs, 1);
	assert_string_equal(d.only_b[0]->name, "fresh");
	assert_int_equal(d.changed, 0);
	assert_true(d.decided > 0);
}

/* Names that differ, and have a = themselves. A pair goes before what is called the same. */
static void test_pairs(void **state)
{
	const char *pairs[] = {"x=y=x", "db=web", NULL}, *none[] = {"x=nobody", NULL},
		   *twice[] = {"db=web", "db=db", NULL};

	(void)state;
	profile_init(&a, 2, 20);
	vm_init(&a.vm[0], "db", "", 20);
	vm_init(&a.vm[1], "x", "", 20);
	profile_init(&b, 3, 20);
	vm_init(&b.vm[0], "db", "", 20);
	vm_init(&b.vm[1], "web", "", 20);
	vm_init(&b.vm[2], "y=x", "", 20);
	assert_int_equal(diff__make(&d, &a, &b, pairs, 0.05, 1, NULL, 0), 0);
	assert_null(d.no_pair);
	assert_int_equal(d.vms, 2);
	assert_string_equal(d.vm[0].a->name, "x");
	assert_string_equal(d.vm[0].b->name, "y=x");
	assert_string_equal(d.vm[1].b->name, "web");
	assert_int_equal(d.only_bs, 1);
	diff__free(&d);
	assert_int_equal(diff__make(&d, &a, &b, none, 0.05, 1, NULL, 0), 0);
	assert_string_equal(d.no_pair, "x=nobody");
	diff__free(&d);
	assert_int_equal(diff__make(&d, &a, &b, twice, 0.05, 1, NULL, 0), 0);
	assert_string_equal(d.no_pair, "db=db");
}

static void test_only_one_of_each(void **state)
{
	(void)state;
	profile_init(&a, 1, 20);
	vm_init(&a.vm[0], "qemu-1", "", 20);
	profile_init(&b, 1, 20);
	vm_init(&b.vm[0], "qemu-2", "", 20);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	assert_int_equal(d.vms, 1);
	assert_true(d.vm[0].assumed);
	assert_int_equal(d.only_as + d.only_bs, 0);
}

static void before_after(unsigned pct_a, unsigned taken_a, unsigned pct_b, unsigned taken_b)
{
	profile_init(&a, 1, pct_a);
	vm_init(&a.vm[0], "web", "", pct_a);
	take(&a.vm[0], "hog", taken_a);
	profile_init(&b, 1, pct_b);
	vm_init(&b.vm[0], "web", "", pct_b);
	take(&b.vm[0], "hog", taken_b);
}

static void test_a_change_and_its_reason(void **state)
{
	const struct diff_line *l;

	(void)state;
	before_after(20, 1, 40, 21);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	l = line_of("preempted", NULL);
	assert_int_equal(l->verdict, DIFF_ROSE);
	assert_true(l->worse && !l->better);
	assert_true(l->e.relative > 0.9 && l->e.relative < 1.1);
	assert_int_equal(line_of("running", NULL)->verdict, DIFF_FELL);
	assert_int_equal(line_of(NULL, "hog")->verdict, DIFF_ROSE);
}

/* Which of several takes turns changed a little, how long the VM waited did not. */
static void test_no_change_has_no_reason(void **state)
{
	(void)state;
	before_after(20, 1, 20, 5);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	assert_int_equal(line_of(NULL, "")->verdict, DIFF_SAME);
	assert_int_equal(line_of(NULL, "hog")->verdict, DIFF_SAME);
	assert_int_equal(d.changed, 0);
}

/* What a class took has a verdict of its own, and is a reason to name who it was. */
static void test_class(void **state)
{
	(void)state;
	before_after(30, 1, 30, 29);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	assert_int_equal(line_of("preempted", NULL)->verdict, DIFF_SAME);
	assert_int_equal(line_of(NULL, "")->kind, DIFF_CLASS);
	assert_int_equal(line_of(NULL, "")->verdict, DIFF_ROSE);
	assert_true(line_of(NULL, "")->worse);
	assert_int_equal(line_of(NULL, "hog")->verdict, DIFF_ROSE);
	assert_int_equal(d.changed, 2);
}

static void make_class_quota(struct profile_vm *vm)
{
	vm->by_class[KS_BY_QUOTA] = vm->by_class[KS_BY_HOST];
	vm->by_class[KS_BY_QUOTA].by = KS_BY_QUOTA;
	vm->by_class[KS_BY_HOST] = (struct profile_taker){.time_ns = NULL};
}

/* Throttling does not come and go by habit: less of it is enough. */
static void test_quota(void **state)
{
	(void)state;
	before_after(20, 1, 20, 11);
	a.to_ns = b.to_ns = 5 * SECOND;
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	assert_int_equal(line_of(NULL, "")->verdict, DIFF_SAME);
	diff__free(&d);
	make_class_quota(&a.vm[0]);
	make_class_quota(&b.vm[0]);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	assert_int_equal(line_of(NULL, "")->verdict, DIFF_ROSE);
}

/* The same blocks mean less in a short recording, and what would have shown is told rightly. */
static void test_sharpness(void **state)
{
	struct diff_sharpness shortly, longer;
	double changes = 0;

	(void)state;
	before_after(20, 1, 20, 1);
	a.to_ns = b.to_ns = 4 * SECOND;
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	shortly = diff__sharpness(&d, &d.vm[0]);
	assert_ptr_equal(shortly.line, line_of("run_delay", NULL));
	assert_true(shortly.line->e.log && shortly.least > 0.3 && shortly.least < 1);
	assert_true(shortly.long_ns > 10 * SECOND && shortly.least_then <= 0.1);
	diff__free(&d);
	a.to_ns = b.to_ns = shortly.long_ns;
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	longer = diff__sharpness(&d, &d.vm[0]);
	assert_true(longer.least < 0.12 && longer.long_ns == 0);
	/* what is just within and just beyond */
	for (unsigned pct = 20; pct < 40 && !changes; pct++) {
		teardown(NULL);
		before_after(20, 1, pct, 1);
		a.to_ns = b.to_ns = 4 * SECOND;
		assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
		if (line_of("run_delay", NULL)->verdict == DIFF_ROSE)
			changes = line_of("run_delay", NULL)->e.relative;
	}
	assert_true(changes > 0.8 * shortly.least && changes < 1.2 * shortly.least);
}

static void test_least(void **state)
{
	(void)state;
	before_after(20, 1, 24, 1);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.3, 1, NULL, 0), 0);
	assert_int_equal(d.changed, 0);
	diff__free(&d);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.1, 1, NULL, 0), 0);
	assert_true(d.changed > 0);
}

static int status_of(const char *text)
{
	struct assertion_limit l;
	const char *why, *at;
	int status;

	if (assertion__parse_limit(&l, text, &why, &at))
		fail_msg("%s: %s", text, why);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, &l, 1), 0);
	assert_int_equal(d.limits, 1);
	status = d.limit[0].status;
	diff__free(&d);
	return status;
}

static void test_limits(void **state)
{
	(void)state;
	before_after(20, 1, 40, 21); /* +98 %, 200 ms per second */
	assert_int_equal(status_of("sum(preempted) +50%"), EXIT_VIOLATED);
	assert_int_equal(status_of("sum(preempted) +50% by vm"), EXIT_VIOLATED);
	assert_int_equal(status_of("sum(preempted) +150%"), EXIT_FINE);
	assert_int_equal(status_of("sum(preempted) +98.5%"), EXIT_INCONCLUSIVE);
	assert_int_equal(status_of("sum(preempted) -10%"), EXIT_FINE);
	assert_int_equal(status_of("sum(running) -10%"), EXIT_VIOLATED);
	assert_int_equal(status_of("sum(preempted) +150ms"), EXIT_VIOLATED);
	assert_int_equal(status_of("sum(preempted)+250ms"), EXIT_FINE);
	assert_int_equal(status_of("sum(running) -150ms"), EXIT_VIOLATED);
	assert_int_equal(status_of("sum(running) -250ms"), EXIT_FINE);
	assert_int_equal(status_of("p99(run_delay) +10%"), EXIT_INCONCLUSIVE); /* no values */
	a.lost = 1;
	assert_int_equal(status_of("sum(preempted) +50%"), EXIT_INCONCLUSIVE);
}

/* From nothing. */
static void test_limits_without_before(void **state)
{
	(void)state;
	before_after(0, 0, 20, 1);
	for (unsigned i = 0; i < BLOCKS; i++)
		a.all.block[i].time_ns[row_of("preempted")] = 0;
	assert_int_equal(status_of("sum(preempted) +1000%"), EXIT_VIOLATED);
	for (unsigned i = 0; i < BLOCKS; i++)
		b.all.block[i].time_ns[row_of("preempted")] = 0;
	assert_int_equal(status_of("sum(preempted) +1%"), EXIT_FINE);
}

static void test_absent(void **state)
{
	struct assertion_limit l;
	const char *why, *at;

	(void)state;
	before_after(20, 1, 40, 1);
	b.vm[0].absent[row_of("running")] = "not with --light";
	b.all.absent[row_of("running")] = "not with --light";
	assert_int_equal(assertion__parse_limit(&l, "sum(running) +1%", &why, &at), 0);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, &l, 1), 0);
	assert_int_equal(line_of("running", NULL)->verdict, DIFF_UNKNOWN);
	assert_string_equal(line_of("running", NULL)->why, "not with --light");
	assert_int_equal(d.limit[0].status, EXIT_INCONCLUSIVE);
	assert_string_equal(d.limit[0].why, "not with --light");
}

static void test_nothing_in_common(void **state)
{
	(void)state;
	profile_init(&a, 0, 0);
	profile_init(&b, 0, 0);
	assert_int_equal(diff__make(&d, &a, &b, NULL, 0.05, 1, NULL, 0), 0);
	assert_int_equal(d.vms + d.decided, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_matching, teardown),
		cmocka_unit_test_teardown(test_pairs, teardown),
		cmocka_unit_test_teardown(test_only_one_of_each, teardown),
		cmocka_unit_test_teardown(test_a_change_and_its_reason, teardown),
		cmocka_unit_test_teardown(test_no_change_has_no_reason, teardown),
		cmocka_unit_test_teardown(test_class, teardown),
		cmocka_unit_test_teardown(test_quota, teardown),
		cmocka_unit_test_teardown(test_sharpness, teardown),
		cmocka_unit_test_teardown(test_least, teardown),
		cmocka_unit_test_teardown(test_limits, teardown),
		cmocka_unit_test_teardown(test_limits_without_before, teardown),
		cmocka_unit_test_teardown(test_absent, teardown),
		cmocka_unit_test_teardown(test_nothing_in_common, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
