// SPDX-License-Identifier: BSD-2-Clause
/*
 * What does check not see? A real recording (tests/golden, or MUTATE=DIR) is changed at random,
 * 10,000 times (MUTATIONS=N), by SEED=N, which is printed:
 *
 *  - a record dropped, doubled, or moved: always noticed;
 *  - a bit flipped: a violation wherever a rule that was decided reads the bit and no other bit
 * leaves it free; noticed where it tells which record it is. expect() says which is which,
 * docs/ci.md lists it; UNIT_VERBOSE=1 prints what became of the others, field by field.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "check.h"
#include "ctf_reader.h"
#include "ctf_tsdl.h"
#include "decode.h"
#include "order.h"
#include "rules.h"

#define GOLDEN	     "tests/golden/v1.ctf"
#define STREAMS	     64
#define FIELDS_MAX   32
#define STREAM_BYTES (4 << 20)

struct stream {
	__u8 *data;
	size_t bytes;
	bool taken;
};

/* A record of a vCPU's own, and its neighbours of the same vCPU: indices, -1 = none. */
struct place {
	unsigned stream;
	size_t at;
	const struct ks_head *r;
	int before, after;
};

static struct session session;
static struct stream sound[STREAMS], now[STREAMS];
static struct place *places;
static unsigned place_cnt, streams;
static unsigned long long seed;
static struct filter filter;

/* What a run found. */
static struct {
	__u64 violations, noticed;
	struct check *check;
} got;

static __u32 random_below(__u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* ---- the recording ------------------------------------------------------------------------ */

static void keep(struct stream *s, const void *data, size_t bytes)
{
	if (!s->data)
		s->data = malloc(STREAM_BYTES);
	assert_true(s->data && s->bytes + bytes <= STREAM_BYTES);
	memcpy(s->data + s->bytes, data, bytes);
	s->bytes += bytes;
}

static void find_places(void)
{
	for (unsigned s = 0; s < streams; s++) {
		size_t size;

		for (size_t at = 0; at < sound[s].bytes; at += size) {
			const struct ks_head *r = (void *)(sound[s].data + at);

			size = decode__check(r, sound[s].bytes - at);
			assert_true(size > 0);
			if (r->type >= KS_VCPU)
				continue;
			places = realloc(places, (place_cnt + 1) * sizeof(*places));
			places[place_cnt++] = (struct place){s, at, r, -1, -1};
		}
	}
}

static __u32 vcpu_of(const struct ks_head *r)
{
	return ((const struct ks_out *)(const void *)r)->vcpu;
}

static __u32 seq_of(const struct ks_head *r)
{
	return ((const struct ks_out *)(const void *)r)->seq;
}

static void find_neighbours(void)
{
	for (unsigned i = 0; i < place_cnt; i++) {
		for (unsigned j = 0; j < place_cnt; j++) {
			if (vcpu_of(places[i].r) != vcpu_of(places[j].r))
				continue;
			if (seq_of(places[j].r) + 1 == seq_of(places[i].r))
				places[i].before = j;
			if (seq_of(places[j].r) == seq_of(places[i].r) + 1)
				places[i].after = j;
		}
	}
}

static int load(void **state)
{
	const char *dir = getenv("MUTATE") ?: GOLDEN;
	struct ctf_reader *r;
	struct ctf_chunk c;

	(void)state;
	assert_int_equal(ctf_reader__open(&r, dir, &session), 0);
	streams = ctf_reader__streams(r);
	assert_true(streams <= STREAMS);
	for (unsigned s = 0; s < streams; s++)
		while (ctf_reader__next(r, s, &c) > 0)
			keep(&sound[s], c.data, c.bytes);
	ctf_reader__free(r);
	for (unsigned s = 0; s < streams; s++)
		keep(&now[s], sound[s].data, sound[s].bytes);
	find_places();
	find_neighbours();
	assert_true(place_cnt > 100);
	seed = strtoull(getenv("SEED") ?: "2", NULL, 0);
	print_message("%s: %u records, SEED=%llu\n", dir, place_cnt, seed);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	for (unsigned s = 0; s < streams; s++) {
		free(sound[s].data);
		free(now[s].data);
	}
	free(places);
	return 0;
}

/* ---- a run -------------------------------------------------------------------------------- */

static int fill(void *ctx, unsigned stream, const __u8 **data, size_t *bytes)
{
	(void)ctx;
	if (now[stream].taken)
		return 0;
	now[stream].taken = true;
	*data = now[stream].data;
	*bytes = now[stream].bytes;
	return *bytes > 0;
}

static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *r, const struct step *s)
{
	(void)ctx;
	(void)s;
	assert_int_equal(check__record(got.check, v, r, true), 0);
}

