// SPDX-License-Identifier: BSD-2-Clause
/*
 * The flight recorder on made-up traces: what is a trigger and when, what becomes of it, and that a
 * dump shows what the whole trace does.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "ctf_files.h"
#include "ctf_reader.h"
#include "flight.h"
#include "flight_watch.h"
#include "flight_who.h"
#include "kvm_records.h"
#include "listen.h"
#include "order.h"
#include "scene.h"
#include "sink_flight.h"

#define STREAMS 5
#define MS	1000000ULL
#define START	SCENE_START

static char top[64], path[CTF_PATH];
static const struct filter all;

/* ---- a recorder --------------------------------------------------------------------------- */

struct rig {
	struct flight_opts o;
	struct session s;
	struct flight *f;
	const struct filter *filter;
	__u64 lost[STREAMS];
	__u64 now;
	unsigned every, taken; /* how many records come between two polls; 0: one */
};

static void on(struct rig *r, const char *expr)
{
	const char *why, *at;

	assert_int_equal(assertion__parse_bound(&r->o.on[r->o.ons++], expr, &why, &at), 0);
}

/* 1 s is held, and 10 ms come after; no cooldown. */
static void rig_begin(struct rig *r)
{
	r->o.span_ns = r->o.span_ns ?: 1000 * MS;
	r->o.bytes = r->o.bytes ?: 4 << 20;
	r->o.after_ns = r->o.after_ns ?: 10 * MS;
	r->o.max_dumps = r->o.max_dumps ?: 100;
	r->o.dir = path;
	r->s = scene_session(MODE_FULL);
	listen_begin();
	assert_int_equal(flight__new(&r->f, &r->o), 0);
	assert_int_equal(flight__begin(r->f, &r->s, r->filter ?: &all), 0);
}

static void poll_at(struct rig *r, __u64 now)
{
	r->now = now;
	assert_int_equal(flight__poll(r->f, now, now, r->lost, 0), 0);
}

/* As a recording is replayed: a record's time is now. */
static void take(struct rig *r, const void *record)
{
	const struct ks_head *h = record;

	if (!r->every || ++r->taken % r->every == 0)
		poll_at(r, h->ts);
	assert_int_equal(
		flight__batch(r->f, record__stream(h, STREAMS - 1), h, record__size(h->type)), 0);
}

static int rig_end(struct rig *r, __u64 end_ns)
{
	int err;

	r->s.end_ns = end_ns;
	err = flight__end(r->f, &r->s, r->lost);
	flight__free(r->f);
	return err;
}

static bool said(const char *text)
{
	fflush(stderr);
	return strstr(listen_text, text);
}

static void introduce(struct rig *r, __u32 vcpus)
{
	union rec vm = rec_vm(1, START);
	struct ks_name name = rec_name(1, START, "web\033[31m");

	take(r, &vm);
	take(r, &name);
	for (__u32 v = 1; v <= vcpus; v++) {
		union rec d = rec_vcpu(v, START, 1, v - 1, 0);

		take(r, &d);
	}
}

static void out(struct rig *r, __u32 vcpu, __u32 seq, __u64 ts, __u8 reason)
{
	union rec o = rec_out(vcpu, seq, ts, reason);

	o.out.cpu = 1;
	if (o.out.h.what)
		o.out.next_tid = 77;
	take(r, &o);
}

static void in(struct rig *r, __u32 vcpu, __u32 seq, __u64 ts, __u64 run_delay_ns)
{
	union rec i = rec_in(vcpu, seq, ts, run_delay_ns);

	take(r, &i);
}

static const char *dump(unsigned n)
{
	static char name[CTF_PATH + 16];

	snprintf(name, sizeof(name), "%s.%u", path, n);
	return name;
}

static bool there(unsigned n)
{
	return !access(dump(n), F_OK);
}

/* ---- what is in a recording --------------------------------------------------------------- */

struct told {
	struct session s;
	struct span *span[SCENE_VCPUS + 1];
	unsigned spans[SCENE_VCPUS + 1];
	struct absence open; /* the last one that is */
	char by[KS_COMM_LEN + 1];
	char vm[96];
	__u64 discarded, missing, records;
};

