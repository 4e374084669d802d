// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spans to strips: rows add up to what the summary says, columns to what a nanosecond-by-nanosecond
 * count says; windows whose end is not known; absences that are wide, and the worst delays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "scene.h"
#include "timeline.h"

#define T0 SCENE_START

/* ---- spans by hand ------------------------------------------------------------------------ */

static struct timeline t;
static struct model_vcpu vcpu[8];
static struct summary_vcpu seen[8];
static struct summary made; /* of the vCPUs 7, 6, ... : not in the order in which they came */

static void begin(unsigned columns, unsigned wide, __u64 from, __u64 to)
{
	timeline__init(&t, &(struct timeline_opts){.columns = columns, .wide = wide});
	timeline__begin(&t, from, to);
	made = (struct summary){.from_ns = from, .vcpu = seen};
	for (unsigned i = 0; i < 8; i++)
		vcpu[i].id = i + 1;
}

static void span(unsigned v, __u64 from, __u64 to, enum state state, __u64 user_ns)
{
	struct span s = {.from = from, .to = to, .state = state, .user_ns = user_ns};
	struct absence a = {.from = from, .to = to, .by = KS_BY_HOST, .next_tid = 7};

	assert_int_equal(timeline__span(&t, &vcpu[v], &s, &a, NULL), 0);
}

static void finish(unsigned vcpus, __u64 to)
{
	made.to_ns = to;
	made.vcpus = vcpus;
	for (unsigned i = 0; i < vcpus; i++)
		seen[i].v = &vcpu[vcpus - 1 - i];
	assert_int_equal(timeline__finish(&t, &made), 0);
	assert_int_equal(t.rows, vcpus);
	for (unsigned i = 0; i < vcpus; i++)
		assert_ptr_equal(t.row[i].v, seen[i].v);
}

static int teardown(void **state)
{
	(void)state;
	timeline__free(&t);
	return 0;
}

static const __u64 *at(unsigned row, unsigned column)
{
	assert_in_range(row, 0, t.rows - 1);
	assert_in_range(column, 0, t.columns - 1);
	return t.row[row].column[column].ns;
}

static void test_columns(void **state)
{
	(void)state;
	begin(10, 0, 1000, 2000);
	span(0, 1000, 1150, ST_RUNNING, 0);
	span(0, 1150, 1151, ST_PREEMPTED, 0); /* much shorter than a column: still there */
	span(0, 1151, 2000, ST_HALTED, 0);
	finish(1, 2000);
	assert_int_equal(t.columns, 10);
	assert_int_equal(t.width_ns, 100);
	assert_int_equal(at(0, 0)[ST_RUNNING], 100);
	assert_int_equal(at(0, 1)[ST_RUNNING], 50);
	assert_int_equal(at(0, 1)[ST_PREEMPTED], 1);
	assert_int_equal(at(0, 1)[ST_HALTED], 49);
	assert_int_equal(at(0, 9)[ST_HALTED], 100);
	assert_int_equal(timeline__edge(&t, 1), 1100);
	assert_int_equal(timeline__edge(&t, 10), 2000);
}

/* The window is no multiple of the columns: the last one is narrower. */
static void test_last_column(void **state)
{
	(void)state;
	begin(4, 0, 0, 1001);
	span(0, 0, 1001, ST_RUNNING, 0);
	finish(1, 1001);
	assert_int_equal(t.width_ns, 251);
	assert_int_equal(t.columns, 4);
	assert_int_equal(at(0, 3)[ST_RUNNING], 1001 - 3 * 251);
	assert_int_equal(timeline__edge(&t, 4), 1001);
}

/* User time of a span has no place in it: it is everywhere, and all of it is there. */
static void test_user_time(void **state)
{
	__u64 user = 0, running = 0;

	(void)state;
	begin(7, 0, 0, 1000);
	span(0, 3, 1000, ST_RUNNING, 101);
	finish(1, 1000);
	for (unsigned c = 0; c < t.columns; c++) {
		user += at(0, c)[ST_USER];
		running += at(0, c)[ST_RUNNING];
		assert_in_range(at(0, c)[ST_USER], 13, 16);
	}
	assert_int_equal(user, 101);
	assert_int_equal(running, 997 - 101);
	assert_int_equal(at(0, 0)[ST_USER] + at(0, 0)[ST_RUNNING], t.width_ns - 3);
}