static void fresh(void)
{
	for (unsigned s = 0; s < streams; s++) {
		memcpy(now[s].data, sound[s].data, sound[s].bytes);
		now[s].bytes = sound[s].bytes;
		now[s].taken = false;
	}
}

static void run(void)
{
	struct model_listener l = {.event = on_event};
	struct order *o = order__new(streams, fill, NULL);
	struct model *m = model__new(&session, &filter, &l);
	const struct ks_head *r;
	unsigned rules = 0;
	int err;

	while (rules_builtin[rules])
		rules++;
	got.check = check__new(&session, rules_builtin, rules);
	while ((r = order__next(o, ~0ULL, &err)))
		assert_int_equal(model__record(m, r), 0);
	assert_int_equal(check__end(got.check, session.end_ns, true), 0);
	got.violations = check__violations(got.check);
	got.noticed = check__missing(got.check) + check__disorder(got.check) + order__refused(o) +
		      model__odd(m);
	check__free(got.check);
	model__free(m);
	order__free(o);
}

static void test_sound(void **state)
{
	(void)state;
	fresh();
	run();
	assert_int_equal(got.violations, 0);
	assert_int_equal(got.noticed, 0);
}

static unsigned mutations(void)
{
	return strtoul(getenv("MUTATIONS") ?: "10000", NULL, 0);
}

/* ---- whole records ------------------------------------------------------------------------ */

static void cut(const struct place *p)
{
	struct stream *s = &now[p->stream];
	size_t size = KS_RECORD_MAX;

	memmove(s->data + p->at, s->data + p->at + size, s->bytes - p->at - size);
	s->bytes -= size;
}

static void paste(const struct place *p, size_t at)
{
	struct stream *s = &now[p->stream];
	__u8 copy[KS_RECORD_MAX];

	memcpy(copy, p->r, sizeof(copy));
	keep(s, copy, sizeof(copy));
	memmove(s->data + at + sizeof(copy), s->data + at, s->bytes - at - sizeof(copy));
	memcpy(s->data + at, copy, sizeof(copy));
}

/* Two records of one vCPU change their places, but not their times. */
static void swap(const struct place *a, const struct place *b)
{
	__u8 *x = now[a->stream].data + a->at, *y = now[b->stream].data + b->at;
	__u64 ts = ((struct ks_head *)x)->ts;
	__u8 copy[KS_RECORD_MAX];

	memcpy(copy, x, sizeof(copy));
	memcpy(x, y, sizeof(copy));
	memcpy(y, copy, sizeof(copy));
	((struct ks_head *)y)->ts = ((struct ks_head *)x)->ts;
	((struct ks_head *)x)->ts = ts;
}

static const struct place *other_of_vcpu(const struct place *p)
{
	for (;;) {
		const struct place *q = &places[random_below(place_cnt)];

		if (q != p && vcpu_of(q->r) == vcpu_of(p->r))
			return q;
	}
}

static void test_records(void **state)
{
	unsigned n = mutations() / 5;

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		const struct place *p = &places[random_below(place_cnt)];
		const struct place *q = &places[random_below(place_cnt)];

		fresh();
		switch (i % 4) {
		case 0:
			cut(p);
			break;
		case 1: /* right behind itself */
			paste(p, p->at + KS_RECORD_MAX);
			break;
		case 2: /* anywhere in its stream */
			if (q->stream != p->stream || q->r->ts == p->r->ts) {
				cut(p);
			} else if (q->at > p->at) {
				paste(p, q->at + KS_RECORD_MAX);
				cut(p);
			} else {
				cut(p);
				paste(p, q->at);
			}
			break;
		case 3:
			swap(p, other_of_vcpu(p));
			break;
		}
		run();
		if (!got.noticed)
			fail_msg("mutation %u (kind %u) of record %u of vCPU %u was not noticed", i,
				 i % 4, seq_of(p->r), vcpu_of(p->r));
	}
	print_message("%u records dropped, doubled or moved: all noticed\n", n);
}

/* ---- bits --------------------------------------------------------------------------------- */

enum expect { FREE, VIOLATED, NOTICED, EITHER };

