// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is kept around a moment, of a made-up trace that lost records: it says what it lost, and
 * shows no state where the whole trace says unknown.
 */
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
#include "filter.h"
#include "keep.h"
#include "listen.h"
#include "order.h"
#include "scene.h"

#define STREAMS 5
#define RECORDS 210000U

static char top[64], path[CTF_PATH];

/* Some spans of each vCPU, in order of time. */
struct told {
	struct span *span[SCENE_VCPUS + 1];
	unsigned spans[SCENE_VCPUS + 1];
	__u64 state_ns[SCENE_VCPUS + 1];
};

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	struct told *t = ctx;
	unsigned n = t->spans[v->id]++;

	(void)a, (void)task;
	if (!(n & (n - 1)))
		t->span[v->id] = realloc(t->span[v->id], (n ? 2 * n : 1) * sizeof(*s));
	assert_non_null(t->span[v->id]);
	t->span[v->id][n] = *s;
	if (s->state != ST_UNKNOWN)
		t->state_ns[v->id] += s->to - s->from;
}

static void forget(struct told *t)
{
	for (unsigned v = 0; v <= SCENE_VCPUS; v++)
		free(t->span[v]);
	memset(t, 0, sizeof(*t));
}

/* ---- the whole trace ---------------------------------------------------------------------- */

struct whole {
	struct session s;
	struct scene scene;
	struct filter filter;
	struct model *model;
	struct keep *keep;
	struct told told;
	unsigned shrink;	/* of all distances in time */
	unsigned count, moment; /* records; the one that is the moment */
	unsigned losing,
		loses; /* how many still get lost; one burst in so many records, 0 = never */
	__u64 made, lost;
};

static int take(struct whole *w, const struct ks_head *h)
{
	assert_int_equal(model__record(w->model, h), 0);
	assert_int_equal(keep__record(w->keep, h), 0);
	return 0;
}

static int on_record(void *ctx, const struct ks_head *h, unsigned stream)
{
	struct whole *w = ctx;
	struct ks_name r;

	(void)stream;
	memcpy(&r, h, record__size(h->type));
	if (h->type < KS_VCPU) /* no two at one time, also when shrunk */
		r.h.ts = SCENE_START + (h->ts - SCENE_START) / w->shrink + ++w->made;
	if (h->type < KS_VCPU && w->loses && !w->losing && !scene_random(&w->scene, w->loses))
		w->losing = 1 + scene_random(&w->scene, 40);
	if (h->type < KS_VCPU && w->losing) {
		w->losing--;
		w->lost++;
		return 0;
	}
	take(w, &r.h);
	if (++w->count == w->moment)
		keep__moment(w->keep, r.h.ts);
	return 0;
}

/* What the recorder adds at the end of the window. */
static void end_vcpus(struct whole *w)
{
	for (__u32 v = 1; v <= SCENE_VCPUS; v++) {
		union rec r = rec_snap(v, w->scene.vcpu[v].seq, w->s.end_ns, KS_M_END, 0);

		take(w, &r.h);
	}
}

static void play_to(struct whole *w, unsigned seed)
{
	const struct model_listener l = {.span = on_span, .ctx = &w->told};

	w->s = scene_session(MODE_FULL);
	w->scene = (struct scene){.mode = MODE_FULL, .seed = seed, .fn = on_record, .ctx = w};
	w->model = model__new(&w->s, &w->filter, &l);
	assert_non_null(w->model);
	assert_int_equal(scene_play(&w->scene, RECORDS), 0);
	w->s.end_ns = SCENE_START + (w->scene.now - SCENE_START) / w->shrink + RECORDS;
	end_vcpus(w);
	model__end(w->model, w->s.end_ns);
}

static void play(struct whole *w, unsigned seed)
{
	assert_int_equal(keep__new(&w->keep, path, false), 0);
	play_to(w, seed);
}

/* ---- what was kept of it ------------------------------------------------------------------ */

struct kept {
	struct session s;
	struct told told;
	__u64 discarded, missing, records;
};

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

static void replay(struct kept *k)
{
	const struct model_listener l = {.span = on_span, .ctx = &k->told};
	const struct filter all = {};
	const struct ks_head *h;
	struct ctf_reader *r;
	struct model *m;
	struct order *o;
	int err = 0;

	memset(k, 0, sizeof(*k));
	assert_int_equal(ctf_reader__open(&r, path, &k->s), 0);
	m = model__new(&k->s, &all, &l);
	o = order__new(STREAMS, fill, r);
	while ((h = order__next(o, ~0ULL, &err)))
		assert_int_equal(model__record(m, h), 0);
	assert_int_equal(err, 0);
	model__end(m, k->s.end_ns);
	for (unsigned i = 0; i < STREAMS; i++)
		k->discarded += ctf_reader__discarded(r, i);
	k->missing = model__missing(m);
	k->records = model__events(m);
	assert_int_equal(model__odd(m), 0);
	assert_int_equal(ctf_reader__damaged(r), 0);
	order__free(o);
	model__free(m);
	ctf_reader__free(r);
}