static void test_empty(void **state)
{
	(void)state;
	begin(10, 3, 1000, ~0ULL);
	finish(0, 1000);
	assert_int_equal(t.columns, 0);
	assert_int_equal(t.wides, 0);
	assert_int_equal(t.worsts, 0);
	timeline__coarsen(&t, 3);
}

/* A vCPU of which nothing was heard has an empty row; one that the summary does not know, none. */
static void test_rows(void **state)
{
	struct absence a = {.from = 10, .to = 90, .has_run_delay = true, .run_delay_ns = 80};

	(void)state;
	begin(10, 1, 0, 100);
	span(2, 0, 100, ST_PREEMPTED, 0);
	span(0, 0, 100, ST_RUNNING, 0);
	assert_int_equal(timeline__absence(&t, &vcpu[2], &a, NULL), 0);
	finish(2, 100);
	assert_int_equal(at(0, 5)[ST_RUNNING], 0);
	assert_int_equal(at(1, 5)[ST_RUNNING], 10);
	assert_int_equal(t.worsts, 0);
	assert_int_equal(t.wides, 0);
}

/* ---- a window whose end is not known ------------------------------------------------------ */

static void test_doubling(void **state)
{
	__u64 sum = 0;

	(void)state;
	begin(8, 2, 500, ~0ULL);
	span(0, 500, 2600, ST_RUNNING, 0);
	span(0, 2600, 2700, ST_PREEMPTED, 0);
	span(0, 2700, 1000500, ST_HALTED, 0);
	span(0, 1000500, 1500500, ST_SLEEPING, 0);
	finish(1, 1500500);
	assert_int_equal(t.width_ns, 256000);
	assert_int_equal(t.columns, 6);
	assert_int_equal(at(0, 0)[ST_RUNNING], 2100);
	assert_int_equal(at(0, 0)[ST_PREEMPTED], 100);
	for (unsigned c = 0; c < t.columns; c++)
		sum += at(0, c)[ST_HALTED];
	assert_int_equal(sum, 997800);
	/* only the halt is two columns wide */
	assert_int_equal(t.wides, 1);
	assert_int_equal(t.wide[0].state, ST_HALTED);
	timeline__coarsen(&t, 4);
	assert_int_equal(t.columns, 3);
	assert_int_equal(t.width_ns, 512000);
	assert_int_equal(at(0, 0)[ST_RUNNING], 2100);
	assert_int_equal(at(0, 2)[ST_SLEEPING], 1500500 - 500 - 1024000);
	assert_int_equal(t.wides, 0);
	assert_int_equal(t.row[0].wide, 0);
}

/* At least half of the columns are used. */
static void test_doubling_fits(void **state)
{
	(void)state;
	for (__u64 end = 1; end < 100000000; end = end * 3 + 1) {
		begin(100, 0, 0, ~0ULL);
		span(0, 0, end, ST_RUNNING, 0);
		finish(1, end);
		assert_in_range(t.columns, end > 100000 ? 51 : 1, 100);
		timeline__free(&t);
	}
}

/* ---- random spans against brute force ----------------------------------------------------- */

#define NS 5000

/* One of the states, as if each nanosecond had been looked at. */
static void brute(const unsigned char *what, __u64 from, __u64 to, __u64 *ns)
{
	memset(ns, 0, ST_CNT * sizeof(*ns));
	for (__u64 i = from; i < to; i++)
		ns[what[i]]++;
}