/* Stretches of one state are joined. */
static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	struct told *t = ctx;
	unsigned n = v->id <= SCENE_VCPUS ? t->spans[v->id] : 0;

	(void)a, (void)task;
	if (v->id > SCENE_VCPUS)
		return;
	if (n && t->span[v->id][n - 1].state == s->state) {
		t->span[v->id][n - 1].to = s->to;
		return;
	}
	t->spans[v->id]++;
	if (!(n & (n - 1)))
		t->span[v->id] = realloc(t->span[v->id], (n ? 2 * n : 1) * sizeof(*s));
	assert_non_null(t->span[v->id]);
	t->span[v->id][n] = *s;
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	struct told *t = ctx;

	if (!a->open || v->id != 1)
		return;
	t->open = *a;
	if (task)
		memcpy(t->by, task->comm, sizeof(t->by));
}

static void forget(struct told *t)
{
	for (unsigned v = 0; v <= SCENE_VCPUS; v++)
		free(t->span[v]);
	memset(t, 0, sizeof(*t));
}

static int fill(void *ctx, unsigned stream, const __u8 **data, size_t *bytes)
{
	struct ctf_chunk c;
	int got = ctf_reader__next(ctx, stream, &c);

	if (got > 0) {
		*data = c.data;
		*bytes = c.bytes;
	}
	return got;
}

static void look(const char *dir, struct told *t)
{
	const struct model_listener l = {.span = on_span, .absence = on_absence, .ctx = t};
	const struct ks_head *h;
	struct ctf_reader *r;
	struct model *m;
	struct order *o;
	int err = 0;

	memset(t, 0, sizeof(*t));
	assert_int_equal(ctf_reader__open(&r, dir, &t->s), 0);
	m = model__new(&t->s, &all, &l);
	o = order__new(STREAMS, fill, r);
	while ((h = order__next(o, ~0ULL, &err)))
		assert_int_equal(model__record(m, h), 0);
	assert_int_equal(err, 0);
	model__end(m, t->s.end_ns);
	for (unsigned i = 0; i < STREAMS; i++)
		t->discarded += ctf_reader__discarded(r, i);
	t->missing = model__missing(m);
	t->records = model__events(m);
	model__vm_name(m, 1, t->vm, sizeof(t->vm));
	assert_int_equal(model__odd(m), 0);
	assert_int_equal(order__refused(o), 0);
	assert_int_equal(ctf_reader__damaged(r), 0);
	order__free(o);
	model__free(m);
	ctf_reader__free(r);
}

static void clean(void)
{
	for (unsigned n = 1; n < 60; n++)
		if (there(n))
			files_remove(dump(n));
	listen_end();
}

/* ---- a dump and the whole ------------------------------------------------------------------ */

struct whole {
	struct rig rig;
	struct scene scene;
	struct model *model;
	struct told told;
	unsigned loses, losing, count, asks;
	__u64 lost, made;
};

static int on_record(void *ctx, const struct ks_head *h, unsigned stream)
{
	struct whole *w = ctx;
	struct ks_name r;

	(void)stream;
	memcpy(&r, h, record__size(h->type));
	if (h->type < KS_VCPU)
		r.h.ts += ++w->made; /* no two at one time */
	if (h->type < KS_VCPU && w->loses && !w->losing && !scene_random(&w->scene, w->loses))
		w->losing = 1 + scene_random(&w->scene, 40);
	if (h->type < KS_VCPU && w->losing) {
		w->losing--;
		w->lost++;
		w->rig.lost[record__stream(&r.h, STREAMS - 1)]++;
		return 0;
	}
	take(&w->rig, &r);
	assert_int_equal(model__record(w->model, &r.h), 0);
	if (++w->count % w->asks == 0)
		flight__ask(w->rig.f, r.h.ts);
	return 0;
}

static void play(struct whole *w, unsigned seed, unsigned records)
{
	const struct model_listener l = {.span = on_span, .ctx = &w->told};

	rig_begin(&w->rig);
	w->scene = (struct scene){.mode = MODE_FULL, .seed = seed, .fn = on_record, .ctx = w};
	w->model = model__new(&w->rig.s, &all, &l);
	assert_int_equal(scene_play(&w->scene, records), 0);
	w->scene.now += w->made;
	model__end(w->model, w->scene.now);
	assert_int_equal(rig_end(&w->rig, w->scene.now), 0);
}

static void play_end(struct whole *w)
{
	forget(&w->told);
	model__free(w->model);
	clean();
}

