// SPDX-License-Identifier: BSD-2-Clause
/*
 * Recordings that are not as they were written, and directories that are none: each is refused with
 * a message that says what it is, or read as far as it goes and never shown as the whole; and
 * nothing but a recording is ever replaced.
 *
 * Sources it needs: user/ctf_*.c user/session.c (not user/err.c: ctf_synth.h has one that keeps
 * quiet).
 */
#define _GNU_SOURCE 1 /* memmem, asprintf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "ctf_dir.h"
#include "ctf_packet.h"
#include "ctf_reader.h"

#define CTF_SEED 4711
#include "ctf_scene.h"

/* A small recording: 2 CPUs, two packets with records on each stream. */
static void make_small(void)
{
	assert_int_equal(synth_recording(&made, path, 2, 20, 100), 0);
	assert_int_equal(access(in("meta_000002"), F_OK), 0);
}

/* Reads all there is; what comes must be a part of what was made. Returns the bytes, or -errno. */
static long read_what_is_there(unsigned *damaged)
{
	struct ctf_reader *r = NULL;
	struct ctf_chunk c;
	struct session s;
	long bytes = 0;
	int err = ctf_reader__open(&r, path, &s);

	if (err)
		return err;
	for (unsigned i = 0; i < ctf_reader__streams(r); i++) {
		const struct synth_stream *st = &made.stream[i];

		while ((err = ctf_reader__next(r, i, &c)) == 1) {
			assert_non_null(memmem(st->data, st->bytes, c.data, c.bytes));
			bytes += c.bytes;
		}
		assert_int_equal(err, 0);
	}
	*damaged = ctf_reader__damaged(r);
	ctf_reader__free(r);
	return bytes;
}

static void assert_refused(int err, const char *message)
{
	unsigned damaged;

	assert_int_equal(read_what_is_there(&damaged), err);
	if (!strstr(listen_said(), message))
		fail_msg("\"%s\" does not say \"%s\"", listen_said(), message);
}

static void assert_damaged(const char *message)
{
	unsigned damaged;

	assert_true(read_what_is_there(&damaged) < (long)made_bytes() && damaged);
	if (!strstr(listen_said(), message))
		fail_msg("\"%s\" does not say \"%s\"", listen_said(), message);
}

/* ---- not a recording ---------------------------------------------------------------------- */

/* Replaces the first `from` in the metadata. */
static void edit_metadata(const char *from, const char *to)
{
	size_t bytes;
	char *old = files_load(in("metadata"), &bytes), *at = strstr(old, from), *new = NULL;

	assert_non_null(at);
	assert_true(asprintf(&new, "%.*s%s%s", (int)(at - old), old, to, at + strlen(from)) > 0);
	files_store(in("metadata"), new, strlen(new));
	free(new);
	free(old);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_refused(-ENOENT, path);
	files_store(path, "x", 1);
	assert_refused(-ENOTDIR, path);
	unlink(path);
	assert_int_equal(mkdir(path, 0777), 0);
	assert_refused(-ENOENT, "not a recording, it has no metadata");
	files_store(in("metadata"), "", 0);
	assert_refused(-EINVAL, "not the metadata of a kvmsched recording");
	files_store(in("metadata"), "/* CTF 1.8 */ env { tracer_name = \"lttng\"; };", 44);
	assert_refused(-EINVAL, "not the metadata of a kvmsched recording");
}