static void test_random(void **state)
{
	static unsigned char what[8][NS];

	(void)state;
	srand(7);
	for (int round = 0; round < 200; round++) {
		bool known = rand() % 2;
		__u64 base = rand() % 2 ? 0 : 123456789, ns[ST_CNT], now[8] = {0};
		unsigned n = 1 + rand() % 60;

		begin(n, 1 + rand() % 3, base, known ? base + NS : ~0ULL);
		t.width_ns = known ? t.width_ns : 1U + rand() % 3;
		for (unsigned left = 8; left;) {
			unsigned v = rand() % 8, length = 1 + rand() % (1 << rand() % 12);
			enum state st = rand() % ST_CNT;

			if (now[v] == NS)
				continue;
			if (now[v] + length > NS)
				length = NS - now[v];
			memset(&what[v][now[v]], st, length);
			span(v, base + now[v], base + now[v] + length, st, 0);
			now[v] += length;
			left -= now[v] == NS;
		}
		finish(8, base + NS);
		if (rand() % 2)
			timeline__coarsen(&t, 1 + rand() % n);
		for (unsigned r = 0; r < 8; r++)
			for (unsigned c = 0; c < t.columns; c++) {
				brute(what[7 - r], timeline__edge(&t, c) - base,
				      timeline__edge(&t, c + 1) - base, ns);
				assert_memory_equal(at(r, c), ns, sizeof(ns));
			}
		timeline__free(&t);
	}
}

/* ---- beside a summary --------------------------------------------------------------------- */

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;
static struct model_listener to_summary;

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	struct span cut;

	to_summary.span(ctx, v, s, a, task);
	if (summary__clip(&summary, s, &cut))
		assert_int_equal(timeline__span(&t, v, &cut, a, task), 0);
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	to_summary.absence(ctx, v, a, task);
	if (a->to > summary.from_ns && a->from < summary.to_ns)
		assert_int_equal(timeline__absence(&t, v, a, task), 0);
}

static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *r, const struct step *s)
{
	to_summary.event(ctx, v, r, s);
}

static unsigned lose; /* every so many-th record is lost */

static int feed(void *ctx, const struct ks_head *r, unsigned stream)
{
	static unsigned n;

	(void)ctx, (void)stream;
	if (lose && r->type < KS_VCPU && ++n % lose == 0)
		return 0;
	return model__record(model, r);
}

static void play(enum session_mode mode, unsigned long long seed, __u64 from, __u64 to,
		 unsigned records)
{
	struct scene scene = {.mode = mode, .seed = seed, .fn = feed};
	struct model_listener l;

	session = scene_session(mode);
	summary__init(&summary, &session, &filter, from, to, &to_summary);
	l = (struct model_listener){
		.event = on_event, .span = on_span, .absence = on_absence, .ctx = &summary};
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
	timeline__init(&t, &(struct timeline_opts){.columns = 50, .wide = 2});
	timeline__begin(&t, summary.from_ns, summary.to_ns);
	assert_int_equal(scene_play(&scene, records), 0);
	session.end_ns = scene.now;
	if (summary.to_ns > scene.now)
		summary.to_ns = scene.now;
	model__end(model, scene.now);
	assert_int_equal(summary__finish(&summary, model, 0), 0);
	assert_int_equal(timeline__finish(&t, &summary), 0);
}

static void stop(void)
{
	timeline__free(&t);
	summary__free(&summary);
	model__free(model);
	model = NULL;
}

static void assert_same_sums(void)
{
	assert_int_equal(t.rows, summary.vcpus);
	for (unsigned r = 0; r < t.rows; r++) {
		const struct summary_vcpu *v = &summary.vcpu[r];
		struct timeline_column sum = {0};

		for (unsigned c = 0; c < t.columns; c++) {
			for (int i = 0; i < ST_CNT; i++)
				sum.ns[i] += at(r, c)[i];
			sum.woken_ns += t.row[r].column[c].woken_ns;
		}
		/* run delay is the time preempted and, of other absences, the time woken */
		assert_int_equal(sum.woken_ns + v->state_ns[ST_PREEMPTED], v->run_delay_ns);
		assert_memory_equal(sum.ns, v->state_ns, sizeof(sum.ns));
	}
}