/* The same states at the same times. unknown: the dump may also know less. */
static void compare(const struct told *whole, const struct told *d, bool unknown)
{
	for (unsigned v = 1; v <= SCENE_VCPUS; v++) {
		const struct span *a = whole->span[v], *b = d->span[v];

		assert_true(d->spans[v]);
		assert_int_equal(b[0].from, d->s.start_ns);
		assert_int_equal(b[d->spans[v] - 1].to, d->s.end_ns);
		for (unsigned i = 0, j = 0; i < whole->spans[v] && j < d->spans[v];) {
			bool overlap = a[i].from < b[j].to && b[j].from < a[i].to;
			bool same =
				a[i].state == b[j].state || (unknown && b[j].state == ST_UNKNOWN);

			if (overlap && !same)
				fail_msg(
					"vCPU %u: %s in [%llu, %llu), %s in the dump's [%llu, %llu)",
					v, state__name(a[i].state), a[i].from, a[i].to,
					state__name(b[j].state), b[j].from, b[j].to);
			if (a[i].to < b[j].to)
				i++;
			else
				j++;
		}
	}
}

static void test_whole(void **state)
{
	struct whole w = {.rig.o = {.span_ns = 300 * MS, .after_ns = 100 * MS}, .asks = 30000};
	struct told d;

	(void)state;
	play(&w, 1, 200000);
	for (unsigned n = 1; n <= 6; n++) {
		look(dump(n), &d);
		compare(&w.told, &d, false);
		assert_int_equal(d.discarded, 0);
		assert_int_equal(d.missing, 0);
		assert_int_equal(d.s.end_ns - d.s.start_ns, 400 * MS);
		assert_int_equal(d.s.trigger_ns - d.s.start_ns, 300 * MS);
		assert_string_equal(d.s.trigger, "asked for (SIGUSR1)");
		forget(&d);
	}
	play_end(&w);
}

static void test_losses(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 6; seed++) {
		struct whole w = {.rig.o = {.span_ns = 300 * MS, .after_ns = 100 * MS},
				  .asks = 30000,
				  .loses = 300};
		struct told d;

		play(&w, seed, 100000);
		for (unsigned n = 1; n <= 2; n++) {
			look(dump(n), &d);
			compare(&w.told, &d, true);
			assert_true(d.discarded && d.missing);
			/* a record lost just before its beginning may count; never one too few */
			assert_in_range(d.discarded, d.missing, d.missing + 40);
			assert_true(d.discarded < w.lost);
			forget(&d);
		}
		play_end(&w);
	}
}

/* Less time than was asked for, because of the bytes: it begins where all is there, and says so. */
static void test_room(void **state)
{
	struct whole w = {.rig.o = {.span_ns = 1000 * MS, .bytes = 400 << 10, .size = "400K"},
			  .asks = 90000};
	struct told d;

	(void)state;
	play(&w, 3, 100000);
	look(dump(1), &d);
	assert_true(said("(no more fits into 400K)"));
	assert_true(d.s.trigger_ns - d.s.start_ns < 900 * MS);
	assert_in_range(d.records, 3000, (400 << 10) / 56 + 500);
	compare(&w.told, &d, false);
	forget(&d);
	play_end(&w);
}

/* A dump that takes several rounds to write, while what is not written yet is pushed out: nothing
 * of it is missing. */
static void test_slices(void **state)
{
	struct whole w = {.rig.o = {.span_ns = 60000 * MS,
				    .bytes = 8 << 20,
				    .size = "8M",
				    .after_ns = 2000 * MS},
			  .rig.every = 9000,
			  .asks = 150000};
	struct told d;

	(void)state;
	play(&w, 5, 220000);
	assert_false(there(2));
	look(dump(1), &d);
	assert_true(said("(no more fits into 8M)"));
	assert_true(d.records > 140000);
	assert_int_equal(d.discarded, 0);
	assert_int_equal(d.missing, 0);
	compare(&w.told, &d, false);
	forget(&d);
	play_end(&w);
}

/* ---- triggers ----------------------------------------------------------------------------- */

