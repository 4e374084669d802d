// SPDX-License-Identifier: BSD-2-Clause
/*
 * One vCPU's state machine: every cell of the table in user/vcpu.c, gaps, the snapshots, creation
 * and destruction; and that whatever comes, the spans are adjacent and cover the window exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "scene.h"

#define T0     SCENE_START
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct vcpu v;
static struct step s;

static void step(union rec r)
{
	vcpu__step(&v, &r.h, &s);
}

static void begin(bool light)
{
	vcpu__init(&v, T0, light);
	memset(&s, 0, sizeof(s));
}

/* The last step passed exactly one span. */
static void assert_span(__u64 from, __u64 to, enum state state)
{
	assert_int_equal(s.spans, 1);
	assert_int_equal(s.span[0].from, from);
	assert_int_equal(s.span[0].to, to);
	assert_string_equal(state__name(s.span[0].state), state__name(state));
}

/* ---- the table ---------------------------------------------------------------------------- */

enum row { RUNNING, USER, PREEMPTED, HALTED, SLEEPING, UNKNOWN, FRESH, DEAD, ROWS };

/* Brings the vCPU into a row; its last record has sequence number 2 (FRESH: 0), time T0 + 20. */
static void enter(enum row row)
{
	static const __u8 reason[ROWS] = {
		[PREEMPTED] = KS_R_PREEMPTED, [HALTED] = KS_R_HALTED, [SLEEPING] = KS_R_SLEEPING};

	begin(false);
	if (row == FRESH) {
		v.since = T0 + 20;
		return;
	}
	step(rec_loads(1, 1, T0 + 10, 1, 0));
	switch (row) {
	case RUNNING:
		step(rec_load(KS_LOAD, 1, 2, T0 + 20));
		break;
	case USER:
		step(rec_load(KS_PUT, 1, 2, T0 + 20));
		break;
	case UNKNOWN:
		step(rec_snap(1, 2, T0 + 20, KS_M_END, 0));
		v.odd = v.lost = 0;
		break;
	case DEAD:
		step(rec_load(KS_PUT, 1, 2, T0 + 19));
		step(rec_gone(1, 2, T0 + 20));
		break;
	default:
		step(rec_out(1, 2, T0 + 20, reason[row]));
	}
	assert_int_equal(v.odd, 0);
	assert_int_equal(v.since, T0 + 20);
}

static union rec record(__u8 type, __u32 seq, __u64 ts)
{
	switch (type) {
	case KS_OUT:
		return rec_out(1, seq, ts, KS_R_HALTED);
	case KS_IN:
		return rec_in(1, seq, ts, 3);
	case KS_LOADS:
		return rec_loads(1, seq, ts, 2, 4);
	}
	return rec_load(type, 1, seq, ts);
}

/* What a cell says: what the time until the record was, what it is then, and whether that is odd.
 */
struct cell {
	enum state was, is;
	bool odd;
};

static void check_cell(enum row row, __u8 type, const struct cell *want)
{
	enter(row);
	step(record(type, v.seq + 1, T0 + 30));
	if (v.odd != want->odd)
		fail_msg("row %d, record %d: odd is %llu", row, type, v.odd);
	if (row == DEAD) {
		assert_int_equal(s.spans, 0);
	} else {
		assert_span(T0 + 20, T0 + 30, want->was);
		assert_int_equal(s.span[0].user_ns,
				 type == KS_LOADS && want->was == ST_RUNNING ? 4 : 0);
	}
	if (v.state != want->is)
		fail_msg("row %d, record %d: then %s, not %s", row, type, state__name(v.state),
			 state__name(want->is));
	assert_int_equal(s.ended, type == KS_IN && row >= PREEMPTED && row <= SLEEPING);
	assert_int_equal(v.lost, 0);
}

