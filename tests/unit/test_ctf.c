// SPDX-License-Identifier: BSD-2-Clause
/*
 * The recording on disk: what is written is read back, and what is damaged is never taken for
 * whole. Dying recorders and full disks are in test_ctf_instant.c, other CTF readers in
 * test_ctf_babeltrace.c.
 *
 * Sources it needs: user/ctf_*.c user/session.c (not user/err.c: ctf_synth.h has one that keeps
 * quiet).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctf_dir.h"
#include "ctf_packet.h"
#include "ctf_reader.h"

#define CTF_SEED 42
#include "ctf_scene.h"

/* Reads one stream from where it is and compares it with the end of what was made. Returns bytes.
 */
static size_t compare_stream(struct ctf_reader *r, unsigned stream, size_t offset)
{
	const struct synth_stream *st = &made.stream[stream];
	struct ctf_chunk c;
	size_t at = offset;

	while (ctf_reader__next(r, stream, &c) == 1) {
		assert_int_equal(c.stream, stream);
		assert_true(c.bytes && at + c.bytes <= st->bytes);
		assert_memory_equal(c.data, st->data + at, c.bytes);
		assert_true(((const struct ks_head *)c.data)->ts >= c.ts_begin);
		assert_true(((const struct ks_head *)c.data)->ts <= c.ts_end);
		at += c.bytes;
	}
	return at - offset;
}

static size_t read_all(struct ctf_reader *r)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < ctf_reader__streams(r); i++)
		bytes += compare_stream(r, i, 0);
	return bytes;
}

static struct ctf_reader *opened(struct session *s)
{
	struct ctf_reader *r = NULL;

	assert_int_equal(ctf_reader__open(&r, path, s), 0);
	return r;
}

/* How the recording presents itself when all of it is read; no assertion about what is in it. */
static int is_shown_as_whole(void)
{
	struct ctf_reader *r = NULL;
	struct ctf_chunk c;
	struct session s;
	int whole;

	if (ctf_reader__open(&r, path, &s))
		return 0;
	for (unsigned i = 0; i < ctf_reader__streams(r); i++) {
		while (ctf_reader__next(r, i, &c) == 1)
			;
	}
	whole = !ctf_reader__damaged(r);
	ctf_reader__free(r);
	return whole;
}

/* ---- whole recordings --------------------------------------------------------------------- */

static void test_table_covers_wire(void **state)
{
	unsigned types = 0;

	(void)state;
	for (unsigned i = 0; i < tsdl_event_cnt; i++) {
		const struct tsdl_event *e = &tsdl_events[i];
		unsigned at = TSDL_HEADER_BYTES;

		for (const struct tsdl_field *f = e->field; f->name; f++) {
			assert_int_equal(f->offset, at);
			assert_true(f->size <= 8 && !(f->size & (f->size - 1)));
			at += f->size * (f->count ? f->count : 1);
			assert_true(f->kind != 'e' || f->size == 1);
		}
		assert_int_equal(at, e->size);
		assert_int_equal(at, record__size(e->id));
		assert_int_equal(at % 8, 0);
	}
	for (unsigned t = 0; t < 256; t++)
		types += record__size(t) != 0;
	assert_int_equal(types, tsdl_event_cnt);
}

static void test_round_trip(void **state)
{
	struct ctf_reader *r;
	struct session s;

	(void)state;
	assert_int_equal(synth_recording(&made, path, 3, 40, 3000), 0);
	assert_true(made.stream[0].bytes > 2 * CTF_PACKET_MIN);
	r = opened(&s);
	assert_int_equal(ctf_reader__streams(r), 4);
	assert_int_equal(ctf_reader__clean(r), 1);
	assert_int_equal(read_all(r), made_bytes());
	ctf_reader__rewind(r);
	assert_int_equal(read_all(r), made_bytes());
	assert_int_equal(ctf_reader__damaged(r), 0);
	assert_int_equal(ctf_reader__discarded(r, 0), 0);
	assert_string_equal(listen_said(), "");
	ctf_reader__free(r);
}

/* One batch that is longer than the longest packet. */
/* A host with more CPUs than this shell allows open files. */
static void test_few_files(void **state)
{
	struct rlimit before, few;
	int low = open("/dev/null", O_RDONLY), err;

	(void)state;
	assert_true(low >= 0);
	close(low);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = low + 4;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	err = synth_recording(&made, path, SYNTH_CPUS_MAX, 20, 100);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(err, 0);
}