/* While it goes on: at 20 ms and not before, with who took the CPU, which was said long ago. */
static void test_open(void **state)
{
	struct rig r = {.o.ons = 0};
	union rec task = rec_task(77, START, KS_K_HOST, "hog\033[0m", 0, 0);
	struct told d;

	(void)state;
	on(&r, "run_delay > 20ms");
	rig_begin(&r);
	introduce(&r, 3);
	take(&r, &task);
	out(&r, 3, 1, START, KS_R_HALTED);    /* and so it stays */
	for (unsigned i = 0; i < 3000; i++) { /* so that all of that is forgotten */
		out(&r, 2, 2 * i + 1, START + i * MS, KS_R_PREEMPTED);
		in(&r, 2, 2 * i + 2, START + i * MS + MS / 2, 0);
	}
	out(&r, 1, 1, START + 3000 * MS, KS_R_PREEMPTED);
	assert_int_equal(flight__patience(r.f, r.now), 20 * MS); /* by then the OUT is drained */
	poll_at(&r, START + 3020 * MS);
	assert_false(there(1));
	poll_at(&r, START + 3020 * MS + 2);
	assert_true(there(1)); /* and all before it is in it */
	assert_true(
		said("run_delay > 20ms: web\\x1b[31m vCPU 0 (tid 101): preempted since 20.000 ms, "
		     "CPU 1, by hog\\x1b[0m (tid 77), at "));
	look(dump(1), &d);
	assert_int_equal(d.s.end_ns, START + 3020 * MS + 2);
	assert_int_equal(d.open.from, START + 3000 * MS);
	forget(&d);
	in(&r, 1, 2, START + 3050 * MS, 0);
	poll_at(&r, START + 3060 * MS);
	assert_int_equal(rig_end(&r, START + 3070 * MS), 0);
	look(dump(1), &d);
	assert_int_equal(d.s.start_ns, START + 2020 * MS + 1);
	assert_int_equal(d.s.end_ns, START + 3030 * MS + 1);
	assert_true(d.open.whole);
	assert_int_equal(d.open.from, START + 3000 * MS);
	assert_string_equal(d.by, "hog\033[0m");
	assert_string_equal(d.vm, "web\033[31m");
	assert_non_null(strstr(d.s.trigger, "by hog\033[0m (tid 77)"));
	assert_int_equal(d.spans[3], 1);
	assert_int_equal(d.span[3]->state, ST_HALTED);
	assert_int_equal(d.span[3]->to - d.span[3]->from, 1010 * MS);
	forget(&d);
	assert_false(there(2));
	clean();
}

/* Which absences, and when. */
static void test_which(void **state)
{
	static const struct {
		const char *on;
		__u8 reason;
		__u64 length_ns, run_delay_ns, at_ns; /* 0: no trigger */
	} cases[] = {
		{"run_delay > 20ms", KS_R_PREEMPTED, 21 * MS, 0, 20 * MS + 1},
		{"run_delay > 20ms", KS_R_PREEMPTED, 20 * MS, 0, 0},
		{"run_delay >= 20ms", KS_R_PREEMPTED, 20 * MS, 0, 20 * MS},
		{"run_delay > 20ms", KS_R_IOCTL, 30 * MS, 0, 20 * MS + 1},
		{"run_delay > 20ms", KS_R_HALTED, 90 * MS, 19 * MS, 0},
		{"run_delay > 20ms", KS_R_HALTED, 90 * MS, 21 * MS, 90 * MS}, /* known at its end */
		{"run_delay > 20ms", KS_R_HALTED, 15 * MS, 25 * MS, 0},	      /* clamped */
		{"preempted > 20ms", KS_R_HALTED, 90 * MS, 80 * MS, 0},
		{"halted > 20ms", KS_R_HALTED, 90 * MS, 0, 20 * MS + 1},
		{"sleeping > 20ms", KS_R_SLEEPING, 90 * MS, 0, 20 * MS + 1},
		{"sleeping > 20ms", KS_R_HALTED, 90 * MS, 0, 0},
		{"absence > 20ms", KS_R_HALTED, 90 * MS, 0, 20 * MS + 1},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig r = {.o.ons = 0};
		struct told d;

		on(&r, cases[i].on);
		rig_begin(&r);
		introduce(&r, 1);
		out(&r, 1, 1, START + MS, cases[i].reason);
		in(&r, 1, 2, START + MS + cases[i].length_ns, cases[i].run_delay_ns);
		assert_int_equal(rig_end(&r, START + 500 * MS), 0);
		if (there(1) != !!cases[i].at_ns)
			fail_msg("case %u", i);
		if (cases[i].at_ns) {
			look(dump(1), &d);
			assert_int_equal(d.s.trigger_ns, START + MS + cases[i].at_ns);
			forget(&d);
		} else {
			assert_true(said("nothing was a trigger: nothing was written"));
		}
		clean();
	}
}

