// SPDX-License-Identifier: BSD-2-Clause
/*
 * The recording's directory: what its files are called, and that nothing but a recording is ever
 * replaced.
 *
 * Sources it needs: user/ctf_*.c user/session.c (not user/err.c: ctf_synth.h has one that keeps
 * quiet).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "ctf_dir.h"
#include "ctf_reader.h"

#define CTF_SEED 8
#include "ctf_scene.h"

/* The recording's bytes of records, if nothing is wrong with it. */
static size_t good_bytes(void)
{
	struct ctf_reader *r;
	struct ctf_chunk c;
	struct session s;
	size_t bytes = 0;

	assert_int_equal(ctf_reader__open(&r, path, &s), 0);
	for (unsigned i = 0; i < ctf_reader__streams(r); i++) {
		while (ctf_reader__next(r, i, &c) == 1)
			bytes += c.bytes;
	}
	assert_int_equal(ctf_reader__damaged(r), 0);
	ctf_reader__free(r);
	return bytes;
}

static void test_names(void **state)
{
	static const struct {
		const char *text;
		int is_name;
		struct ctf_name n;
	} name[] = {
		{"cpu0000_000000", 1, {0, 0, 0}},
		{"cpu0017_000123", 1, {0, 17, 123}},
		{"cpu65535_1000000", 1, {0, 65535, 1000000}},
		{"meta_000042", 1, {1, 0, 42}},
		{"metadata", 0, {}},
		{"meta_42", 0, {}},
		{"meta_000042~", 0, {}},
		{"cpu17_000000", 0, {}},
		{"cpu0017_-00001", 0, {}},
		{"cpu0017_000000.bak", 0, {}},
		{"cpu4294967295_000000", 0, {}},
		{".cpu0000_000000", 0, {}},
		{"", 0, {}},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(name) / sizeof(*name); i++) {
		struct ctf_name n = {};
		char text[CTF_NAME_MAX];

		assert_int_equal(ctf_name__parse(name[i].text, &n), name[i].is_name);
		assert_memory_equal(&n, &name[i].n, sizeof(n));
		ctf_name__format(&n, text);
		assert_true(!name[i].is_name || !strcmp(text, name[i].text));
	}
}

static int try_new(int force)
{
	const struct ctf_writer_opts o = {.force = force};
	const struct session s = synth_session(1);
	struct ctf_writer *w = NULL;
	int err = ctf_writer__new(&w, path, &s, &o);

	ctf_writer__free(w);
	return err;
}

static void test_replace(void **state)
{
	struct session s = synth_session(1);
	struct ctf_writer *w;
	size_t bytes;

	(void)state;
	assert_int_equal(synth_recording(&made, path, 2, 20, 100), 0);
	bytes = good_bytes();
	assert_int_equal(try_new(0), -EEXIST);
	assert_non_null(strstr(listen_said(), "--force"));
	assert_int_equal(good_bytes(), bytes);
	assert_int_equal(try_new(1),
			 0); /* leaves one that was not ended, which can be replaced as well */
	assert_int_equal(access(in("cpu0001_000001"), F_OK), -1);
	assert_int_equal(good_bytes(), 0);
	assert_int_equal(try_new(1), 0);
	assert_int_equal(truncate(in("metadata"), 600), 0);
	assert_int_equal(try_new(1), 0);

	assert_int_equal(ctf_writer__new(&w, path, &s, &(struct ctf_writer_opts){.force = 1}), 0);
	assert_int_equal(try_new(1), -EBUSY);
	ctf_writer__free(w);
}

static void test_replaces_nothing_else(void **state)
{
	struct stat st;

	(void)state;
	files_store(path, "precious", 8);
	assert_int_equal(try_new(1), -ENOTDIR);
	unlink(path);
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(try_new(0), -EEXIST);
	files_store(in("notes.txt"), "precious", 8);
	assert_int_equal(try_new(1), -EEXIST);
	assert_non_null(strstr(listen_said(), "notes.txt"));
	assert_int_equal(stat(in("notes.txt"), &st), 0);
	unlink(in("notes.txt"));
	files_store(in("metadata"), "/* CTF 1.8 */ env { tracer_name = \"lttng\"; };", 44);
	files_store(in("cpu0000_000000"), "x", 1);
	assert_int_equal(try_new(1), -EEXIST);
	unlink(in("metadata"));
	assert_int_equal(try_new(1), -EEXIST); /* packets, but of what? */
	assert_int_equal(stat(in("cpu0000_000000"), &st), 0);
	files_remove(path);

	assert_int_equal(synth_recording(&made, path, 2, 20, 100), 0);
	files_store(in(".hidden"), "x", 1);
	assert_int_equal(try_new(1), -EEXIST);
	assert_int_equal(stat(in("cpu0001_000002"), &st), 0);
}

/* Whatever it is called, what is read is not written to. */
static void test_apart(void **state)
{
	char link[CTF_PATH + 8], name[2 * CTF_PATH];

	(void)state;
	assert_int_equal(synth_recording(&made, path, 2, 20, 100), 0);
	snprintf(link, sizeof(link), "%s.link", path);
	unlink(link);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(ctf_dir__apart("-o", path, NULL), 0);
	assert_true(ctf_dir__apart("-o", path, path) < 0);
	assert_non_null(strstr(listen_said(), "is the recording that is read"));
	assert_true(ctf_dir__apart("-o", link, path) < 0);
	assert_true(ctf_dir__apart("-o", path, link) < 0);
	assert_true(ctf_dir__apart("-o", in("metadata"), path) < 0);
	assert_non_null(strstr(listen_said(), "lies in"));
	assert_true(ctf_dir__apart("-o", in("new"), link) < 0);
	assert_int_equal(mkdir(in("below"), 0777), 0);
	assert_true(ctf_dir__apart("-o", in("below/new"), path) < 0);
	rmdir(in("below"));
	snprintf(name, sizeof(name), "%s/../%s/metadata", path, strrchr(path, '/') + 1);
	assert_true(ctf_dir__apart("-o", name, path) < 0);
	snprintf(name, sizeof(name), "%s/../metadata", path);
	assert_int_equal(ctf_dir__apart("-o", name, path), 0);
	snprintf(name, sizeof(name), "%s2", path);
	assert_int_equal(ctf_dir__apart("-o", name, path), 0);
	assert_int_equal(ctf_dir__apart("-o", "/", path), 0);
	assert_int_equal(ctf_dir__apart("-o", "/nonexistent/file", path), 0);
	unlink(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, fresh, done),
		cmocka_unit_test_setup_teardown(test_replace, fresh, done),
		cmocka_unit_test_setup_teardown(test_replaces_nothing_else, fresh, done),
		cmocka_unit_test_setup_teardown(test_apart, fresh, done),
	};
	int failed;

	scene_begin();
	failed = cmocka_run_group_tests_name("ctf_dir", tests, NULL, NULL);
	scene_end();
	return failed;
}
