// SPDX-License-Identifier: BSD-2-Clause
/*
 * The built-in rules: a kernel that obeys them violates none; each way of breaking one is found,
 * and by no other rule than is said here. What the kernel or the mode does not tell is no
 * violation, nor is what was lost.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kvm_records.h"

static struct kvm k;

static void begin(bool old)
{
	kvm_begin(&k, old, rules_builtin, kvm_builtin());
}

static int end(void **state)
{
	(void)state;
	kvm_end(&k);
	return 0;
}

/* Exactly these rules ("a b c") are violated. */
static void assert_violated(const char *names)
{
	char found[1024] = "";

	assert_int_equal(check__end(k.check, k.now + 1, true), 0);
	for (unsigned i = 0; i < check__rules(k.check); i++) {
		const struct check_rule *r = check__rule(k.check, i);

		assert_int_equal(!!r->violations, !!r->first);
		if (r->violations) {
			strcat(found, *found ? " " : "");
			strcat(found, r->a->name);
		}
	}
	assert_string_equal(found, names);
}

/* ---- obeying ------------------------------------------------------------------------------ */

static void test_good_new(void **state)
{
	(void)state;
	begin(false);
	kvm_good(&k);
	assert_violated("");
	for (unsigned i = 0; i < check__rules(k.check); i++) {
		const struct check_rule *rule = check__rule(k.check, i);

		assert_int_equal(!rule->skip, rule->decided > 0);
		assert_int_equal(!rule->skip, strcmp(rule->a->name, "load_put_order") != 0);
	}
}

static void test_good_old(void **state)
{
	static const char *const skipped[] = {"load_scheduled_out",    "reload_scheduled_out",
					      "scheduled_out_cleared", "scheduled_out_set",
					      "wants_to_run_constant", "load_put_order"};

	(void)state;
	begin(true);
	kvm_good(&k);
	assert_violated("");
	for (size_t i = 0; i < sizeof(skipped) / sizeof(*skipped); i++)
		assert_non_null(kvm_rule(&k, skipped[i])->skip);
	assert_int_equal(kvm_rule(&k, "preempted_iff_runnable")->decided, 2 * 4 * 4 * KVM_VCPUS);
}

/* A stable 6.1 has wants_to_run, but kvm_sched_out() does not ask it. */
static void test_good_backport(void **state)
{
	union rec r;

	(void)state;
	begin(true);
	kvm_end(&k);
	kvm_begin(&k, true, rules_builtin, kvm_builtin());
	k.s.fields |= KS_M_WANTS_TO_RUN;
	kvm_end(&k);
	k.check = check__new(&k.s, rules_builtin, kvm_builtin());
	r = kvm_out(&k, 1, KS_R_IOCTL);
	assert_true(r.out.flags[3] & KS_F_PREEMPTED && !(r.out.flags[3] & KS_F_WANTS_TO_RUN));
	kvm_hand(&k, 1, &r);
	assert_violated("");
	assert_int_equal(kvm_rule(&k, "preempted_iff_runnable")->decided, 3);
}

static void test_good_loads(void **state)
{
	static const __u8 what[] = {KS_LOAD, KS_OUT, KS_IN, KS_PUT, KS_LOAD, KS_PUT};
	union rec r;

	(void)state;
	begin(false);
	kvm_end(&k);
	k.s.loads = 1;
	k.check = check__new(&k.s, rules_builtin, kvm_builtin());
	for (size_t i = 0; i < sizeof(what); i++) {
		r = what[i] == KS_OUT  ? kvm_out(&k, 1, KS_R_HALTED)
		    : what[i] == KS_IN ? kvm_in(&k, 1)
				       : kvm_load(&k, 1, what[i]);
		if (i == 4) { /* another thread, elsewhere */
			k.vcpu[1].tid = r.load.tid = 77;
			k.vcpu[1].cpu = r.load.cpu = r.load.cpu_arg = 3;
		}
		kvm_hand(&k, 1, &r);
	}
	r = rec_gone(1, k.vcpu[1].seq, k.now + 1);
	kvm_hand(&k, 1, &r);
	assert_violated("");
	for (unsigned i = 0; i < check__rules(k.check); i++)
		assert_true(check__rule(k.check, i)->decided > 0);
}