/* A vCPU's records come from several CPUs' rings: in any order within a pass. */
static void test_disorder(void **state)
{
	union rec rec[] = {
		rec_out(1, 1, START + MS, KS_R_PREEMPTED),	rec_in(1, 2, START + 2 * MS, 0),
		rec_out(1, 3, START + 3 * MS, KS_R_PREEMPTED),	rec_in(1, 4, START + 30 * MS, 0),
		rec_out(1, 5, START + 31 * MS, KS_R_PREEMPTED), rec_in(1, 6, START + 32 * MS, 0)};

	(void)state;
	for (unsigned first = 0; first < 6; first++) { /* every rotation, and every one backwards */
		for (int step = -1; step <= 1; step += 2) {
			struct watch_hit hit;
			struct assertion a;
			const char *why, *at;
			unsigned hits = 0;
			struct watch w;

			assertion__parse_bound(&a, "run_delay > 20ms", &why, &at);
			watch__init(&w, &a, 1);
			for (unsigned i = 0; i < 6; i++) {
				const union rec *r = &rec[(first + 6 + step * (int)i) % 6];

				if (!watch__record(&w, &r->h, &hit))
					continue;
				hits++;
				assert_int_equal(hit.absence.from, START + 3 * MS);
				assert_int_equal(hit.at_ns, START + 30 * MS);
			}
			assert_int_equal(hits, 1);
			assert_false(watch__open(&w, START + 999 * MS, &hit));
			watch__free(&w);
		}
	}
}

/* What is waited for is at most one time per vCPU, and nothing for those that only halt. */
static void test_idle(void **state)
{
	struct watch_hit hit;
	struct assertion a;
	const char *why, *at;
	struct watch w;
	__u64 ts = START;

	(void)state;
	assertion__parse_bound(&a, "run_delay > 20ms", &why, &at);
	watch__init(&w, &a, 1);
	for (__u32 i = 0; i < 100000; i++) {
		__u32 v = 1 + i % 1000, seq = 2 * (i / 1000) + 1;
		union rec o = rec_out(v, seq, ts += 1000, v % 2 ? KS_R_HALTED : KS_R_PREEMPTED);
		union rec n = rec_in(v, seq + 1, ts += 1000, 0);

		assert_false(watch__record(&w, &o.h, &hit));
		assert_in_range(w.waiting, 0, 500);
		assert_false(watch__record(&w, &n.h, &hit));
	}
	assert_true(watch__next(&w) == ~0ULL); /* all have ended */
	for (__u32 v = 1; v <= 1000; v++) {
		union rec gone = rec_gone(v, 200, ts);

		watch__record(&w, &gone.h, &hit);
	}
	assert_int_equal(w.vcpus.count, 0);
	watch__free(&w);
}

/* Out since before the trace began: as long as it is known of, and only while it goes on. */
static void test_snapshot(void **state)
{
	union rec snap = rec_snap(1, 0, START, KS_M_OUT, KS_R_PREEMPTED);
	struct rig r = {.o.ons = 0};

	(void)state;
	on(&r, "preempted > 20ms");
	rig_begin(&r);
	introduce(&r, 1);
	take(&r, &snap);
	poll_at(&r, START + 20 * MS + 2);
	assert_true(there(1));
	assert_int_equal(rig_end(&r, START + 100 * MS), 0);
	clean();
}

static void test_filter(void **state)
{
	struct filter f = {};
	struct rig r = {.filter = &f};
	struct told d;

	(void)state;
	assert_int_equal(filter__add(&f, 'V', "1"), 0);
	on(&r, "run_delay > 20ms");
	rig_begin(&r);
	introduce(&r, 2);
	out(&r, 1, 1, START + MS, KS_R_PREEMPTED);
	out(&r, 2, 1, START + 10 * MS, KS_R_PREEMPTED);
	assert_int_equal(rig_end(&r, START + 100 * MS), 0);
	look(dump(1), &d);
	assert_int_equal(d.s.trigger_ns, START + 30 * MS + 1);
	assert_non_null(strstr(d.s.trigger, "vCPU 1"));
	forget(&d);
	clean();
}

/* ---- what becomes of them ----------------------------------------------------------------- */