static void test_sums(void **state)
{
	static const enum session_mode modes[] = {MODE_DEFAULT, MODE_FULL, MODE_LIGHT};

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		__u64 from = i % 5 == 1 ? T0 + 1000000 : 0;
		__u64 to = i % 4 == 2 ? T0 + 3000000 : ~0ULL;

		lose = i % 7 == 3 ? 20 : 0;
		play(modes[i % 3], i, from, to, 3000);
		assert_same_sums();
		timeline__coarsen(&t, 7);
		assert_in_range(t.columns, 3, 7);
		assert_same_sums();
		stop();
	}
	lose = 0;
}

/* The worst delay of each row is what the summary has as its maximum. */
static void test_worst(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 10; seed++) {
		__u64 max = 0;

		play(MODE_DEFAULT, seed, 0, ~0ULL, 3000);
		for (unsigned r = 0; r < t.rows; r++) {
			const struct timeline_row *row = &t.row[r];

			assert_ptr_equal(row->delay.v, row->v);
			assert_int_equal(row->delay.row, r);
			if (!row->delay.a.open && row->delay.a.whole)
				assert_int_equal(row->delay.a.run_delay_ns,
						 summary.vcpu[r].run_delay.max);
			assert_true(row->absence.a.to - row->absence.a.from >=
				    summary.vcpu[r].absence.max);
			if (row->delay.a.run_delay_ns > max)
				max = row->delay.a.run_delay_ns;
		}
		assert_int_equal(t.worsts, TIMELINE_WORST);
		assert_int_equal(t.worst[0].a.run_delay_ns, max);
		for (unsigned i = 1; i < t.worsts; i++)
			assert_true(t.worst[i].a.run_delay_ns <= t.worst[i - 1].a.run_delay_ns);
		for (unsigned i = 0; i < t.worsts; i++)
			if (t.worst[i].a.by != KS_BY_NONE)
				assert_string_equal(t.worst[i].task.comm, "CPU 0/KVM");
		stop();
	}
}

static void test_wide(void **state)
{
	unsigned n = 0;

	(void)state;
	play(MODE_DEFAULT, 3, 0, ~0ULL, 300);
	for (unsigned r = 0; r < t.rows; r++)
		for (unsigned i = 0; i < t.row[r].wide; i++) {
			const struct timeline_absence *a = &t.wide[t.row[r].first_wide + i];

			assert_int_equal(a->row, r);
			assert_true(a->to - a->from >= 2 * t.width_ns);
			assert_true(a->a.from <= a->from && a->a.to >= a->to);
			assert_true(!i || a->from >= a[-1].to);
			n++;
		}
	assert_int_equal(n, t.wides);
	assert_true(n > 3);
	stop();
}

/* A name that came late is there; of a task that is not known, its number. */
static void test_late_name(void **state)
{
	union rec r;

	(void)state;
	play(MODE_DEFAULT, 0, 0, ~0ULL, 0);
	stop();
	session = scene_session(MODE_DEFAULT);
	summary__init(&summary, &session, &filter, 0, ~0ULL, &to_summary);
	model = model__new(&session, &filter,
			   &(struct model_listener){.event = on_event,
						    .span = on_span,
						    .absence = on_absence,
						    .ctx = &summary});
	timeline__init(&t, &(struct timeline_opts){.columns = 10, .wide = 1});
	timeline__begin(&t, T0, ~0ULL);
	r = rec_vcpu(1, T0, 1, 0, 0);
	assert_int_equal(model__record(model, &r.h), 0);
	r = rec_out(1, 1, T0 + 100, KS_R_PREEMPTED);
	assert_int_equal(model__record(model, &r.h), 0);
	r = rec_in(1, 2, T0 + 90000, 0);
	assert_int_equal(model__record(model, &r.h), 0);
	r = rec_task(7, T0 + 91000, KS_K_HOST, "hog", 0, 0);
	assert_int_equal(model__record(model, &r.h), 0);
	r = rec_out(1, 3, T0 + 92000, KS_R_HALTED);
	assert_int_equal(model__record(model, &r.h), 0);
	summary.to_ns = session.end_ns = T0 + 120000;
	model__end(model, session.end_ns);
	assert_int_equal(summary__finish(&summary, model, 0), 0);
	assert_int_equal(timeline__finish(&t, &summary), 0);
	assert_int_equal(t.worsts, 1);
	assert_string_equal(t.worst[0].task.comm, "hog");
	assert_int_equal(t.wides, 2);
	assert_string_equal(t.wide[0].task.comm, "hog");
	assert_true(t.wide[1].a.open); /* it halts when the trace ends */
	assert_int_equal(t.wide[1].a.by, KS_BY_NONE);
	assert_int_equal(t.row[0].absence.a.to - t.row[0].absence.a.from, 89900);
	assert_same_sums();
	stop();
}