static void test_good_migration(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	for (unsigned i = 0; i < 8; i++) {
		r = kvm_out(&k, 1, KS_R_PREEMPTED);
		kvm_hand(&k, 1, &r);
		k.vcpu[1].cpu = i % 3;
		r = kvm_in(&k, 1);
		kvm_hand(&k, 1, &r);
	}
	assert_violated("");
}

/* A waker may set ready at any time. */
static void test_good_late_wakeup(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	r = kvm_in(&k, 1);
	for (unsigned i = 0; i < KS_PT_CNT; i++)
		r.in.flags[i] |= KS_F_READY;
	kvm_hand(&k, 1, &r);
	r = kvm_out(&k, 1, KS_R_HALTED);
	r.out.flags[0] |= KS_F_READY;
	kvm_hand(&k, 1, &r);
	assert_violated("");
}

/* ---- breaking ----------------------------------------------------------------------------- */

#define S KS_F_SCHEDULED_OUT
#define P KS_F_PREEMPTED
#define R KS_F_READY
#define W KS_F_WANTS_TO_RUN

/* A good kernel's OUT and IN for this reason with these flags turned over: what is violated? */
static const struct {
	bool old;
	__u8 reason;
	__u8 out[KS_PT_CNT], in[KS_PT_CNT];
	const char *violated;
} flips[] = {
	/* the kernel's three mutants: never set; cleared before the load; preempted never set */
	{false,
	 KS_R_PREEMPTED,
	 {0, S, S, S},
	 {S, S, S, 0},
	 "reload_scheduled_out scheduled_out_set"},
	{false, KS_R_HALTED, {0}, {0, S, S, 0}, "reload_scheduled_out"},
	{false, KS_R_PREEMPTED, {0, P, P, P}, {P, 0, 0, 0}, "preempted_iff_runnable"},
	{true, KS_R_PREEMPTED, {0, P, P, P}, {P, 0, 0, 0}, "preempted_iff_runnable"},
	/* delayed dequeue, cd9626e9ebc7, is test_delayed_dequeue() */
	{false, KS_R_HALTED, {0, P | R, P | R, P | R}, {P | R}, "preempted_iff_runnable"},
	{false, KS_R_IOCTL, {0, P | R, P | R, P | R}, {P | R}, "preempted_iff_runnable"},
	/* set after the put */
	{false, KS_R_HALTED, {0, S, S, 0}, {0}, "scheduled_out_set"},
	/* not cleared */
	{false, KS_R_HALTED, {0}, {0, 0, 0, S}, "scheduled_out_cleared"},
	{false, KS_R_HALTED, {S}, {0}, "scheduled_out_cleared"},
	{false, KS_R_HALTED, {0}, {S}, "scheduled_out_set"},
	/* preempted not cleared before the load, or at all */
	{false, KS_R_PREEMPTED, {0}, {0, P, 0, 0}, "preempted_cleared"},
	{false, KS_R_PREEMPTED, {0}, {0, P, P, P}, "preempted_cleared"},
	{false, KS_R_PREEMPTED, {P}, {0}, "preempted_cleared"},
	{true, KS_R_PREEMPTED, {0}, {0, P, P, P}, "preempted_cleared"},
	/* lost in between */
	{false, KS_R_PREEMPTED, {0, 0, 0, P}, {0}, "preempted_iff_runnable"},
	{false, KS_R_PREEMPTED, {0}, {P}, "preempted_iff_runnable"},
	/* ready */
	{false, KS_R_PREEMPTED, {0, R, R, R}, {R}, "preempted_implies_ready"},
	{true, KS_R_PREEMPTED, {0, 0, 0, 0}, {R}, "preempted_implies_ready"},
	/* wants_to_run */
	{false, KS_R_HALTED, {0}, {0, 0, W, W}, "wants_to_run_constant"},
	{false, KS_R_HALTED, {0, 0, W, W}, {W, W, W, W}, "wants_to_run_constant"},
};