/* A stall of 30 ms every 100 ms, for 3 s. */
static void stalls(struct rig *r)
{
	introduce(r, 1);
	for (unsigned i = 0; i < 30; i++) {
		out(r, 1, 2 * i + 1, START + 100 * i * MS, KS_R_PREEMPTED);
		in(r, 1, 2 * i + 2, START + (100 * i + 30) * MS, 0);
	}
}

static void test_cooldown(void **state)
{
	struct rig r = {.o.cooldown_ns = 1000 * MS};
	struct told d;

	(void)state;
	on(&r, "run_delay > 20ms");
	rig_begin(&r);
	stalls(&r);
	assert_int_equal(rig_end(&r, START + 3000 * MS), 0);
	assert_true(there(3) && !there(4));
	assert_true(said("27 more triggers fell into a dump or its --cooldown"));
	for (unsigned n = 1; n <= 3; n++) {
		look(dump(n), &d);
		assert_int_equal(d.s.trigger_ns, START + (n - 1) * 1000 * MS + 20 * MS + 1);
		forget(&d);
	}
	clean();
}

static void test_max_dumps(void **state)
{
	struct rig r = {.o.max_dumps = 2};

	(void)state;
	on(&r, "run_delay > 20ms");
	rig_begin(&r);
	assert_false(flight__done(r.f));
	stalls(&r);
	assert_true(flight__done(r.f));
	assert_int_equal(rig_end(&r, START + 3000 * MS), 0);
	assert_true(there(2) && !there(3));
	clean();
}

/* Asked for in a dump, it is in it; in a cooldown, it is obeyed. */
static void test_asked(void **state)
{
	struct rig r = {.o = {.cooldown_ns = 1000000 * MS, .after_ns = 100 * MS}};

	(void)state;
	rig_begin(&r);
	introduce(&r, 1);
	flight__ask(r.f, START + MS);
	poll_at(&r, START + 2 * MS);
	flight__ask(r.f, START + 50 * MS);
	assert_true(said("is being written, with this moment"));
	poll_at(&r, START + 200 * MS);
	assert_false(there(2));
	flight__ask(r.f, START + 210 * MS);
	poll_at(&r, START + 220 * MS);
	assert_true(there(2));
	assert_int_equal(rig_end(&r, START + 230 * MS), 0); /* which ends it early */
	assert_true(said("1 more trigger fell into"));
	clean();
}

/* Numbers go on behind what is there, whatever is missing; --force begins anew. */
static void test_numbers(void **state)
{
	char other[CTF_PATH + 32];

	(void)state;
	snprintf(other, sizeof(other), "%s.7x", path);
	assert_int_equal(mkdir(dump(41), 0700), 0);
	assert_int_equal(mkdir(other, 0700), 0);
	for (int force = 0; force <= 1; force++) {
		struct rig r = {.o.force = force};

		rig_begin(&r);
		introduce(&r, 1);
		flight__ask(r.f, START + MS);
		assert_int_equal(rig_end(&r, START + 5 * MS), 0);
		assert_true(there(force ? 1 : 42));
		listen_end();
	}
	rmdir(other);
	listen_begin();
	clean();
}

static void test_violated(void **state)
{
	static struct sink_flight rules;
	struct rig r = {.o.ons = 0};
	struct sink sink;
	struct kvm k;
	struct told d;

	(void)state;
	rules.rule = rules_builtin;
	rules.rules = kvm_builtin();
	rig_begin(&r);
	rules.flight = r.f;
	sink_flight__init(&sink, &rules);
	assert_int_equal(sink.begin(sink.ctx, &r.s, NULL), 0);
	introduce(&r, 1);
	kvm_begin(&k, false, rules_builtin, 1);
	for (unsigned i = 0; i < 40; i++) {
		union rec rec = i % 2 ? kvm_in(&k, 1) : kvm_out(&k, 1, KS_R_HALTED);

		if (i == 21)
			rec.in.tid++; /* another task comes back */
		take(&r, &rec);
		assert_int_equal(sink.event(sink.ctx, &k.vcpu[1].v, &rec.h, true), 0);
		assert_int_equal(there(1), i > 21);
	}
	assert_true(said("rule same_task violated: web\\x1b[31m vCPU 0 (tid 101), at "));
	assert_int_equal(rig_end(&r, k.now + MS), 0);
	look(dump(1), &d);
	assert_int_equal(d.s.trigger_ns, START + 22 * MS);
	forget(&d);
	sink_flight__free(&rules);
	kvm_end(&k);
	clean();
}

/* ---- faults ------------------------------------------------------------------------------- */