static void test_metadata_edits(void **state)
{
	static const struct {
		const char *from, *to;
		int err;
		const char *message;
	} edit[] = {
		{"wire_version = 1", "wire_version = 2", -EPROTONOSUPPORT,
		 "newer kvmsched (wire version 2"},
		{"wire_version = 1", "wire_version = 0", -EBADMSG, "wire_version"},
		{"byte_order = ", "byte_order = x", -EPROTONOSUPPORT, "other byte order"},
		{"/* kvmsched: end", "/* kvmsched: the end", -EBADMSG, "truncated"},
		{"cpus = 2", "cpus = 0", -EBADMSG, "cpus"},
		{"cpus = 2", "cpus = 65537", -EBADMSG, "cpus"},
		{"cpus = 2", "cpus = 99999999999999999999", -EBADMSG, "truncated"},
		{"\tcpus = 2", "\tcpu = 2", -EBADMSG, "cpus"},
		{"\tend_ns = ", "\tend_ns = 1 - ", -EBADMSG, "end_ns"},
		{"end_ns = ", "end_ns = -", -EBADMSG, "end_ns"},
		{"start_ns = 1", "start_ns = 9", -EBADMSG, "end_ns"},
		{"wall_start_ns = 1", "wall_start_ns = 9223372036854775807; was = 1", -EBADMSG,
		 "wall_start_ns"},
		{"mode = \"full\"", "mode = \"fuller\"", -EBADMSG, "mode"},
		{"hostname = \"",
		 "hostname = \"0123456789012345678901234567890123456789012345678901234"
		 "5678901234567890",
		 -EBADMSG, "hostname"},
		{"uuid = \"", "uuid = \"0", -EBADMSG, "uuid"},
		{"\"testhost\"", "\"test\\qhost\"", -EBADMSG, "truncated"},
		{"env {", "env { {", -EINVAL, "not the metadata"},
	};

	(void)state;
	make_small();
	for (unsigned i = 0; i < sizeof(edit) / sizeof(*edit); i++) {
		size_t bytes;
		char *good = files_load(in("metadata"), &bytes);

		edit_metadata(edit[i].from, edit[i].to);
		assert_refused(edit[i].err, edit[i].message);
		files_store(in("metadata"), good, bytes);
		free(good);
	}
}

/* Keys that later versions may add, or that earlier ones did not have, are no reason to refuse. */
static void test_metadata_tolerance(void **state)
{
	unsigned damaged;

	(void)state;
	make_small();
	edit_metadata("\tuntracked = 0;\n", "\tfuture = \"x\";\n\tsooner = -3;\n");
	edit_metadata("\tfilter", "\tfilter_as_it_was");
	assert_int_equal(read_what_is_there(&damaged), made_bytes());
	assert_int_equal(damaged, 0);
}

/* ---- damaged recordings ------------------------------------------------------------------- */

/* Cuts the file at every byte from its end on, and puts it back. */
static void truncate_everywhere(const char *file)
{
	size_t bytes;
	char *good = files_load(file, &bytes);

	for (size_t n = bytes; n-- > 0;) {
		unsigned damaged = 0;

		assert_int_equal(truncate(file, n), 0);
		if (read_what_is_there(&damaged) >= 0 && !damaged)
			fail_msg("%s cut at byte %zu of %zu is shown as the whole", file, n, bytes);
	}
	files_store(file, good, bytes);
	free(good);
}

static void test_truncated_anywhere(void **state)
{
	unsigned damaged;

	(void)state;
	assert_int_equal(synth_recording(&made, path, 1, 5, 10), 0);
	files_each(path, truncate_everywhere);
	assert_int_equal(read_what_is_there(&damaged), made_bytes());
	assert_int_equal(damaged, 0);
}

/* The records before the cut are still read, to the last whole one. */
static void test_truncated_is_readable(void **state)
{
	unsigned damaged;
	long left;

	(void)state;
	make_small();
	assert_int_equal(truncate(in("cpu0001_000001"), 5000), 0);
	left = read_what_is_there(&damaged);
	assert_int_equal(damaged, 2); /* the file, and the sum of all */
	assert_true(left > (long)(made_bytes() - CTF_PACKET_MIN + 5000 - 88 - RECORD_MAX));
	assert_damaged("are missing");
}

static void test_longer_file(void **state)
{
	unsigned damaged;
	size_t bytes;
	char *data;

	(void)state;
	make_small();
	data = files_load(in("cpu0001_000002"), &bytes);
	data[bytes] = 0;
	files_store(in("cpu0001_000002"), data, bytes + 1);
	free(data);
	assert_int_equal(read_what_is_there(&damaged), made_bytes());
	assert_int_equal(damaged, 1);
	assert_non_null(strstr(listen_said(), "longer than its packet"));
}

static void without(const char *file)
{
	char away[CTF_PATH + 16];
	unsigned damaged;

	snprintf(away, sizeof(away), "%s/.away", path);
	assert_int_equal(rename(file, away), 0);
	if (read_what_is_there(&damaged) >= 0 && !damaged)
		fail_msg("the recording without %s is shown as the whole", file);
	assert_int_equal(rename(away, file), 0);
}