static void test_table(void **state)
{
	static const __u8 types[] = {KS_OUT, KS_IN, KS_LOADS, KS_LOAD, KS_PUT};
#define R ST_RUNNING
#define H ST_HALTED
#define S ST_SLEEPING
#define P ST_PREEMPTED
#define X ST_USER
#define U ST_UNKNOWN
#define A ST_ABSENT
	static const struct cell cells[ROWS][5] = {
		/*             OUT        IN         LOADS      LOAD       PUT */
		[RUNNING] = {{R, H, 0}, {U, R, 1}, {R, R, 0}, {R, R, 0}, {R, X, 0}},
		[USER] = {{U, H, 1}, {U, R, 1}, {R, R, 0}, {X, R, 0}, {X, X, 0}},
		[PREEMPTED] = {{U, H, 1}, {P, R, 0}, {U, R, 1}, {U, R, 1}, {U, X, 1}},
		[HALTED] = {{U, H, 1}, {H, R, 0}, {U, R, 1}, {U, R, 1}, {U, X, 1}},
		[SLEEPING] = {{U, H, 1}, {S, R, 0}, {U, R, 1}, {U, R, 1}, {U, X, 1}},
		/* records were lost: whatever comes is no surprise, but for an IN without its OUT
		 */
		[UNKNOWN] = {{U, H, 0}, {U, R, 1}, {U, R, 0}, {U, R, 0}, {U, X, 0}},
		[FRESH] = {{R, H, 0}, {U, R, 0}, {R, R, 0}, {X, R, 0}, {R, X, 0}},
		[DEAD] = {{A, A, 1}, {A, A, 1}, {A, A, 1}, {A, A, 1}, {A, A, 1}},
	};

	(void)state;
	for (enum row row = 0; row < ROWS; row++)
		for (unsigned t = 0; t < LEN(types); t++)
			check_cell(row, types[t], &cells[row][t]);
}

/* ---- absences ----------------------------------------------------------------------------- */

static void test_absence(void **state)
{
	union rec out = rec_out(1, 1, T0 + 10, KS_R_PREEMPTED), in = rec_in(1, 2, T0 + 60, 9);

	(void)state;
	begin(false);
	out.out.next_vm = 5;
	in.in.cpu = 3;
	step(out);
	assert_span(T0, T0 + 10, ST_RUNNING);
	step(in);
	assert_span(T0 + 10, T0 + 60, ST_PREEMPTED);
	assert_true(s.ended && s.absence.cpu_in != s.absence.cpu_out && s.absence.whole &&
		    !s.absence.open);
	assert_int_equal(s.absence.from, T0 + 10);
	assert_int_equal(s.absence.to, T0 + 60);
	assert_int_equal(s.absence.cpu_out, 1);
	assert_int_equal(s.absence.cpu_in, 3);
	assert_int_equal(s.absence.next_tid, 7);
	assert_int_equal(s.absence.next_vm, 5);
	assert_int_equal(s.absence.by, KS_BY_HOST);
	/* a runnable absence is all run delay, whatever the scheduler charged */
	assert_true(s.absence.has_run_delay && !s.absence.clamped);
	assert_int_equal(s.absence.run_delay_ns, 50);
}

static void blocked(__u16 mask, __u64 growth)
{
	union rec in = rec_in(1, 2, T0 + 60, growth);

	begin(false);
	in.h.mask = mask;
	step(rec_out(1, 1, T0 + 10, KS_R_HALTED));
	step(in);
	assert_true(s.ended);
}

static void test_run_delay(void **state)
{
	(void)state;
	blocked(KS_M_RUN_DELAY, 20);
	assert_true(s.absence.has_run_delay && !s.absence.clamped);
	assert_int_equal(s.absence.run_delay_ns, 20);
	blocked(KS_M_RUN_DELAY, 50);
	assert_false(s.absence.clamped);
	blocked(KS_M_RUN_DELAY, 51);
	assert_true(s.absence.clamped);
	assert_int_equal(s.absence.run_delay_ns, 50);
	blocked(0, 20); /* not known is not 0 */
	assert_false(s.absence.has_run_delay);
}