static const struct ks_head *neighbour(int i)
{
	return i < 0 ? NULL : places[i].r;
}

/* Is the vCPU's place known here: did it come in or was it loaded, and nothing unseen was since? */
static bool placed(const struct place *p)
{
	const struct ks_head *b = neighbour(p->before);

	return b && (b->type == KS_IN || b->type == KS_LOAD);
}

static bool next_is(const struct place *p, __u8 a, __u8 b)
{
	const struct ks_head *n = neighbour(p->after);

	return n && (n->type == a || n->type == b);
}

/* A flag at one point of OUT or IN: r->flags[pt]. */
static enum expect expect_flag(const struct place *p, const __u8 *flags, unsigned pt, __u8 flag)
{
	bool out = p->r->type == KS_OUT;
	bool gone = out ? pt != KS_PT_ENTRY : pt == KS_PT_ENTRY; /* from the put to sched_in */

	switch (flag) {
	case KS_F_SCHEDULED_OUT:
		return session.fields & KS_M_SCHEDULED_OUT ? VIOLATED : FREE;
	case KS_F_WANTS_TO_RUN:
		return session.fields & KS_M_WANTS_TO_RUN ? VIOLATED : FREE;
	case KS_F_PREEMPTED:
		if (!gone || out)
			return VIOLATED;
		return neighbour(p->before) && neighbour(p->before)->type == KS_OUT ? VIOLATED
										    : FREE;
	case KS_F_READY:
		return gone && flags[pt] & KS_F_PREEMPTED ? VIOLATED : FREE;
	}
	return FREE;
}

static bool runnable(__u8 task)
{
	return task >= 1 && task <= 3;
}

static enum expect expect_task(const struct ks_out *r, unsigned bit)
{
	bool asked = session.fields & KS_M_SCHEDULED_OUT;
	bool wants = !asked || r->flags[KS_PT_EXIT] & KS_F_WANTS_TO_RUN;

	return wants && runnable(r->task) != runnable(r->task ^ 1 << bit) ? VIOLATED : FREE;
}

#define IS(type, member)                        \
	(at >= offsetof(struct type, member) && \
	 at < offsetof(struct type, member) + sizeof(((struct type *)0)->member))

/* The first record of its type may lack points, which were passed before the hooks were attached;
 * and that one lacks its last point shows when the next of its type begins. */
static bool in_the_middle(const struct place *p, bool last_point)
{
	bool before = false, after = false;

	for (int i = p->before; i >= 0; i = places[i].before)
		before |= places[i].r->type == p->r->type;
	for (int i = p->after; i >= 0; i = places[i].after)
		after |= places[i].r->type == p->r->type;
	return before && (after || !last_point);
}

static enum expect expect_head(const struct place *p, size_t at, unsigned bit)
{
	if (IS(ks_head, type))
		return EITHER;
	if (at == offsetof(struct ks_head, mask) && bit < KS_PT_CNT && p->r->type <= KS_IN &&
	    in_the_middle(p, bit == KS_PT_EXIT))
		return VIOLATED;
	return FREE;
}

static enum expect expect_out(const struct place *p, size_t at, unsigned bit)
{
	const struct ks_out *r = (const void *)p->r;

	if (IS(ks_out, flags))
		return expect_flag(p, r->flags, at - offsetof(struct ks_out, flags), 1 << bit);
	if (IS(ks_out, task))
		return expect_task(r, bit);
	if (IS(ks_out, tid))
		return placed(p) || next_is(p, KS_IN, KS_IN) ? VIOLATED : FREE;
	if (IS(ks_out, cpu))
		return placed(p) ? EITHER : FREE; /* decode.c refuses CPUs beyond its tables */
	return FREE;
}

static enum expect expect_in(const struct place *p, size_t at, unsigned bit)
{
	const struct ks_in *r = (const void *)p->r;

	if (IS(ks_in, flags))
		return expect_flag(p, r->flags, at - offsetof(struct ks_in, flags), 1 << bit);
	if (IS(ks_in, tid))
		return p->before >= 0 || next_is(p, KS_OUT, KS_PUT) ? VIOLATED : FREE;
	if (IS(ks_in, cpu))
		return EITHER;
	if (IS(ks_in, cpu_arg) || IS(ks_in, load_cpu_arg))
		return VIOLATED;
	return FREE;
}

