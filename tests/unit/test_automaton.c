// SPDX-License-Identifier: BSD-2-Clause
/* One run of an automaton: guards of three values, states that are not known, clocks. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "model_text.h"

static struct automaton *a;
static __u64 since[AUTOMATON_CLOCKS];
static struct automaton_run run = {.since = since};

static void begin(const char *initial, const char *statements)
{
	a = model_build(model_around(initial, statements));
	assert_non_null(a);
	automaton__start(a, &run);
}

static int end(void **state)
{
	(void)state;
	automaton__free(a);
	a = NULL;
	return 0;
}

/* The fields in known are known, those in bits are 1. */
static enum automaton_says step_at(enum event_id id, __u64 ts, __u64 known, __u64 bits)
{
	struct event e = {.id = id, .ts = ts, .known = known, .bits = bits & known};

	assert_true(automaton__event(a, id) >= 0);
	return automaton__step(a, &run, automaton__event(a, id), &e);
}

static enum automaton_says step(enum event_id id)
{
	return step_at(id, 1000, 0, 0);
}

static void test_states(void **state)
{
	char text[256];

	(void)state;
	begin("on", "\"on\" -> \"out\" [label = \"sched_out\"];\n"
		    "\"out\" -> \"on\" [label = \"sched_in\"];\n");
	assert_int_equal(step(EV_SCHED_OUT), SAYS_GOOD);
	assert_int_equal(step(EV_SCHED_IN), SAYS_GOOD);
	assert_int_equal(step(EV_SCHED_IN), SAYS_BAD);
	/* it goes on behind the event */
	assert_int_equal(step(EV_SCHED_OUT), SAYS_GOOD);
	automaton__states(a, run.set, text, sizeof(text));
	assert_string_equal(text, "out");
	automaton__allowed(a, run.set, text, sizeof(text));
	assert_string_equal(text, "sched_in -> on\n");
}

/* What is not known decides nothing and forbids nothing but what no state allows. */
static void test_unknown_state(void **state)
{
	(void)state;
	begin("a", "\"a\" -> \"b\" [label = \"sched_out\"]; \"b\" -> \"c\" [label = \"put\"];"
		   "\"c\" -> \"b\" [label = \"load\"]; \"b\" -> \"a\" [label = \"sched_in\"];"
		   "\"c\" -> \"d\" [label = \"put\"]; \"d\" -> \"a\" [label = \"gone\"];"
		   "\"d\" -> \"d\" [label = \"put;alone == 1\"];");
	automaton__forget(a, &run);
	assert_int_equal(__builtin_popcount(run.set), 4);
	assert_int_equal(step(EV_PUT), SAYS_NOTHING); /* from b, c or d */
	assert_int_equal(__builtin_popcount(run.set), 2);
	assert_int_equal(step_at(EV_PUT, 0, FIELD(F_ALONE), 0), SAYS_NOTHING); /* not from d */
	assert_int_equal(__builtin_popcount(run.set), 1);
	assert_int_equal(step_at(EV_PUT, 0, FIELD(F_ALONE), 0), SAYS_BAD);
	automaton__forget(a, &run);
	assert_int_equal(step(EV_GONE), SAYS_NOTHING);
	assert_int_equal(step(EV_GONE), SAYS_BAD); /* only a is possible */
}

static void test_guards(void **state)
{
	const __u64 p = FIELD(F_PREEMPTED), r = FIELD(F_READY), w = FIELD(F_WANTS_TO_RUN);

	(void)state;
	begin("x", "\"x\" -> \"x\" [label = \"sched_in;preempted == 1 && ready == 1 || "
		   "preempted != 1 && wants_to_run == 0\\nreload;cpu >= 2 && cpu < 4\"];");
	assert_int_equal(step_at(EV_SCHED_IN, 0, p | r | w, p | r), SAYS_GOOD);
	assert_int_equal(step_at(EV_SCHED_IN, 0, p | r | w, p), SAYS_BAD);
	assert_int_equal(step_at(EV_SCHED_IN, 0, p | r | w, 0), SAYS_GOOD);
	assert_int_equal(step_at(EV_SCHED_IN, 0, p | r | w, w), SAYS_BAD);
	/* one alternative is refuted, the other unknown */
	assert_int_equal(step_at(EV_SCHED_IN, 0, p, p), SAYS_NOTHING);
	assert_int_equal(step_at(EV_SCHED_IN, 0, p, 0), SAYS_NOTHING);
	assert_int_equal(step_at(EV_SCHED_IN, 0, 0, 0), SAYS_NOTHING);
	/* enough is known */
	assert_int_equal(step_at(EV_SCHED_IN, 0, p | r, p | r), SAYS_GOOD);
	assert_int_equal(step_at(EV_SCHED_IN, 0, p | r, p), SAYS_BAD);
	assert_int_equal(step_at(EV_SCHED_IN, 0, r | w, w), SAYS_BAD);
	for (__u16 cpu = 0; cpu < 6; cpu++) {
		struct event e = {.id = EV_RELOAD, .cpu = cpu, .known = FIELD(F_CPU)};

		assert_int_equal(automaton__step(a, &run, automaton__event(a, EV_RELOAD), &e),
				 cpu == 2 || cpu == 3 ? SAYS_GOOD : SAYS_BAD);
	}
}

