// SPDX-License-Identifier: BSD-2-Clause
/*
 * kvmsched info, called as main() does it: on made-up recordings, whole, unended, damaged and with
 * losses, and on whatever host the test runs on. Its stdout is looked at as text and as JSON.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <locale.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>
#include "ctf_synth.h"
#include "err.h"
#include "ctf_files.h"

int cmd_info(int argc, char **argv);

static char top[64], dir[CTF_PATH];
static char out[1 << 16]; /* what the last run printed */
static struct synth synth;
static unsigned long long records;

/* Runs it with stdout in a file. Returns the exit status. */
static int run(const char *a, const char *b, const char *c)
{
	char *argv[] = {(char *)"info", (char *)a, (char *)b, (char *)c, NULL};
	int argc = a ? b ? c ? 4 : 3 : 2 : 1, saved = dup(STDOUT_FILENO), status;
	int fd = memfd_create("stdout", MFD_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0 && saved >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	status = cmd_info(argc, argv);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	n = pread(fd, out, sizeof(out) - 1, 0);
	assert_true(n >= 0);
	out[n] = '\0';
	close(fd);
	return status;
}

static void says(const char *text)
{
	if (!strstr(out, text))
		fail_msg("no \"%s\" in:\n%s", text, out);
}

static yajl_val parsed(void)
{
	char error[200] = "";
	yajl_val v = yajl_tree_parse(out, error, sizeof(error));

	if (!v)
		fail_msg("%s in:\n%s", error, out);
	return v;
}

static yajl_val at(yajl_val v, const char *key, yajl_type type)
{
	const char *path[] = {key, NULL};
	yajl_val found = yajl_tree_get(v, path, yajl_t_any);

	if (!found || (type != yajl_t_any && found->type != type))
		fail_msg("%s: missing or of another type in:\n%s", key, out);
	return found;
}

static long long number(yajl_val v, const char *key)
{
	yajl_val n = at(v, key, yajl_t_number);

	assert_true(YAJL_IS_INTEGER(n));
	return YAJL_GET_INTEGER(n);
}

static const char *text(yajl_val v, const char *key)
{
	return YAJL_GET_STRING(at(v, key, yajl_t_string));
}

static bool is_true(yajl_val v, const char *key)
{
	return YAJL_IS_TRUE(at(v, key, yajl_t_any));
}

static int setup(void **state)
{
	(void)state;
	synth = (struct synth){.state = 7};
	files_scratch(top, sizeof(top), dir);
	assert_int_equal(synth_recording(&synth, dir, 3, 20, 50), 0);
	records = 0;
	for (unsigned i = 0; i <= 3; i++)
		records += synth.stream[i].count;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	synth_free(&synth);
	files_remove(dir);
	files_remove(top);
	return 0;
}

static void whole(void **state)
{
	char line[100];

	(void)state;
	assert_int_equal(run("-i", dir, NULL), EXIT_FINE);
	says("This recording is whole.\n");
	says("testhost\n");
	says("6.12.0-test\n");
	says("full, with a record for each load and put\n");
	says("kvm_arch_vcpu_put   begin and end\n");
	says("--vm \"a*\"\n");
	says("scheduled_out  yes");
	says("wants_to_run   no ");
	says("2023-11-14T22:13:21.123456+00:00\n");
	snprintf(line, sizeof(line), "%llu     0\n", records);
	says("\ndescriptors");
	says(line); /* the row of sums */
}

static void whole_json(void **state)
{
	yajl_val v, streams;

	(void)state;
	assert_int_equal(run("-i", dir, "--json"), EXIT_FINE);
	v = parsed();
	assert_int_equal(number(v, "schema"), 1);
	assert_string_equal(text(v, "what"), "recording");
	assert_string_equal(text(v, "path"), dir);
	assert_string_equal(text(v, "mode"), "full");
	assert_string_equal(text(v, "filter"), "--vm \"a*\"");
	assert_true(is_true(v, "clean"));
	assert_true(is_true(v, "loads"));
	assert_int_equal(number(v, "damaged"), 0);
	assert_int_equal(number(v, "events"), records);
	assert_int_equal(number(v, "lost"), 0);
	assert_int_equal(number(v, "start_ns"), SYNTH_START_NS);
	assert_true(number(v, "wall_start_ns") == SYNTH_WALL_NS + (long long)SYNTH_START_NS);
	assert_int_equal(number(v, "wall_end_ns"), SYNTH_WALL_NS + 1 + number(v, "end_ns"));
	assert_int_equal(number(v, "window_ns"), number(v, "end_ns") - number(v, "start_ns"));
	assert_true(number(v, "disk_bytes") > 0);
	assert_int_equal(at(v, "hooks", yajl_t_array)->u.array.len, 4);
	assert_true(is_true(at(v, "fields", yajl_t_object), "scheduled_out"));
	assert_false(is_true(at(v, "fields", yajl_t_object), "quota"));
	streams = at(v, "streams", yajl_t_array);
	assert_int_equal(streams->u.array.len, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(number(streams->u.array.values[i], "events"),
				 synth.stream[i].count);
	assert_int_equal(number(streams->u.array.values[2], "cpu"), 2);
	yajl_tree_free(v);
}

/* A recording like the first, with losses, whose recorder died. */
static void unended(void **state)
{
	struct session s = synth_session(3);
	const __u64 lost[] = {0, 5, 0, 2};
	struct synth_batch b;
	struct ctf_writer *w;
	yajl_val v;

	(void)state;
	files_remove(dir);
	s.mode = MODE_LIGHT;
	s.filter[0] = '\0';
	assert_int_equal(ctf_writer__new(&w, dir, &s, NULL), 0);
	b = synth_batch(&synth, 1, 30);
	assert_int_equal(synth_append(&synth, w, 1, &b), 0);
	assert_int_equal(ctf_writer__commit(w, lost, b.last_ts), 0);
	ctf_writer__free(w);
	assert_int_equal(run("-i", dir, NULL), EXIT_FINE);
	says("not ended");
	says("(as far as it is complete)");
	says("filters       none\n");
	says("hooks         kvm_sched_out       end\n");
	says("              kvm_sched_in        begin\n");
	assert_null(strstr(out, "kvm_arch_vcpu_load"));
	says("CPU 1             30     5\n");
	assert_null(strstr(out, "CPU 0"));
	assert_int_equal(run("-i", dir, "--json"), EXIT_FINE);
	v = parsed();
	assert_false(is_true(v, "clean"));
	assert_int_equal(number(v, "events"), 30);
	assert_int_equal(number(v, "lost"), 7);
	assert_int_equal(number(v, "end_ns"), b.last_ts);
	yajl_tree_free(v);
}

static void damaged(void **state)
{
	char file[CTF_PATH + 20];
	yajl_val v;

	(void)state;
	snprintf(file, sizeof(file), "%s/cpu0001_000000", dir);
	assert_int_equal(truncate(file, 200), 0);
	assert_int_equal(run("-i", dir, NULL), EXIT_ERROR);
	says("damaged");
	assert_int_equal(run("-i", dir, "--json"), EXIT_ERROR);
	v = parsed();
	assert_true(number(v, "damaged") > 0);
	yajl_tree_free(v);
}

static void not_a_recording(void **state)
{
	(void)state;
	assert_int_equal(run("-i", top, NULL), EXIT_ERROR);
	assert_string_equal(out, "");
	assert_string_not_equal(listen_said(), "");
	assert_int_equal(run("-i", "/nonexistent", "--json"), EXIT_ERROR);
	assert_string_equal(out, "");
}

/* Escapes from a hostile recording do not reach the terminal. */
static void hostile(void **state)
{
	struct session s = synth_session(1);
	struct ctf_writer *w;
	yajl_val v;

	(void)state;
	files_remove(dir);
	strcpy(s.host, "\033]0;x\007\n\xff");
	assert_int_equal(ctf_writer__new(&w, dir, &s, NULL), 0);
	s.end_ns = s.start_ns;
	assert_int_equal(ctf_writer__close(w, &s), 0);
	ctf_writer__free(w);
	assert_int_equal(run("-i", dir, NULL), EXIT_FINE);
	assert_null(strchr(out, '\033'));
	assert_int_equal(run("-i", dir, "--json"), EXIT_FINE);
	v = parsed();
	assert_string_equal(text(v, "host"), "\033]0;x\007\n\xef\xbf\xbd");
	yajl_tree_free(v);
}

static void this_host(void **state)
{
	yajl_val v;
	int status;

	(void)state;
	status = run(NULL, NULL, NULL);
	assert_true(status == EXIT_FINE || status == EXIT_ERROR);
	says(status == EXIT_FINE ? "This host can be traced.\n"
				 : "This host cannot be traced:\n  ");
	says("\nkernel  ");
	says("\npermissions  ");
	assert_int_equal(run("--json", NULL, NULL), status);
	v = parsed();
	assert_int_equal(number(v, "schema"), 1);
	assert_string_equal(text(v, "what"), "host");
	assert_int_equal(is_true(v, "usable"), status == EXIT_FINE);
	assert_int_equal(at(v, "advice", yajl_t_array)->u.array.len == 0, status == EXIT_FINE);
	at(v, "permissions", yajl_t_object);
	yajl_tree_free(v);
}

static void bad_btf(void **state)
{
	yajl_val v;

	(void)state;
	assert_int_equal(run("--json", "--btf", "/dev/null"), EXIT_ERROR);
	v = parsed();
	assert_string_equal(text(at(v, "btf", yajl_t_object), "path"), "/dev/null");
	assert_false(is_true(at(v, "btf", yajl_t_object), "file"));
	assert_true(at(v, "advice", yajl_t_array)->u.array.len > 0);
	yajl_tree_free(v);
}

static void full_disk(void **state)
{
	char *argv[] = {(char *)"info", (char *)"-i", dir, NULL};
	int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY), status;

	(void)state;
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	status = cmd_info(3, argv);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(full);
	clearerr(stdout);
	assert_int_equal(status, EXIT_ERROR);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(whole),	 TEST(whole_json),	TEST(unended),
		TEST(damaged),	 TEST(not_a_recording), TEST(hostile),
		TEST(this_host), TEST(bad_btf),		TEST(full_disk),
	};

	int failed;

	setenv("TZ", "UTC", 1);
	setlocale(LC_ALL, "C");
	listen_begin();
	failed = cmocka_run_group_tests_name("info", tests, NULL, NULL);
	listen_end();
	return failed;
}