static void test_flips(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(flips) / sizeof(*flips); i++) {
		union rec r;

		begin(flips[i].old);
		kvm_good(&k);
		r = kvm_loads(&k, 2);
		kvm_hand(&k, 2, &r);
		r = kvm_out(&k, 2, flips[i].reason);
		for (unsigned p = 0; p < KS_PT_CNT; p++)
			r.out.flags[p] ^= flips[i].out[p];
		kvm_hand(&k, 2, &r);
		r = kvm_in(&k, 2);
		for (unsigned p = 0; p < KS_PT_CNT; p++)
			r.in.flags[p] ^= flips[i].in[p];
		kvm_hand(&k, 2, &r);
		assert_violated(flips[i].violated);
		kvm_end(&k);
	}
}

/* A vCPU that blocked stays on the run queue for a while: it must not be marked as preempted. */
static void test_delayed_dequeue(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	r = kvm_out(&k, 1, KS_R_HALTED);
	r.out.task = 1 | KS_T_SCHED_DELAYED;
	kvm_hand(&k, 1, &r);
	r = kvm_in(&k, 1);
	kvm_hand(&k, 1, &r);
	assert_int_equal(check__violations(k.check), 0);
	r = kvm_out(&k, 1, KS_R_HALTED);
	r.out.task = 1 | KS_T_SCHED_DELAYED;
	for (unsigned p = 1; p < KS_PT_CNT; p++)
		r.out.flags[p] |= P | R;
	kvm_hand(&k, 1, &r);
	assert_violated("preempted_iff_runnable");
}

static void test_bare_flags(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	r = kvm_loads(&k, 1);
	r.loads.put_flags |= S;
	kvm_hand(&k, 1, &r);
	assert_violated("load_scheduled_out");
	kvm_end(&k);
	begin(true);
	r = kvm_loads(&k, 1);
	r.loads.load_flags |= P | S; /* S: there is none */
	kvm_hand(&k, 1, &r);
	assert_violated("load_preempted");
}

static void test_places(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	kvm_good(&k);
	r = kvm_out(&k, 1, KS_R_HALTED);
	r.out.tid = 9;
	kvm_hand(&k, 1, &r);
	r = kvm_in(&k, 1);
	r.in.tid = 9;
	kvm_hand(&k, 1, &r);
	assert_violated("same_task");
	assert_int_equal(kvm_rule(&k, "same_task")->violations, 1);
	kvm_end(&k);

	begin(false);
	kvm_good(&k);
	k.vcpu[1].cpu = 0;
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	assert_violated("same_cpu");
	kvm_end(&k);

	begin(false);
	kvm_good(&k);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	r = kvm_in(&k, 1);
	r.in.cpu_arg = 3;
	kvm_hand(&k, 1, &r);
	assert_violated("told_cpu");
}

static void test_two_on_a_cpu(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	kvm_good(&k);
	k.vcpu[2].cpu = k.vcpu[1].cpu; /* 2 comes to where 1 is loaded */
	r = kvm_out(&k, 2, KS_R_HALTED);
	r.out.cpu = 2;
	kvm_hand(&k, 2, &r);
	r = kvm_in(&k, 2);
	kvm_hand(&k, 2, &r);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	assert_violated("one_vcpu_per_cpu");
	assert_int_equal(kvm_rule(&k, "one_vcpu_per_cpu")->first->v->id, 1);
}

static void test_order(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	kvm_good(&k);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	assert_violated("out_in_alternate");
	kvm_end(&k);

	begin(false);
	kvm_good(&k);
	r = kvm_out(&k, 1, KS_R_HALTED);
	r.h.mask &= ~(KS_M_POINT(1) | KS_M_POINT(2));
	kvm_hand(&k, 1, &r);
	r = kvm_in(&k, 1);
	r.h.mask &= ~(KS_M_POINT(1) | KS_M_POINT(2));
	kvm_hand(&k, 1, &r);
	assert_violated("one_load one_put");
	kvm_end(&k);

	begin(false);
	kvm_good(&k);
	r = kvm_out(&k, 1, KS_R_HALTED);
	r.h.mask &= ~KS_M_POINT(2);
	kvm_hand(&k, 1, &r);
	r = kvm_in(&k, 1);
	r.h.mask &= ~KS_M_POINT(2);
	kvm_hand(&k, 1, &r);
	assert_violated("put_returns reload_returns");
	kvm_end(&k);

	begin(false);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	r = rec_gone(1, k.vcpu[1].seq, ++k.now);
	kvm_hand(&k, 1, &r);
	assert_violated("out_in_alternate");
}

