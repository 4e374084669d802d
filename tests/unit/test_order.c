// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many streams into one: order, ties, streams that run dry and come back, the watermark, damage.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "order.h"
#include "scene.h"

#define STREAMS 5 /* the last is the descriptors' */
#define ROOM	(1 << 22)

/* What a stream has yet to give: cut into stretches of `stretch` records. */
static struct stream {
	char *data;
	size_t bytes, given;
} streams[STREAMS];
static unsigned stretch;
static int fail_with;

static void put(unsigned stream, const void *r)
{
	struct stream *s = &streams[stream];
	size_t size = record__size(((const struct ks_head *)r)->type);

	assert_true(s->bytes + size <= ROOM);
	memcpy(s->data + s->bytes, r, size);
	s->bytes += size;
}

static void put_out(unsigned stream, __u32 vcpu, __u64 ts)
{
	union rec r = rec_out(vcpu, 1, ts, KS_R_HALTED);

	put(stream, &r);
}

static int fill(void *ctx, unsigned stream, const __u8 **data, size_t *bytes)
{
	struct stream *s = &streams[stream];
	size_t from = s->given;

	(void)ctx;
	if (fail_with)
		return fail_with;
	for (unsigned i = 0; i < stretch && s->given < s->bytes; i++)
		s->given += record__size(((struct ks_head *)(s->data + s->given))->type) ?: 8;
	if (s->given > s->bytes)
		s->given = s->bytes;
	*data = (const __u8 *)s->data + from;
	*bytes = s->given - from;
	return *bytes > 0;
}

static int setup(void **state)
{
	*state = NULL;
	stretch = 3;
	fail_with = 0;
	for (unsigned i = 0; i < STREAMS; i++) {
		streams[i].data = streams[i].data ?: malloc(ROOM);
		streams[i].bytes = streams[i].given = 0;
		assert_non_null(streams[i].data);
	}
	return 0;
}

static __u32 vcpu_of(const struct ks_head *r)
{
	return ((const struct ks_out *)r)->vcpu;
}

/* The next record is that of this vCPU (0: there is none now). */
static void assert_next(struct order *o, __u64 until, __u32 vcpu)
{
	const struct ks_head *r;
	int err;

	r = order__next(o, until, &err);
	assert_int_equal(err, 0);
	assert_int_equal(r ? vcpu_of(r) : 0, vcpu);
}

static void test_empty(void **state)
{
	struct order *o = order__new(STREAMS, fill, NULL);

	(void)state;
	assert_next(o, ~0ULL, 0);
	assert_next(o, ~0ULL, 0);
	order__free(o);
	order__free(NULL);
}

static void test_ties(void **state)
{
	struct order *o = order__new(STREAMS, fill, NULL);

	(void)state;
	put_out(2, 3, 100);
	put_out(0, 2, 100);
	put_out(STREAMS - 1, 1, 100); /* descriptors first */
	put_out(2, 4, 100);
	put_out(1, 5, 99);
	assert_next(o, ~0ULL, 5);
	assert_next(o, ~0ULL, 1);
	assert_next(o, ~0ULL, 2);
	assert_next(o, ~0ULL, 3);
	assert_next(o, ~0ULL, 4);
	assert_next(o, ~0ULL, 0);
	order__free(o);
}

static void test_until(void **state)
{
	struct order *o = order__new(STREAMS, fill, NULL);

	(void)state;
	put_out(0, 1, 100);
	put_out(0, 4, 210);
	assert_next(o, 100, 0);
	assert_next(o, 101, 1);
	assert_next(o, 200, 0); /* 4 is seen, and kept back */
	put_out(1, 2, 150);	/* a stream that was dry */
	put_out(1, 3, 205);
	assert_next(o, 200, 2);
	assert_next(o, 200, 0);
	assert_next(o, ~0ULL, 3);
	assert_next(o, ~0ULL, 4);
	assert_next(o, ~0ULL, 0);
	assert_int_equal(order__refused(o), 0);
	order__free(o);
}