static void test_throttled_later(void **state)
{
	union rec in = rec_in(1, 2, T0 + 60, 0);

	(void)state;
	in.h.mask |= KS_M_THROTTLED;
	begin(false);
	step(rec_out(1, 1, T0 + 10, KS_R_PREEMPTED));
	step(in);
	assert_int_equal(s.absence.by, KS_BY_QUOTA);
	begin(false);
	step(rec_out(1, 1, T0 + 10, KS_R_HALTED));
	step(in);
	assert_int_equal(s.absence.by, KS_BY_NONE);
}

static void test_open(void **state)
{
	(void)state;
	begin(false);
	step(rec_out(1, 1, T0 + 10, KS_R_PREEMPTED));
	vcpu__end(&v, T0 + 70, &s);
	assert_span(T0 + 10, T0 + 70, ST_PREEMPTED);
	assert_true(s.span[0].open && s.ended && s.absence.open && s.absence.whole);
	assert_int_equal(s.absence.from, T0 + 10);
	assert_int_equal(s.absence.to, T0 + 70);
	assert_int_equal(s.absence.run_delay_ns, 60);
	begin(false);
	step(rec_out(1, 1, T0 + 10, KS_R_HALTED));
	vcpu__end(&v, T0 + 70, &s);
	assert_true(s.ended && s.absence.open);
	assert_false(s.absence.has_run_delay); /* it may be waiting for a CPU already */
	begin(false);
	step(rec_in(1, 1, T0 + 10, 0));
	vcpu__end(&v, T0 + 70, &s);
	assert_false(s.ended);
}

/* ---- gaps --------------------------------------------------------------------------------- */

static void test_gap(void **state)
{
	static const __u8 types[] = {KS_OUT, KS_IN, KS_LOADS, KS_LOAD, KS_PUT};

	(void)state;
	for (enum row row = RUNNING; row < DEAD; row++) {
		for (unsigned t = 0; t < LEN(types); t++) {
			enter(row);
			step(record(types[t], v.seq + 4, T0 + 30));
			assert_span(T0 + 20, T0 + 30, ST_UNKNOWN);
			assert_int_equal(s.lost, 3);
			assert_int_equal(v.lost, 3);
			assert_int_equal(v.odd, 0);
			assert_false(s.ended);
			step(record(types[t], v.seq + 1, T0 + 40)); /* sound again */
			assert_int_equal(v.lost, 3);
		}
	}
}

static void test_gap_ends(void **state)
{
	(void)state;
	enter(RUNNING);
	step(rec_out(1, 5, T0 + 30, KS_R_HALTED)); /* 3 and 4 were lost */
	step(rec_in(1, 6, T0 + 40, 0));
	assert_span(T0 + 30, T0 + 40, ST_HALTED);
	assert_true(s.ended && s.absence.whole);
}

static void test_number_again(void **state)
{
	(void)state;
	enter(RUNNING);
	step(rec_out(1, 2, T0 + 30, KS_R_HALTED));
	assert_span(T0 + 20, T0 + 30, ST_UNKNOWN);
	assert_int_equal(v.odd, 1);
	assert_int_equal(v.lost, 0);
}

static void test_number_wraps(void **state)
{
	(void)state;
	enter(RUNNING);
	v.seq = ~0U;
	step(rec_out(1, 0, T0 + 30, KS_R_HALTED));
	assert_span(T0 + 20, T0 + 30, ST_RUNNING);
	assert_int_equal(v.odd + v.lost, 0);
}

static void test_elsewhere(void **state)
{
	static const __u8 types[] = {KS_OUT, KS_IN, KS_LOADS, KS_LOAD, KS_PUT};

	(void)state;
	for (enum row row = RUNNING; row < DEAD; row++) {
		for (unsigned t = 0; t < LEN(types); t++) {
			union rec r;

			enter(row);
			r = record(types[t], v.seq + 1, T0 + 30);
			r.h.mask |= KS_M_SKIPPED;
			step(r);
			assert_span(T0 + 20, T0 + 30, ST_ELSEWHERE);
			assert_int_equal(v.odd, 0);
			assert_false(s.ended);
		}
	}
}