static enum expect expect_loads(const struct ks_loads *r, size_t at, unsigned bit)
{
	if (!(IS(ks_loads, load_flags) || IS(ks_loads, put_flags)) || !(r->loads | r->puts))
		return FREE;
	if (1 << bit == KS_F_SCHEDULED_OUT)
		return session.fields & KS_M_SCHEDULED_OUT ? VIOLATED : FREE;
	return 1 << bit == KS_F_PREEMPTED ? VIOLATED : FREE;
}

static enum expect expect_load(const struct place *p, size_t at, unsigned bit)
{
	bool load = p->r->type == KS_LOAD;

	if (IS(ks_load, flags) && 1 << bit == KS_F_PREEMPTED)
		return VIOLATED;
	if (IS(ks_load, flags) && 1 << bit == KS_F_SCHEDULED_OUT)
		return session.fields & KS_M_SCHEDULED_OUT ? VIOLATED : FREE;
	if (IS(ks_load, flags) && 1 << bit == KS_F_WANTS_TO_RUN)
		return session.fields & KS_M_WANTS_TO_RUN ? VIOLATED : FREE;
	if (IS(ks_load, cpu))
		return load || placed(p) ? VIOLATED : FREE;
	if (IS(ks_load, tid))
		return (load ? next_is(p, KS_OUT, KS_PUT) : placed(p)) ? VIOLATED : FREE;
	return load && IS(ks_load, cpu_arg) ? VIOLATED : FREE;
}

static enum expect expect(const struct place *p, size_t at, unsigned bit)
{
	if (IS(ks_out, vcpu) || IS(ks_out, seq)) /* at the same place in all */
		return NOTICED;
	if (at < sizeof(struct ks_head))
		return expect_head(p, at, bit);
	switch (p->r->type) {
	case KS_OUT:
		return expect_out(p, at, bit);
	case KS_IN:
		return expect_in(p, at, bit);
	case KS_LOADS:
		return expect_loads((const void *)p->r, at, bit);
	default:
		return expect_load(p, at, bit);
	}
}

/* By field of each type: flips, and what became of them. */
static struct tally {
	unsigned flips, violated, noticed, wanted, held;
} tally[KS_VCPU][FIELDS_MAX];

static const struct tsdl_event *layout(__u8 type)
{
	for (unsigned i = 0; i < tsdl_event_cnt; i++)
		if (tsdl_events[i].id == type)
			return &tsdl_events[i];
	abort();
}

static unsigned field_at(__u8 type, size_t at)
{
	const struct tsdl_field *f = layout(type)->field;
	unsigned found = 0;

	for (unsigned i = 0; f[i].name; i++)
		if (f[i].offset <= at)
			found = i + 1;
	return found; /* 0: the head */
}

static bool as_wanted(enum expect want)
{
	return want == VIOLATED	 ? got.violations > 0
	       : want == NOTICED ? got.noticed > 0
				 : got.violations + got.noticed > 0;
}

static void test_bits(void **state)
{
	unsigned n = mutations() - mutations() / 5, missed = 0;

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		const struct place *p = &places[random_below(place_cnt)];
		size_t at = random_below(KS_RECORD_MAX);
		unsigned bit = random_below(8), f = field_at(p->r->type, at);
		enum expect want = expect(p, at, bit);
		struct tally *t = &tally[p->r->type][f < FIELDS_MAX ? f : 0];

		fresh();
		now[p->stream].data[p->at + at] ^= 1 << bit;
		run();
		t->flips++;
		t->violated += got.violations > 0;
		t->noticed += got.noticed > 0;
		if (want == FREE)
			continue;
		t->wanted++;
		t->held += as_wanted(want);
		if (!as_wanted(want)) {
			print_error("flip %u: bit %u of byte %zu (%s) of record %u of vCPU %u\n", i,
				    bit, at, f ? layout(p->r->type)->field[f - 1].name : "head",
				    seq_of(p->r), vcpu_of(p->r));
			missed++;
		}
	}
	for (__u8 type = KS_OUT; type < KS_LOAD + 2; type++)
		for (unsigned f = 0; f < FIELDS_MAX; f++) {
			const struct tally *t = &tally[type][f];

			if (t->flips)
				print_message(
					"%-6s %-14s %4u flips: %4u had to be found, %4u were; "
					"violated %4u, noticed %4u\n",
					layout(type)->name,
					f ? layout(type)->field[f - 1].name : "(head)", t->flips,
					t->wanted, t->held, t->violated, t->noticed);
		}
	assert_int_equal(missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_bits),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