/* ---- who ran meanwhile -------------------------------------------------------------------- */

static void ran(unsigned v, __u16 cpu, __u64 from, __u64 to, __u64 user_ns)
{
	struct span s = {
		.from = from, .to = to, .state = ST_RUNNING, .user_ns = user_ns, .cpu = cpu};

	vcpu[v].v.cpu = cpu; /* also that of the record that ended it */
	assert_int_equal(timeline__span(&t, &vcpu[v], &s, NULL, NULL), 0);
}

static void waited(unsigned v, __u16 cpu, __u64 from, __u64 to, __u8 reason, __u64 run_delay_ns)
{
	bool blocked = reason == KS_R_HALTED;
	struct absence a = {.from = from,
			    .to = to,
			    .reason = reason,
			    .by = blocked ? KS_BY_NONE : KS_BY_HOST,
			    .has_run_delay = true,
			    .run_delay_ns = run_delay_ns,
			    .cpu_out = blocked ? 9 : cpu,
			    .cpu_in = blocked ? cpu : 9,
			    .whole = true};

	assert_int_equal(timeline__absence(&t, &vcpu[v], &a, NULL), 0);
}

static void assert_ran(unsigned worst, unsigned i, unsigned v, __u64 ns)
{
	assert_true(i < t.meanwhile[worst].rans);
	assert_ptr_equal(t.meanwhile[worst].ran[i].v, &vcpu[v]);
	assert_int_equal(t.meanwhile[worst].ran[i].ns, ns);
}

static void test_meanwhile(void **state)
{
	(void)state;
	begin(10, 0, 0, 1000);
	ran(3, 3, 0, 100, 0);	 /* before */
	ran(0, 3, 0, 100, 0);	 /* the one that will wait */
	ran(1, 3, 90, 120, 0);	 /* the last 20 of it */
	ran(2, 4, 100, 190, 0);	 /* on another CPU */
	ran(2, 3, 120, 180, 30); /* half of it in user space */
	waited(0, 3, 100, 200, KS_R_PREEMPTED, 100);
	ran(1, 3, 185, 250, 0);			  /* is told of when the wait is over: 15 of it */
	ran(3, 3, 200, 300, 0);			  /* after */
	waited(4, 3, 250, 400, KS_R_HALTED, 120); /* woken at 280 */
	ran(1, 3, 300, 320, 0);
	finish(5, 1000);
	assert_int_equal(t.worsts, 2);
	assert_int_equal(t.meanwhile[0].cpu, 3);
	assert_true(t.meanwhile[0].whole);
	assert_int_equal(t.meanwhile[0].rans, 2);
	assert_ran(0, 0, 1, 20);
	assert_ran(0, 1, 3, 20);
	assert_int_equal(t.meanwhile[1].rans, 2);
	assert_ran(1, 0, 1, 35);
	assert_ran(1, 1, 2, 30);
	assert_ptr_equal(timeline__meanwhile(&t, &t.worst[1]), &t.meanwhile[1]);
	assert_null(timeline__meanwhile(&t, &(struct timeline_absence){.v = &vcpu[7]}));
}