static void test_error(void **state)
{
	struct order *o = order__new(STREAMS, fill, NULL);
	int err;

	(void)state;
	fail_with = -EIO;
	assert_null(order__next(o, ~0ULL, &err));
	assert_int_equal(err, -EIO);
	order__free(o);
}

/* ---- damage ------------------------------------------------------------------------------- */

/* The rest of the stretch goes with what is wrong; the next stretch and the other streams do not.
 */
static void check_damage(void (*harm)(struct ks_out *r))
{
	struct order *o = order__new(STREAMS, fill, NULL);

	put_out(0, 1, 100);
	put_out(0, 9, 110);
	harm((struct ks_out *)(streams[0].data + sizeof(struct ks_out)));
	put_out(0, 9, 120);
	put_out(0, 3, 130); /* the second stretch */
	put_out(1, 2, 125);
	assert_next(o, ~0ULL, 1);
	assert_next(o, ~0ULL, 2);
	assert_next(o, ~0ULL, 3);
	assert_next(o, ~0ULL, 0);
	assert_int_equal(order__refused(o), 2 * sizeof(struct ks_out));
	order__free(o);
}

static void bad_cpu(struct ks_out *r)
{
	r->cpu = KS_CPUS_MAX;
}

static void bad_vcpu(struct ks_out *r)
{
	r->vcpu = 0;
}

static void bad_time(struct ks_out *r)
{
	r->h.ts = 99;
}

static void test_damage(void **state)
{
	(void)state;
	check_damage(bad_cpu);
	setup(state);
	check_damage(bad_vcpu);
	setup(state);
	check_damage(bad_time);
}

static void test_cut_off(void **state)
{
	struct order *o = order__new(STREAMS, fill, NULL);

	(void)state;
	put_out(0, 1, 100);
	put_out(0, 2, 110);
	streams[0].bytes -= 4;
	assert_next(o, ~0ULL, 1);
	assert_next(o, ~0ULL, 0);
	assert_int_equal(order__refused(o), sizeof(struct ks_out) - 4);
	order__free(o);
}

static void test_no_type(void **state)
{
	struct order *o = order__new(STREAMS, fill, NULL);

	(void)state;
	put_out(0, 1, 100);
	memset(streams[0].data + streams[0].bytes, 0xff, 40);
	streams[0].bytes += 40;
	assert_next(o, ~0ULL, 1);
	assert_next(o, ~0ULL, 0);
	assert_int_equal(order__refused(o), 40);
	order__free(o);
}

/* ---- a scene comes back as it was played ---------------------------------------------------- */

struct played {
	__u64 sum, count, last_ts;
};

static int on_record(void *ctx, const struct ks_head *r, unsigned stream)
{
	struct played *p = ctx;

	put(stream, r);
	p->count++;
	p->sum = p->sum * 31 + r->ts + r->type;
	return 0;
}

static void test_scene(void **state)
{
	struct played p = {0}, got = {0};
	struct scene sc = {.seed = 7, .fn = on_record, .ctx = &p};
	struct order *o = order__new(STREAMS, fill, NULL);
	const struct ks_head *r;
	int err;

	(void)state;
	stretch = 50;
	assert_int_equal(scene_play(&sc, 100000), 0);
	while ((r = order__next(o, ~0ULL, &err))) {
		assert_true(r->ts >= got.last_ts);
		got.last_ts = r->ts;
		got.count++;
		got.sum = got.sum * 31 + r->ts + r->type;
	}
	assert_int_equal(err, 0);
	assert_int_equal(got.count, p.count);
	assert_int_equal(got.sum, p.sum);
	order__free(o);
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STREAMS; i++)
		free(streams[i].data);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_ties, setup),
		cmocka_unit_test_setup(test_until, setup),
		cmocka_unit_test_setup(test_error, setup),
		cmocka_unit_test_setup(test_damage, setup),
		cmocka_unit_test_setup(test_cut_off, setup),
		cmocka_unit_test_setup(test_no_type, setup),
		cmocka_unit_test_setup(test_scene, setup),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