static void test_load_order(void **state)
{
	static const struct {
		__u8 what[5];
		const char *violated;
	} cases[] = {
		{{KS_LOAD, KS_OUT, KS_PUT}, "load_put_order"},
		{{KS_LOAD, KS_OUT, KS_LOAD}, "load_put_order"},
		{{KS_LOAD, KS_LOAD}, "load_put_order"},
		{{KS_LOAD, KS_PUT, KS_PUT}, "load_put_order"},
		{{KS_LOAD, KS_PUT, KS_OUT}, "load_put_order"},
		{{KS_LOAD, KS_OUT, KS_OUT}, "load_put_order out_in_alternate"},
		{{KS_LOAD, KS_GONE}, "load_put_order"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(false);
		kvm_end(&k);
		k.s.loads = 1;
		k.check = check__new(&k.s, rules_builtin, kvm_builtin());
		for (const __u8 *what = cases[i].what; *what; what++) {
			union rec r = *what == KS_OUT	 ? kvm_out(&k, 1, KS_R_HALTED)
				      : *what == KS_GONE ? rec_gone(1, k.vcpu[1].seq, ++k.now)
							 : kvm_load(&k, 1, *what);

			kvm_hand(&k, 1, &r);
		}
		assert_violated(cases[i].violated);
		kvm_end(&k);
	}
}

/* ---- what is not known -------------------------------------------------------------------- */

/* A vCPU that was there before, in the middle of anything. */
static void test_first_records(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	r = kvm_in(&k, 1);
	kvm_hand(&k, 1, &r);
	r = kvm_out(&k, 2, KS_R_PREEMPTED);
	r.h.mask &= ~(KS_M_POINTS & ~KS_M_POINT(KS_PT_EXIT)); /* attached meanwhile */
	kvm_hand(&k, 2, &r);
	kvm_good(&k);
	assert_string_equal("", "");
	assert_int_equal(check__missing(k.check) + check__disorder(k.check), 0);
}

static void test_created(void **state)
{
	union rec r = rec_vcpu(1, SCENE_START + 5, 1, 0, KS_M_CREATED);

	(void)state;
	begin(false);
	kvm_hand(&k, 1, &r);
	k.vcpu[1].out_flags = S | W;
	r = kvm_in(&k, 1); /* it was never out */
	kvm_hand(&k, 1, &r);
	assert_violated("out_in_alternate");
}

/* Any stretch of records may be missing: that is seen, and violates nothing. */
static void test_loss(void **state)
{
	(void)state;
	for (unsigned from = 0; from < 12; from++) {
		for (unsigned count = 1; count < 6; count++) {
			unsigned lost = 0;

			begin(false);
			for (unsigned i = 0; i < 24; i++) {
				union rec r =
					i % 3 == 0   ? kvm_out(&k, 1,
							       i % 5 ? KS_R_HALTED : KS_R_PREEMPTED)
					: i % 3 == 1 ? kvm_in(&k, 1)
						     : kvm_loads(&k, 1);

				if (i % 3 == 1)
					k.vcpu[1].cpu = i % 4, k.vcpu[1].tid = 100 + i % 2;
				if (i >= from && i < from + count)
					lost++;
				else
					kvm_hand(&k, 1, &r);
			}
			assert_violated("");
			assert_int_equal(check__missing(k.check), lost);
			kvm_end(&k);
		}
	}
}

static void test_tail_missing(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	kvm_good(&k);
	r = rec_snap(1, k.vcpu[1].seq + 2, k.now, KS_M_END, 0);
	kvm_hand(&k, 1, &r);
	assert_int_equal(check__missing(k.check), 2);
	r = rec_snap(2, k.vcpu[2].seq, k.now, KS_M_END, 0);
	kvm_hand(&k, 2, &r);
	assert_int_equal(check__missing(k.check), 2);
}

static void test_twice(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	kvm_good(&k);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	kvm_hand(&k, 1, &r);
	assert_violated("");
	assert_int_equal(check__disorder(k.check), 1);
}

static void test_skipped(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	kvm_good(&k);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	k.vcpu[1].cpu = 0;
	r = kvm_out(&k, 1, KS_R_PREEMPTED);
	r.h.mask |= KS_M_SKIPPED; /* in between it was where -C does not look */
	kvm_hand(&k, 1, &r);
	assert_violated("");
}

/* Outside the window a record is not judged, but those inside depend on it. */
static void test_not_asked(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	r = kvm_out(&k, 1, KS_R_HALTED);
	r.out.flags[3] ^= S;
	assert_int_equal(check__record(k.check, &k.vcpu[1].v, &r.h, false), 0);
	for (unsigned i = 0; i < check__rules(k.check); i++)
		assert_int_equal(check__rule(k.check, i)->decided, 0);
	r = kvm_out(&k, 1, KS_R_HALTED);
	kvm_hand(&k, 1, &r);
	assert_violated("out_in_alternate");
}

/* ---- what is kept of a violation ---------------------------------------------------------- */

static void test_first_violation(void **state)
{
	const struct check_violation *x = NULL;
	union rec r;

	(void)state;
	begin(false);
	kvm_good(&k);
	kvm_good(&k);
	for (unsigned i = 0; i < 3; i++) {
		r = kvm_out(&k, 1, KS_R_HALTED);
		kvm_hand(&k, 1, &r);
		r = kvm_in(&k, 1);
		r.in.flags[2] ^= S;
		kvm_hand(&k, 1, &r);
		if (!i)
			x = kvm_rule(&k, "reload_scheduled_out")->first;
	}
	assert_int_equal(kvm_rule(&k, "reload_scheduled_out")->violations, 3);
	assert_ptr_equal(kvm_rule(&k, "reload_scheduled_out")->first, x);
	assert_int_equal(x->event.id, EV_RELOAD_END);
	assert_int_equal(x->pasts, CHECK_PAST);
	assert_int_equal(x->past[CHECK_PAST - 1].h.type, KS_IN);
	assert_int_equal(x->past[CHECK_PAST - 1].h.ts, x->event.ts - 700);
	for (unsigned i = 1; i < CHECK_PAST; i++)
		assert_int_equal(x->past[i].in.seq, x->past[i - 1].in.seq + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_good_new, end),
		cmocka_unit_test_teardown(test_good_old, end),
		cmocka_unit_test_teardown(test_good_backport, end),
		cmocka_unit_test_teardown(test_good_loads, end),
		cmocka_unit_test_teardown(test_good_migration, end),
		cmocka_unit_test_teardown(test_good_late_wakeup, end),
		cmocka_unit_test_teardown(test_flips, end),
		cmocka_unit_test_teardown(test_delayed_dequeue, end),
		cmocka_unit_test_teardown(test_bare_flags, end),
		cmocka_unit_test_teardown(test_places, end),
		cmocka_unit_test_teardown(test_two_on_a_cpu, end),
		cmocka_unit_test_teardown(test_order, end),
		cmocka_unit_test_teardown(test_load_order, end),
		cmocka_unit_test_teardown(test_first_records, end),
		cmocka_unit_test_teardown(test_created, end),
		cmocka_unit_test_teardown(test_loss, end),
		cmocka_unit_test_teardown(test_tail_missing, end),
		cmocka_unit_test_teardown(test_twice, end),
		cmocka_unit_test_teardown(test_skipped, end),
		cmocka_unit_test_teardown(test_not_asked, end),
		cmocka_unit_test_teardown(test_first_violation, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