/* Of the kept spans, what has a state lies in no span of the whole that is unknown. */
static void compare(const struct whole *w, const struct kept *k)
{
	for (unsigned v = 1; v <= SCENE_VCPUS; v++) {
		const struct span *a = w->told.span[v], *b = k->told.span[v];

		for (unsigned i = 0, j = 0; i < w->told.spans[v] && j < k->told.spans[v];) {
			if (a[i].state == ST_UNKNOWN && b[j].state != ST_UNKNOWN &&
			    a[i].from < b[j].to && b[j].from < a[i].to)
				fail_msg("vCPU %u: %s in [%llu, %llu), unknown in [%llu, %llu)", v,
					 state__name(b[j].state), b[j].from, b[j].to, a[i].from,
					 a[i].to);
			if (a[i].to < b[j].to)
				i++;
			else
				j++;
		}
	}
}

static void keep_and_compare(struct whole *w, unsigned seed, struct kept *k)
{
	play(w, seed);
	listen_begin();
	assert_int_equal(keep__write(w->keep, &w->s, w->lost), 0);
	listen_end();
	replay(k);
	compare(w, k);
	assert_int_equal(k->discarded, k->missing);
	for (unsigned v = 1; v <= SCENE_VCPUS; v++) /* and it is not all unknown */
		assert_true(k->told.state_ns[v] > (k->s.end_ns - k->s.start_ns) / 2);
	files_remove(path);
}

static void finish(struct whole *w, struct kept *k)
{
	forget(&w->told);
	forget(&k->told);
	model__free(w->model);
	keep__free(w->keep);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void test_lossless(void **state)
{
	struct whole w = {.shrink = 1, .moment = RECORDS / 2};
	struct kept k;

	(void)state;
	keep_and_compare(&w, 1, &k);
	assert_int_equal(k.discarded, 0);
	assert_int_equal(k.s.end_ns - k.s.start_ns, 2 * KEEP_NS);
	for (unsigned v = 1; v <= SCENE_VCPUS; v++)
		assert_int_equal(k.told.state_ns[v], 2 * KEEP_NS);
	finish(&w, &k);
}

static void test_losses(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 8; seed++) {
		struct whole w = {.shrink = 1, .moment = RECORDS / 2, .loses = 300};
		struct kept k;

		keep_and_compare(&w, seed, &k);
		assert_true(k.discarded > 0);
		assert_true(k.discarded < w.lost);
		finish(&w, &k);
	}
}

/* More records around the moment than are held: the window is shorter, on both sides. */
static void test_losses_of_many(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 4; seed++) {
		struct whole w = {.shrink = 8, .moment = RECORDS / 2 + 20000, .loses = 300};
		struct kept k;

		keep_and_compare(&w, seed, &k);
		assert_true(k.s.start_ns > SCENE_START);
		assert_true(k.s.end_ns < w.s.end_ns);
		assert_true(k.s.end_ns - k.s.start_ns < 2 * KEEP_NS);
		assert_true(k.discarded > 0 && k.discarded < w.lost);
		finish(&w, &k);
	}
}

/* No moment: the trace's last second, with what its end tells. */
static void test_losses_at_end(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 4; seed++) {
		struct whole w = {.shrink = 1, .loses = 300};
		struct kept k;

		keep_and_compare(&w, seed, &k);
		assert_int_equal(k.s.end_ns, w.s.end_ns);
		assert_true(k.discarded > 0);
		finish(&w, &k);
	}
}

/* Lost descriptors have no number: they may have been those of the stretch that is kept. */
static void test_unplaced(void **state)
{
	struct whole w = {.shrink = 1, .moment = RECORDS / 2};
	struct kept k;

	(void)state;
	play(&w, 1);
	listen_begin();
	assert_int_equal(keep__write(w.keep, &w.s, 7), 0);
	assert_non_null(strstr(listen_said(), "(7 more were lost)"));
	listen_end();
	replay(&k);
	assert_int_equal(k.discarded, 7);
	assert_int_equal(k.missing, 0);
	files_remove(path);
	finish(&w, &k);
}

/* A disk that gets full, as a limit that files run into: 1 if writing failed and nothing was said
 * to be kept. */
static int fails_to_write(struct whole *w)
{
	struct rlimit old, small;
	int err;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 256 << 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	listen_begin();
	err = keep__write(w->keep, &w->s, 0);
	fflush(stderr);
	err = err && strstr(listen_text, "records not stored") && !strstr(listen_text, "kept");
	listen_end();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	return err;
}

static void test_no_room(void **state)
{
	struct whole w = {.shrink = 1, .moment = RECORDS / 2};
	struct kept none = {};

	(void)state;
	play(&w, 1);
	assert_true(fails_to_write(&w));
	assert_int_not_equal(access(path, F_OK), 0); /* nothing is left */
	keep__free(w.keep);

	assert_int_equal(mkdir(path, 0700),
			 0); /* of a directory that was there, only what is in it */
	assert_int_equal(keep__new(&w.keep, path, true), 0);
	forget(&w.told);
	model__free(w.model);
	w = (struct whole){.shrink = 1, .moment = RECORDS / 2, .keep = w.keep};
	play_to(&w, 1);
	assert_true(fails_to_write(&w));
	assert_int_equal(rmdir(path), 0); /* it is empty */
	finish(&w, &none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lossless),       cmocka_unit_test(test_losses),
		cmocka_unit_test(test_losses_of_many), cmocka_unit_test(test_losses_at_end),
		cmocka_unit_test(test_unplaced),       cmocka_unit_test(test_no_room),
	};
	int failed;

	files_scratch(top, sizeof(top), path);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	files_remove(top);
	return failed;
}