/* More spans than are kept: what is told is a lower bound, and says so. */
static void test_meanwhile_bound(void **state)
{
	(void)state;
	begin(10, 0, 0, 1000000);
	for (unsigned i = 0; i < 3000; i++)
		ran(1 + i % 2, 0, i, i + 1, 0);
	waited(0, 0, 0, 3000, KS_R_PREEMPTED, 3000);
	waited(3, 0, 2000, 3000, KS_R_PREEMPTED, 1000); /* this one has all that it needs */
	finish(4, 1000000);
	assert_false(t.meanwhile[0].whole);
	assert_ran(0, 0, 1, 1024);
	assert_true(t.meanwhile[1].whole);
	assert_ran(1, 0, 1, 500);
	assert_ran(1, 1, 2, 500);
}

/* Of quota nobody had the CPU; where it waited may not be known. */
static void test_meanwhile_nobody(void **state)
{
	struct absence a = {.to = 90, .has_run_delay = true, .run_delay_ns = 90, .by = KS_BY_QUOTA};

	(void)state;
	begin(10, 0, 0, 100);
	ran(1, 0, 0, 100, 0);
	assert_int_equal(timeline__absence(&t, &vcpu[0], &a, NULL), 0);
	waited(2, VCPU_NO_CPU, 0, 80, KS_R_PREEMPTED, 80);
	finish(3, 100);
	assert_int_equal(t.meanwhile[0].cpu, -1);
	assert_int_equal(t.meanwhile[1].cpu, -1);
	assert_int_equal(t.meanwhile[1].rans, 0);
}

/* Somebody moved from one CPU to another, and when is not known: of neither it is known all. */
static void test_meanwhile_moved(void **state)
{
	struct span s = {.from = 110, .to = 150, .state = ST_RUNNING, .cpu = 1};

	(void)state;
	begin(10, 0, 0, 1000);
	ran(2, 0, 100, 120, 0);
	vcpu[3].v.cpu = 0;
	assert_int_equal(timeline__span(&t, &vcpu[3], &s, NULL, NULL), 0);
	waited(0, 0, 100, 200, KS_R_PREEMPTED, 100);
	waited(1, 1, 100, 199, KS_R_PREEMPTED, 99);
	waited(4, 1, 150, 248, KS_R_PREEMPTED, 98);
	finish(5, 1000);
	assert_false(t.meanwhile[0].whole);
	assert_int_equal(t.meanwhile[0].rans, 1);
	assert_ran(0, 0, 2, 20);
	assert_false(t.meanwhile[1].whole);
	assert_int_equal(t.meanwhile[1].rans, 0);
	assert_true(t.meanwhile[2].whole);
}

#define CPUS	 2
#define SWITCHES 3000

/* A made-up host: each CPU's vCPUs in turns of random lengths; against a count of all turns. */
static void test_meanwhile_random(void **state)
{
	static struct turn {
		unsigned v, cpu;
		__u64 from, to;
	} turn[SWITCHES];
	struct turn now[CPUS] = {{.v = 0, .cpu = 0}, {.v = 4, .cpu = 1}};
	__u64 out[8] = {0}, at = 0;
	unsigned turns = 0;

	(void)state;
	srand(11);
	begin(50, 0, 0, ~0ULL);
	while (turns < SWITCHES) {
		struct turn *n = &now[rand() % CPUS];
		unsigned next = 4 * n->cpu + rand() % 4;

		at += 1 + rand() % (1 << rand() % 12);
		if (next == n->v)
			continue;
		n->to = at;
		turn[turns++] = *n;
		ran(n->v, n->cpu, n->from, at, 0);
		out[n->v] = at;
		waited(next, n->cpu, out[next], at, KS_R_PREEMPTED, at - out[next]);
		n->v = next;
		n->from = at;
	}
	finish(8, at);
	assert_int_equal(t.worsts, TIMELINE_WORST);
	for (unsigned i = 0; i < t.worsts; i++) {
		const struct absence *a = &t.worst[i].a;
		__u64 sum[8] = {0}, all = 0;

		for (unsigned k = 0; k < turns; k++) {
			__u64 from = turn[k].from > a->from ? turn[k].from : a->from;
			__u64 to = turn[k].to < a->to ? turn[k].to : a->to;

			if ((int)turn[k].cpu == t.meanwhile[i].cpu && from < to)
				sum[turn[k].v] += to - from;
		}
		for (unsigned k = 0; k < t.meanwhile[i].rans; k++) {
			all += t.meanwhile[i].ran[k].ns;
			assert_ran(i, k, t.meanwhile[i].ran[k].v - vcpu,
				   sum[t.meanwhile[i].ran[k].v - vcpu]);
		}
		assert_int_equal(all, a->to - a->from); /* its CPU was never idle */
	}
}