static void flip_header_bytes(const char *file)
{
	size_t bytes;
	char *good = files_load(file, &bytes);

	for (unsigned i = 0; !strstr(file, "metadata") && i < sizeof(struct ctf_packet); i++) {
		unsigned damaged;

		files_patch(file, i, &(char){~good[i]}, 1);
		read_what_is_there(&damaged);
		files_patch(file, i, &good[i], 1);
	}
	free(good);
}

static void test_files_missing(void **state)
{
	(void)state;
	make_small();
	files_each(path, without);
}

static void test_header_bytes(void **state)
{
	(void)state;
	make_small();
	files_each(path, flip_header_bytes);
}

static void patch_header(size_t offset, __u64 value, const char *message)
{
	const char *const name = "cpu0000_000001";
	size_t bytes;
	char *good = files_load(in(name), &bytes);

	files_patch(in(name), offset, &value, sizeof(value));
	assert_damaged(message);
	files_store(in(name), good, bytes);
	free(good);
}

#define HEAD(m) offsetof(struct ctf_packet, m)

static void test_header_values(void **state)
{
	(void)state;
	make_small();
	patch_header(HEAD(magic), 1, "are missing"); /* the sum is told last */
	patch_header(HEAD(content_size), 8, "are missing");
	patch_header(HEAD(content_size), ~0ULL, "are missing");
	patch_header(HEAD(content_size), 704 + 8, "are missing");
	patch_header(HEAD(packet_size), 1ULL << 40, "are missing");
	patch_header(HEAD(timestamp_end), 1ULL << 63, "are missing");
	patch_header(HEAD(stream_instance_id), 1, "are missing");
	patch_header(HEAD(packet_seq_num), 2, "are missing");
}

static void test_foreign_and_stray_packets(void **state)
{
	unsigned damaged;
	size_t bytes;
	char *data;

	(void)state;
	make_small();
	data = files_load(in("cpu0001_000002"), &bytes);
	files_store(in("cpu0000_000003"), data, bytes); /* another stream's */
	assert_int_equal(read_what_is_there(&damaged), made_bytes());
	assert_int_equal(damaged, 1);
	assert_non_null(strstr(listen_said(), "belongs to another file"));
	unlink(in("cpu0000_000003"));
	files_store(in("cpu0002_000000"), data, bytes);
	assert_int_equal(read_what_is_there(&damaged), made_bytes());
	assert_int_equal(damaged, 1);
	unlink(in("cpu0002_000000"));
	data[HEAD(uuid)]++;
	files_store(in("cpu0001_000002"), data, bytes); /* another recording's */
	assert_damaged("are missing");
	free(data);
}

/* A type that this version does not know hides the rest of its packet, but not the next packet. */
static void test_unknown_record(void **state)
{
	unsigned damaged;
	long left;

	(void)state;
	make_small();
	files_patch(in("cpu0001_000001"), 88 + 8, &(__u8){99}, 1);
	left = read_what_is_there(&damaged);
	assert_int_equal(damaged, 1);
	assert_true(left < (long)made_bytes() && left > (long)(made_bytes() - CTF_PACKET_MIN));
	assert_damaged("cpu0001_000001: not a record at byte 88");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, fresh, done),
		cmocka_unit_test_setup_teardown(test_metadata_edits, fresh, done),
		cmocka_unit_test_setup_teardown(test_metadata_tolerance, fresh, done),
		cmocka_unit_test_setup_teardown(test_truncated_anywhere, fresh, done),
		cmocka_unit_test_setup_teardown(test_truncated_is_readable, fresh, done),
		cmocka_unit_test_setup_teardown(test_longer_file, fresh, done),
		cmocka_unit_test_setup_teardown(test_files_missing, fresh, done),
		cmocka_unit_test_setup_teardown(test_header_bytes, fresh, done),
		cmocka_unit_test_setup_teardown(test_header_values, fresh, done),
		cmocka_unit_test_setup_teardown(test_foreign_and_stray_packets, fresh, done),
		cmocka_unit_test_setup_teardown(test_unknown_record, fresh, done),
	};
	int failed;

	scene_begin();
	failed = cmocka_run_group_tests_name("ctf_damage", tests, NULL, NULL);
	scene_end();
	return failed;
}