static void test_huge_batch(void **state)
{
	struct session s = synth_session(1);
	struct ctf_writer *w;
	struct ctf_reader *r;
	struct synth_batch b;

	(void)state;
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	b = synth_batch(&made, 0, 200000);
	assert_true(b.bytes > 2 * CTF_PACKET_MAX);
	assert_int_equal(synth_append(&made, w, 0, &b), 0);
	assert_int_equal(ctf_writer__records(w), 200000);
	assert_true(ctf_writer__bytes(w) > b.bytes && ctf_writer__bytes(w) < b.bytes + 20000);
	s.end_ns = b.last_ts;
	assert_int_equal(ctf_writer__close(w, &s), 0);
	ctf_writer__free(w);
	r = opened(&s);
	assert_int_equal(read_all(r), b.bytes);
	assert_int_equal(ctf_reader__damaged(r), 0);
	ctf_reader__free(r);
}

static void test_empty_recording(void **state)
{
	struct ctf_reader *r;
	struct session s;

	(void)state;
	assert_int_equal(synth_recording(&made, path, 2, 0, 1), 0);
	r = opened(&s);
	assert_int_equal(read_all(r), 0);
	assert_int_equal(ctf_reader__damaged(r), 0);
	ctf_reader__free(r);
}

static void test_session_survives(void **state)
{
	struct session s = synth_session(4), got;
	struct ctf_writer *w;

	(void)state;
	strcpy(s.host, "\"quo\\ted\"\n/* no comment */ // nor this");
	memset(s.filter, 0xc3, sizeof(s.filter) - 1);
	s.wall_start_ns = -1999999999LL;
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	memset(s.filter + 10, 0, sizeof(s.filter) - 10); /* the final metadata is shorter */
	s.end_ns = SYNTH_START_NS + 5;
	s.wall_end_ns = -7;
	s.untracked = 3;
	assert_int_equal(ctf_writer__close(w, &s), 0);
	ctf_writer__free(w);
	memset(&got, 0, sizeof(got));
	ctf_reader__free(opened(&got));
	assert_string_equal(got.host, s.host);
	assert_string_equal(got.release, s.release);
	assert_string_equal(got.arch, s.arch);
	assert_string_equal(got.filter, s.filter);
	assert_int_equal(got.mode, s.mode);
	assert_int_equal(got.loads, s.loads);
	assert_int_equal(got.fields, s.fields);
	assert_int_equal(got.cpus, s.cpus);
	assert_true(got.start_ns == s.start_ns && got.end_ns == s.end_ns);
	assert_true(got.wall_start_ns == s.wall_start_ns && got.wall_end_ns == s.wall_end_ns);
	assert_int_equal(got.untracked, 3);
}

/* Reading from a time on leaves out no record at or after it, and not everything before it stays.
 */
static void test_seek(void **state)
{
	struct ctf_reader *r;
	struct session s;

	(void)state;
	assert_int_equal(synth_recording(&made, path, 1, 100, 3000), 0);
	r = opened(&s);
	for (unsigned step = 0; step <= 20; step++) {
		const struct synth_stream *st = &made.stream[0];
		const __u64 from = SYNTH_START_NS + st->ts * step / 20;
		size_t skipped = 0, rest;
		struct ctf_chunk c;

		ctf_reader__seek(r, from);
		for (rest = 0; ctf_reader__next(r, 0, &c) == 1; rest += c.bytes)
			;
		assert_true(rest && rest <= st->bytes);
		while (skipped < st->bytes - rest) {
			const struct ks_head *h = (void *)(st->data + skipped);

			assert_true(h->ts < from);
			skipped += record__size(h->type);
		}
		assert_int_equal(skipped, st->bytes - rest);
		if (step > 15)
			assert_true(skipped > 0);
	}
	ctf_reader__seek(r, SYNTH_START_NS + made.stream[0].ts + 1);
	assert_int_equal(ctf_reader__next(r, 0, &(struct ctf_chunk){}), 0);
	ctf_reader__free(r);
}

/* Losses, also of streams that never had a record and of those whose records come later. */
static void test_discarded(void **state)
{
	struct session s = synth_session(2);
	__u64 lost[3] = {0, 5, 0};
	struct synth_batch b = {};
	struct ctf_writer *w;
	struct ctf_reader *r;

	(void)state;
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	assert_int_equal(ctf_writer__commit(w, lost, SYNTH_START_NS + 1000000), 0);
	for (unsigned i = 0; i < 300; i++) {
		b = synth_batch(&made, i % 2, 50);
		assert_int_equal(synth_append(&made, w, i % 2, &b), 0);
		lost[i % 2] += i % 3;
		/* later than the records to come: must not make the next packet begin before it */
		assert_int_equal(ctf_writer__commit(w, lost, b.last_ts + 1000000), 0);
	}
	s.end_ns = b.last_ts + 1000000;
	assert_int_equal(ctf_writer__close(w, &s), 0);
	ctf_writer__free(w);
	r = opened(&s);
	assert_int_equal(read_all(r), made_bytes());
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ctf_reader__discarded(r, i), lost[i]);
	assert_int_equal(ctf_reader__damaged(r), 0);
	ctf_reader__free(r);
}