/* ---- snapshots ---------------------------------------------------------------------------- */

static void test_seeded_out(void **state)
{
	(void)state;
	begin(false);
	step(rec_snap(1, 0, T0 + 5, KS_M_OUT, KS_R_HALTED));
	assert_int_equal(s.spans, 0);
	step((union rec){.in = {.h = {.ts = T0 + 30, .type = KS_IN, .mask = KS_M_RUN_DELAY},
				.vcpu = 1,
				.seq = 1,
				.cpu = 2,
				.reason = KS_R_HALTED}});
	assert_span(T0, T0 + 30, ST_HALTED);
	assert_true(s.ended && !s.absence.whole);
	assert_false(s.absence.has_run_delay);
	assert_int_equal(s.absence.from, T0);
	assert_int_equal(s.absence.cpu_out, 2);
	assert_int_equal(v.odd, 0);
}

/* The kernel knew why the absence was on, though no snapshot came before its end. */
static void test_in_first(void **state)
{
	union rec in = rec_in(1, 1, T0 + 30, 5);

	(void)state;
	begin(false);
	in.in.reason = KS_R_PREEMPTED;
	step(in);
	assert_span(T0, T0 + 30, ST_PREEMPTED);
	assert_true(s.ended && !s.absence.whole);
	assert_int_equal(s.absence.cpu_out, VCPU_NO_CPU);
	assert_int_equal(v.odd, 0);
}

/* A vCPU that is stuck for the whole window. */
static void test_seeded_stuck(void **state)
{
	(void)state;
	begin(false);
	step(rec_snap(1, 0, T0 + 5, KS_M_OUT, KS_R_PREEMPTED));
	step(rec_snap(1, 0, T0 + 90, KS_M_END | KS_M_OUT, KS_R_PREEMPTED));
	vcpu__end(&v, T0 + 90, &s);
	assert_span(T0, T0 + 90, ST_PREEMPTED);
	assert_true(s.ended && s.absence.open && !s.absence.whole);
}

static void seeded(__u16 mask, bool light, enum state want)
{
	begin(light);
	step(rec_snap(1, 0, T0 + 5, mask, 0));
	vcpu__end(&v, T0 + 90, &s);
	assert_span(T0, T0 + 90, want);
	assert_false(s.ended);
}

static void test_seeded_idle(void **state)
{
	(void)state;
	seeded(0, false, ST_RUNNING);
	seeded(KS_M_USER, false, ST_USER);
	seeded(0, true, ST_ON_OR_USER);
	seeded(KS_M_USER, true, ST_ON_OR_USER);
}

/* The snapshot looks a while after the window began: a vCPU with records is not asked. */
static void test_snapshot_late(void **state)
{
	(void)state;
	begin(false);
	step(rec_out(1, 1, T0 + 2, KS_R_HALTED));
	step(rec_snap(1, 1, T0 + 5, KS_M_OUT, KS_R_PREEMPTED));
	assert_int_equal(v.state, ST_HALTED);
	begin(false); /* its first record is still on its way in another stream */
	step(rec_snap(1, 1, T0 + 5, KS_M_OUT, KS_R_PREEMPTED));
	assert_int_equal(v.state, ST_UNKNOWN);
}

static void test_last_snapshot(void **state)
{
	(void)state;
	enter(RUNNING);
	step(rec_snap(1, 2, T0 + 90, KS_M_END, 0));
	assert_int_equal(s.spans, 0);
	vcpu__end(&v, T0 + 90, &s);
	assert_span(T0 + 20, T0 + 90, ST_RUNNING);
	enter(PREEMPTED);
	step(rec_snap(1, 6, T0 + 90, KS_M_END, 0)); /* the last four were lost */
	assert_span(T0 + 20, T0 + 90, ST_UNKNOWN);
	assert_int_equal(v.lost, 4);
	assert_int_equal(v.odd, 0);
	vcpu__end(&v, T0 + 90, &s);
	assert_false(s.ended);
}