/* A disk that is full, as a limit that files run into: nothing is left, and the next one is tried.
 */
static void test_no_room(void **state)
{
	struct whole w = {.rig.o.span_ns = 300 * MS, .asks = 1000000};
	struct rlimit old, small;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	rig_begin(&w.rig);
	w.scene = (struct scene){.mode = MODE_FULL, .seed = 1, .fn = on_record, .ctx = &w};
	w.model = model__new(&w.rig.s, &all, &(struct model_listener){});
	assert_int_equal(scene_play(&w.scene, 20000), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 64 << 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	flight__ask(w.rig.f, w.rig.now);
	poll_at(&w.rig, w.rig.now + MS);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(said("not written: the trace goes on"));
	assert_false(there(1));
	flight__ask(w.rig.f, w.rig.now);
	poll_at(&w.rig, w.rig.now + MS);
	assert_true(there(1));
	assert_int_not_equal(rig_end(&w.rig, w.rig.now + 50 * MS), 0); /* and yet it is an error */
	model__free(w.model);
	clean();
}

static void test_little_memory(void **state)
{
	struct rig r = {.o.bytes = 10000};

	(void)state;
	r.o.span_ns = MS;
	r.o.dir = path;
	r.s = scene_session(MODE_FULL);
	listen_begin();
	assert_int_equal(flight__new(&r.f, &r.o), 0);
	assert_int_not_equal(flight__begin(r.f, &r.s, &all), 0);
	assert_non_null(strstr(listen_said(), "4 CPUs need at least 40K"));
	listen_end();
	flight__free(r.f);
}

static void pass(struct who *w, const struct ks_head *r)
{
	who__forgotten(w, (const char *)r, record__size(r->type));
}

/* Memory follows what lives: 100,000 vCPUs of 20,000 VMs come and go. */
static void test_churn(void **state)
{
	struct who w;

	(void)state;
	assert_int_equal(who__init(&w), 0);
	for (__u32 v = 1; v <= 100000; v++) {
		__u32 vm = 1 + v / 5;
		union rec m = rec_vm(vm, START + v), d = rec_vcpu(v, START + v, vm, 0, 0);
		union rec o = rec_out(v, 1, START + v, KS_R_HALTED), g = rec_gone(v, 1, START + v);
		struct ks_name n = rec_name(vm, START + v, "web");
		union rec t = rec_task(v, START + v, KS_K_HOST, "x", 0, 0);

		if (v % 5 == 0 || v == 1) {
			pass(&w, &m.h);
			pass(&w, &n.h);
		}
		pass(&w, &d.h);
		pass(&w, &t.h);
		pass(&w, &o.h);
		if (v % 1000)
			pass(&w, &g.h);
	}
	assert_int_equal(w.vcpus.count, 100);
	assert_int_equal(w.vms.count, 100);
	who__free(&w);
}

static void test_parse(void **state)
{
	static const char *const bad[] = {
		"",
		"run_delay",
		"run_delay > 20",
		"run_delay < 20ms",
		"run_delay == 20ms",
		"max(run_delay) > 20ms",
		"running > 20ms",
		"switches > 3",
		"reload_cost > 1ms",
		"run_delay > 20ms by vm",
		"nosuch > 1ms",
		"run_delay\n> 20ms",
	};
	struct assertion a;
	const char *why, *at;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		why = at = NULL;
		if (assertion__parse_bound(&a, bad[i], &why, &at) != -EINVAL || !why || !at)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(assertion__parse_bound(&a, " run_delay>=1.5ms ", &why, &at), 0);
	assert_int_equal(a.value, 1500000);
	assert_int_equal(a.op, CMP_GE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	      cmocka_unit_test(test_losses),
		cmocka_unit_test(test_room),	      cmocka_unit_test(test_slices),
		cmocka_unit_test(test_open),	      cmocka_unit_test(test_which),
		cmocka_unit_test(test_disorder),      cmocka_unit_test(test_idle),
		cmocka_unit_test(test_snapshot),      cmocka_unit_test(test_filter),
		cmocka_unit_test(test_cooldown),      cmocka_unit_test(test_max_dumps),
		cmocka_unit_test(test_asked),	      cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_violated),      cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_little_memory), cmocka_unit_test(test_churn),
		cmocka_unit_test(test_parse),
	};
	int failed;

	files_scratch(top, sizeof(top), path);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	files_remove(top);
	return failed;
}