static void test_bad_batches(void **state)
{
	const __u64 none[2] = {};
	struct session s = synth_session(1);
	struct synth_batch b, bad;
	struct ctf_writer *w;
	struct ctf_reader *r;

	(void)state;
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	b = synth_batch(&made, 0, 1000);
	assert_int_equal(synth_append(&made, w, 0, &b), 0);
	assert_int_equal(synth_append(&made, w, 0, &b), -EINVAL); /* goes back */
	assert_int_equal(synth_append(&made, w, 2, &b), -EINVAL); /* no such stream */
	bad = synth_batch(&made, 1, 1000);
	bad.bytes -= 4;
	assert_int_equal(synth_append(&made, w, 1, &bad), -EINVAL);
	assert_int_equal(ctf_writer__commit(w, none, b.last_ts), 0);
	assert_int_equal(ctf_writer__records(w), 1000);
	ctf_writer__free(w);
	r = opened(&s);
	assert_int_equal(compare_stream(r, 0, 0), b.bytes);
	assert_int_equal(ctf_reader__discarded(r, 0), 1000);
	assert_int_equal(ctf_reader__discarded(r, 1), 1000);
	ctf_reader__free(r);
}

static void test_full(void **state)
{
	const struct ctf_writer_opts o = {.max_bytes = 100000};
	struct session s = synth_session(1);
	struct ctf_writer *w;
	struct synth_batch b;

	(void)state;
	assert_int_equal(ctf_writer__new(&w, path, &s, &o), 0);
	for (unsigned i = 0; !ctf_writer__full(w); i++) {
		assert_true(i < 100000 / 24);
		b = synth_batch(&made, 0, 1);
		assert_int_equal(synth_append(&made, w, 0, &b), 0);
	}
	assert_true(ctf_writer__bytes(w) < 100000 + RECORD_MAX);
	b = synth_batch(&made, 0, 10000); /* the caller's rings may still hold something */
	assert_int_equal(synth_append(&made, w, 0, &b), 0);
	ctf_writer__free(w);
	assert_int_equal(is_shown_as_whole(), 1);
}

/* ---- recordings without an end ------------------------------------------------------------ */

static void test_window_without_end(void **state)
{
	const __u64 none[2] = {};
	struct session s = synth_session(1), got;
	char progress[CTF_PATH + 16];
	struct ctf_reader *r;
	struct ctf_writer *w;
	struct synth_batch b;

	(void)state;
	snprintf(progress, sizeof(progress), "%s/%s", path, CTF_PROGRESS_NAME);
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	ctf_reader__free(opened(&got));
	assert_true(got.end_ns == SYNTH_START_NS);
	b = synth_batch(&made, 1, 500);
	assert_int_equal(synth_append(&made, w, 1, &b), 0);
	ctf_reader__free(opened(&got));
	assert_true(got.end_ns == b.last_ts);
	assert_int_equal(ctf_writer__commit(w, none, b.last_ts + 99), 0);
	ctf_writer__free(w);

	r = opened(&got);
	assert_int_equal(ctf_reader__clean(r), 0);
	assert_int_equal(read_all(r), b.bytes);
	assert_int_equal(ctf_reader__damaged(r), 0);
	assert_true(got.end_ns == b.last_ts + 99);
	assert_true(got.wall_end_ns == got.wall_start_ns);
	ctf_reader__free(r);

	assert_int_equal(truncate(progress, 23), 0);
	ctf_reader__free(opened(&got));
	assert_true(got.end_ns == b.last_ts);
	assert_int_equal(unlink(progress), 0);
	ctf_reader__free(opened(&got));
	assert_true(got.end_ns == b.last_ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table_covers_wire, fresh, done),
		cmocka_unit_test_setup_teardown(test_round_trip, fresh, done),
		cmocka_unit_test_setup_teardown(test_few_files, fresh, done),
		cmocka_unit_test_setup_teardown(test_huge_batch, fresh, done),
		cmocka_unit_test_setup_teardown(test_empty_recording, fresh, done),
		cmocka_unit_test_setup_teardown(test_session_survives, fresh, done),
		cmocka_unit_test_setup_teardown(test_seek, fresh, done),
		cmocka_unit_test_setup_teardown(test_discarded, fresh, done),
		cmocka_unit_test_setup_teardown(test_bad_batches, fresh, done),
		cmocka_unit_test_setup_teardown(test_full, fresh, done),
		cmocka_unit_test_setup_teardown(test_window_without_end, fresh, done),
	};
	int failed;

	scene_begin();
	failed = cmocka_run_group_tests_name("ctf", tests, NULL, NULL);
	scene_end();
	return failed;
}