/* ---- life --------------------------------------------------------------------------------- */

static void test_created(void **state)
{
	(void)state;
	begin(false);
	vcpu__created(&v, T0 + 40, &s);
	assert_span(T0, T0 + 40, ST_ABSENT);
	step(rec_loads(1, 1, T0 + 50, 1, 8));
	assert_span(T0 + 40, T0 + 50, ST_RUNNING);
	assert_int_equal(s.span[0].user_ns, 8);
	vcpu__created(&v, T0 + 60, &s); /* told late: ignored */
	assert_int_equal(s.spans, 0);
	assert_int_equal(v.odd, 0);
}

static void test_gone(void **state)
{
	(void)state;
	enter(USER);
	step(rec_gone(1, 2, T0 + 30));
	assert_span(T0 + 20, T0 + 30, ST_USER);
	vcpu__end(&v, T0 + 90, &s);
	assert_span(T0 + 30, T0 + 90, ST_ABSENT);
	assert_false(s.span[0].open || s.ended);
	enter(USER);
	step(rec_gone(1, 5, T0 + 30)); /* three were lost before */
	assert_span(T0 + 20, T0 + 30, ST_UNKNOWN);
	assert_int_equal(v.lost, 3);
}

static void test_born_and_gone(void **state)
{
	(void)state;
	begin(false);
	vcpu__created(&v, T0 + 10, &s);
	step(rec_gone(1, 0, T0 + 15));
	assert_span(T0 + 10, T0 + 15, ST_USER);
	assert_int_equal(v.odd, 0);
}

static void test_light(void **state)
{
	(void)state;
	begin(true);
	step(rec_out(1, 1, T0 + 10, KS_R_SLEEPING));
	assert_span(T0, T0 + 10, ST_ON_OR_USER);
	step(rec_in(1, 2, T0 + 20, 0));
	vcpu__end(&v, T0 + 30, &s);
	assert_span(T0 + 20, T0 + 30, ST_ON_OR_USER);
	begin(true); /* there are no loads in light mode, but a recording may be damaged */
	step(rec_loads(1, 1, T0 + 10, 1, 5));
	assert_span(T0, T0 + 10, ST_ON_OR_USER);
	assert_int_equal(s.span[0].user_ns, 0);
}

/* ---- whatever comes ----------------------------------------------------------------------- */

static __u64 seed;

static __u32 pick(__u32 below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % below;
}

static void check_absence(const struct absence *a)
{
	assert_true(a->from >= T0 && a->to >= a->from && a->to <= v.since);
	assert_true(!a->has_run_delay || a->run_delay_ns <= a->to - a->from);
	assert_true(a->open || a->cpu_in < KS_CPUS_MAX);
}

/* Adds the step's spans to the sums. */
static void check_step(__u64 *at, __u64 sum[ST_CNT], bool light)
{
	for (unsigned i = 0; i < s.spans; i++) {
		const struct span *sp = &s.span[i];

		assert_int_equal(sp->from, *at);
		assert_true(sp->to > sp->from);
		assert_true(sp->user_ns <= sp->to - sp->from);
		assert_true(sp->state < ST_CNT);
		assert_true(light ? sp->state > ST_USER : sp->state != ST_ON_OR_USER);
		sum[sp->state] += sp->to - sp->from;
		*at = sp->to;
	}
	assert_int_equal(*at, v.since);
	if (s.ended)
		check_absence(&s.absence);
}

static union rec anything(__u64 ts)
{
	static const __u8 types[] = {KS_OUT, KS_OUT,   KS_OUT,	KS_IN,	KS_IN,
				     KS_IN,  KS_LOADS, KS_LOAD, KS_PUT, KS_SNAP};
	__u8 type = types[pick(pick(50) ? 9 : 10)];
	__u32 seq = v.seq + 1;
	union rec r;