/* ---- shares ------------------------------------------------------------------------------- */

static unsigned sum_of(const unsigned *share)
{
	unsigned sum = 0;

	for (int i = 0; i < TIMELINE_SHADES; i++)
		sum += share[i];
	return sum;
}

static void test_shares(void **state)
{
	struct timeline_column c = {.ns = {[ST_RUNNING] = 999999, [ST_PREEMPTED] = 1}};
	unsigned share[TIMELINE_SHADES];

	(void)state;
	timeline__shares(&c, 8, share);
	assert_int_equal(share[ST_RUNNING], 7);
	assert_int_equal(share[ST_PREEMPTED], 1); /* leaves a trace */
	timeline__shares(&c, 1, share);
	assert_int_equal(share[ST_RUNNING], 0);
	assert_int_equal(share[ST_PREEMPTED], 1); /* it matters more */
	c.ns[ST_UNKNOWN] = 500000;
	timeline__shares(&c, 2, share);
	assert_int_equal(share[ST_UNKNOWN], 1);
	assert_int_equal(share[ST_PREEMPTED], 1);
	timeline__shares(&c, 1, share);
	assert_int_equal(share[ST_PREEMPTED], 1);
	memset(&c, 0, sizeof(c));
	c.ns[ST_RUNNING] = c.ns[ST_HALTED] = 400;
	c.woken_ns = 100;
	timeline__shares(&c, 8, share);
	assert_int_equal(share[ST_RUNNING], 4);
	assert_int_equal(share[ST_HALTED], 3);
	assert_int_equal(share[TIMELINE_WOKEN], 1);
	memset(&c, 0, sizeof(c));
	timeline__shares(&c, 8, share);
	assert_int_equal(sum_of(share), 0);
	srand(1);
	for (int i = 0; i < 20000; i++) {
		unsigned units = 1 + rand() % 30;
		unsigned occur = 0;

		for (int s = 0; s < ST_CNT; s++) {
			c.ns[s] = rand() % 2 ? rand() % (1 << rand() % 30) : 0;
			occur += c.ns[s] > 0;
		}
		c.woken_ns = c.ns[ST_HALTED] / 2;
		timeline__shares(&c, units, share);
		assert_int_equal(sum_of(share),
				 occur ? (occur > units ? sum_of(share) : units) : 0);
		assert_true(sum_of(share) <= units);
		for (int s = 0; s < ST_CNT; s++) {
			assert_true(c.ns[s] || !share[s]);
			assert_true(!c.ns[s] || share[s] || occur > units || share[TIMELINE_WOKEN]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_columns, teardown),
		cmocka_unit_test_teardown(test_last_column, teardown),
		cmocka_unit_test_teardown(test_user_time, teardown),
		cmocka_unit_test_teardown(test_empty, teardown),
		cmocka_unit_test_teardown(test_rows, teardown),
		cmocka_unit_test_teardown(test_doubling, teardown),
		cmocka_unit_test_teardown(test_doubling_fits, teardown),
		cmocka_unit_test_teardown(test_random, teardown),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_worst),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_late_name),
		cmocka_unit_test_teardown(test_meanwhile, teardown),
		cmocka_unit_test_teardown(test_meanwhile_bound, teardown),
		cmocka_unit_test_teardown(test_meanwhile_nobody, teardown),
		cmocka_unit_test_teardown(test_meanwhile_moved, teardown),
		cmocka_unit_test_teardown(test_meanwhile_random, teardown),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