/* A bit that is wanted to be both is never what is wanted. */
static void test_guard_never(void **state)
{
	(void)state;
	begin("x", "\"x\" -> \"x\" [label = \"sched_in;preempted == 1 && preempted == 0\"];");
	assert_int_equal(step_at(EV_SCHED_IN, 0, FIELD(F_PREEMPTED), 0), SAYS_BAD);
	assert_int_equal(step_at(EV_SCHED_IN, 0, FIELD(F_PREEMPTED), ~0ULL), SAYS_BAD);
	assert_int_equal(step_at(EV_SCHED_IN, 0, 0, 0), SAYS_NOTHING);
}

static void clocks(void)
{
	begin("on", "\"on\" -> \"out\" [label = \"preempt;reset(clk)\"];\n"
		    "\"out\" [label = \"out\\nclk < 5ms\"];\n"
		    "\"out\" -> \"out\" [label = \"loads\"];\n"
		    "\"out\" -> \"on\" [label = \"sched_in;clk >= 1ms\"];\n");
}

static void test_clock(void **state)
{
	const __u64 ms = 1000000;

	(void)state;
	clocks();
	assert_int_equal(step_at(EV_PREEMPT, 1 * ms, 0, 0), SAYS_GOOD);
	assert_int_equal(automaton__at(a, &run, 5 * ms), SAYS_NOTHING);
	assert_int_equal(automaton__at(a, &run, 6 * ms), SAYS_LATE);
	assert_int_equal(step_at(EV_SCHED_IN, 6 * ms - 1, 0, 0), SAYS_GOOD);
	assert_int_equal(automaton__at(a, &run, 100 * ms), SAYS_NOTHING); /* no invariant here */
	assert_int_equal(step_at(EV_PREEMPT, 10 * ms, 0, 0), SAYS_GOOD);
	assert_int_equal(step_at(EV_LOADS, 15 * ms, 0, 0), SAYS_LATE);
	assert_int_equal(step_at(EV_SCHED_IN, 15 * ms, 0, 0), SAYS_LATE);
	assert_int_equal(step_at(EV_PREEMPT, 20 * ms, 0, 0), SAYS_GOOD);
	assert_int_equal(step_at(EV_SCHED_IN, 20 * ms + 1, 0, 0), SAYS_BAD); /* the guard */
}

/* A clock that was not seen to be reset is not held against anybody. */
static void test_clock_unknown(void **state)
{
	const __u64 ms = 1000000;

	(void)state;
	clocks();
	automaton__forget(a, &run);
	assert_int_equal(step_at(EV_LOADS, 1 * ms, 0, 0), SAYS_NOTHING);
	assert_int_equal(automaton__at(a, &run, 90 * ms), SAYS_NOTHING);
	assert_int_equal(step_at(EV_SCHED_IN, 90 * ms, 0, 0), SAYS_NOTHING);
	assert_int_equal(step_at(EV_PREEMPT, 91 * ms, 0, 0), SAYS_GOOD);
	automaton__forget(a, &run);
	assert_int_equal(step_at(EV_PREEMPT, 99 * ms, 0, 0), SAYS_NOTHING); /* and resets it */
	assert_int_equal(automaton__at(a, &run, 104 * ms), SAYS_LATE);
}

static void test_why_not(void **state)
{
	struct session s = {.mode = MODE_DEFAULT};

	(void)state;
	begin("x", "\"x\" -> \"x\" [label = \"reload\\nreload_end\"];");
	assert_null(automaton__why_not(a, &s)); /* one state: what there is can be judged */
	s.mode = MODE_LIGHT;
	assert_non_null(strstr(automaton__why_not(a, &s), "--light"));
	automaton__free(a);
	s.mode = MODE_DEFAULT;
	begin("x", "\"x\" -> \"y\" [label = \"reload\"]; \"y\" -> \"x\" [label = \"reload_end\"];");
	assert_non_null(strstr(automaton__why_not(a, &s), "--full"));
	s.mode = MODE_FULL;
	assert_null(automaton__why_not(a, &s));
	automaton__free(a);
	begin("x", "\"x\" -> \"x\" [label = \"reload;scheduled_out == 1\"];");
	assert_non_null(strstr(automaton__why_not(a, &s), "Linux 6.11"));
	s.fields = 0x10; /* KS_M_SCHEDULED_OUT */
	assert_null(automaton__why_not(a, &s));
	automaton__free(a);
	begin("x", "\"x\" -> \"x\" [label = \"put\"];");
	assert_non_null(strstr(automaton__why_not(a, &s), "--loads"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_states, end),
		cmocka_unit_test_teardown(test_unknown_state, end),
		cmocka_unit_test_teardown(test_guards, end),
		cmocka_unit_test_teardown(test_guard_never, end),
		cmocka_unit_test_teardown(test_clock, end),
		cmocka_unit_test_teardown(test_clock_unknown, end),
		cmocka_unit_test_teardown(test_why_not, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