	if (!pick(20))
		seq += pick(5) - 2;
	if (type == KS_SNAP)
		return rec_snap(1, seq, ts, pick(2) ? KS_M_END : KS_M_OUT, pick(KS_R_CNT));
	r = record(type, seq, ts);
	if (type == KS_OUT)
		r.out.reason = pick(KS_R_CNT);
	if (type == KS_IN)
		r.in.reason = pick(KS_R_CNT), r.in.run_delay_ns = pick(2000);
	if (type == KS_LOADS)
		r.loads.user_ns = pick(2000), r.h.mask |= pick(9) ? 0 : KS_M_USER;
	if (!pick(50))
		r.h.mask |= KS_M_SKIPPED;
	return r;
}

static void play(unsigned steps, bool light)
{
	__u64 at = T0, ts = T0, sum[ST_CNT] = {0}, total = 0;

	begin(light);
	if (pick(2)) {
		ts += pick(100);
		vcpu__created(&v, ts, &s);
		check_step(&at, sum, light);
	}
	for (unsigned i = 0; i < steps; i++) {
		ts += pick(4) ? pick(1000) : 0;
		if (ts > T0 + 10 && !pick(100))
			ts -= 5; /* late, against the contract: must not break anything */
		step(anything(ts));
		check_step(&at, sum, light);
	}
	if (pick(2)) {
		step(rec_gone(1, v.seq, ts));
		check_step(&at, sum, light);
	}
	ts = ts > v.since ? ts : v.since;
	vcpu__end(&v, ts + 7, &s);
	check_step(&at, sum, light);
	for (int i = 0; i < ST_CNT; i++)
		total += sum[i];
	assert_int_equal(total, ts + 7 - T0);
}

static void test_partition(void **state)
{
	(void)state;
	for (seed = 1; seed < 4;) {
		__u64 next = seed + 1;

		play(100000, seed == 2);
		seed = next;
	}
	seed = 99;
	for (unsigned i = 0; i < 2000; i++)
		play(pick(20), pick(2));
}

/* What the kernel would record is never odd, and every absence of it ends or is open. */
struct count {
	__u64 steps, absences;
};

static int on_record(void *ctx, const struct ks_head *r, unsigned stream)
{
	struct count *c = ctx;

	(void)stream;
	if (r->type >= KS_VCPU || ((const struct ks_out *)r)->vcpu != 2)
		return 0;
	vcpu__step(&v, r, &s);
	c->steps++;
	c->absences += s.ended;
	return 0;
}

static void test_scene(void **state)
{
	struct count c = {0};
	struct scene sc = {.seed = 5, .fn = on_record, .ctx = &c};

	(void)state;
	begin(false);
	assert_int_equal(scene_play(&sc, 100000), 0);
	assert_int_equal(v.odd + v.lost, 0);
	assert_true(c.absences > c.steps / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	      cmocka_unit_test(test_absence),
		cmocka_unit_test(test_run_delay),     cmocka_unit_test(test_throttled_later),
		cmocka_unit_test(test_open),	      cmocka_unit_test(test_gap),
		cmocka_unit_test(test_gap_ends),      cmocka_unit_test(test_number_again),
		cmocka_unit_test(test_number_wraps),  cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_seeded_out),    cmocka_unit_test(test_in_first),
		cmocka_unit_test(test_seeded_stuck),  cmocka_unit_test(test_seeded_idle),
		cmocka_unit_test(test_snapshot_late), cmocka_unit_test(test_last_snapshot),
		cmocka_unit_test(test_created),	      cmocka_unit_test(test_gone),
		cmocka_unit_test(test_born_and_gone), cmocka_unit_test(test_light),
		cmocka_unit_test(test_partition),     cmocka_unit_test(test_scene),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
