// SPDX-License-Identifier: BSD-2-Clause
/*
 * A recording in the eyes of another CTF reader: babeltrace2 sees the same events, the same fields
 * with the same values, the right time of day, and how many were lost. Skipped where it is not
 * installed.
 *
 * Sources it needs: user/ctf_*.c user/session.c (not user/err.c: ctf_synth.h has one that keeps
 * quiet).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define CTF_SEED 99
#include "ctf_scene.h"
#include "ctf_babeltrace.h"
#include "skip.h"

static void need_babeltrace(void)
{
	if (!babeltrace_is_there())
		skip_test("no babeltrace2");
}

/* The value of element i of a field, as babeltrace2 prints it; enums without their label. */
static void print_value(char *text, size_t room, const struct tsdl_field *f, const char *record,
			unsigned i)
{
	unsigned long long value = 0;

	memcpy(&value, record + f->offset + i * f->size, f->size);
	if (f->kind == 's')
		snprintf(text, room, "%d", (int)value);
	else
		snprintf(text, room, f->kind == 'x' ? "0x%llX" : "%llu", value);
}

/* What must stand in the line of a record for one of its fields. */
static void print_field(char *text, size_t room, const struct tsdl_field *f, const char *record)
{
	const char *name = f->name + (*f->name == '_');
	char value[32];
	int n;

	print_value(value, sizeof(value), f, record, 0);
	if (f->kind == 't') {
		snprintf(text, room, "%s = \"%s\"", name, record + f->offset);
	} else if (f->kind == 'e') {
		snprintf(text, room, ": container = %s )", value);
	} else if (!f->count) {
		snprintf(text, room, "%s = %s", name, value);
	} else {
		n = snprintf(text, room, "%s = [", name);
		for (unsigned i = 0; i < f->count; i++) {
			print_value(value, sizeof(value), f, record, i);
			n += snprintf(text + n, room - n, "%s [%u] = %s", i ? "," : "", i, value);
		}
	}
}

static void compare_line(const char *line, const struct tsdl_event *e, const char *record)
{
	char expected[512];

	snprintf(expected, sizeof(expected), " testhost %s: { cpu_id = 0 }, ", e->name);
	assert_non_null(strstr(line, expected));
	for (const struct tsdl_field *f = e->field; f->name; f++) {
		print_field(expected, sizeof(expected), f, record);
		if (!strstr(line, expected))
			fail_msg("no \"%s\" in: %s", expected, line);
	}
}

static const struct tsdl_event *event_of(const char *record)
{
	for (unsigned i = 0; i < tsdl_event_cnt; i++) {
		if (tsdl_events[i].id == ((const struct ks_head *)record)->type)
			return &tsdl_events[i];
	}
	fail();
	return NULL;
}

static void test_fields(void **state)
{
	char cmd[256], line[8192], when[64];
	struct session s = synth_session(1);
	struct ctf_writer *w;
	struct synth_batch b;
	size_t at = 0;
	FILE *f;

	(void)state;
	need_babeltrace();
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	b = synth_batch(&made, 0, 2000);
	assert_int_equal(synth_append(&made, w, 0, &b), 0);
	ctf_writer__free(w);
	snprintf(cmd, sizeof(cmd), "ASAN_OPTIONS= LC_ALL=C babeltrace2 --clock-cycles '%s' 2>&1",
		 path);
	f = popen(cmd, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *record = made.stream[0].data + at;

		assert_true(at < made.stream[0].bytes);
		snprintf(when, sizeof(when), "[%020llu]",
			 (unsigned long long)((const struct ks_head *)record)->ts);
		if (strncmp(line, when, strlen(when)))
			fail_msg("not at %s: %s", when, line);
		compare_line(line, event_of(record), record);
		at += record__size(event_of(record)->id);
	}
	assert_int_equal(pclose(f), 0);
	assert_int_equal(at, made.stream[0].bytes);
}

static unsigned long count_lines(const char *how, const char *has)
{
	char cmd[512];
	unsigned long n = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "ASAN_OPTIONS= LC_ALL=C babeltrace2 %s '%s' 2>&1 | grep -c '%s'",
		 how, path, has);
	f = popen(cmd, "r");
	assert_non_null(f);
	if (fscanf(f, "%lu", &n) != 1)
		n = 0;
	pclose(f);
	return n;
}

static void test_counts(void **state)
{
	unsigned long count = 0;

	(void)state;
	need_babeltrace();
	assert_int_equal(synth_recording(&made, path, 3, 30, 500), 0);
	for (unsigned i = 0; i < 4; i++)
		count += made.stream[i].count;
	assert_true(babeltrace_accepts(path, 0, NULL));
	assert_int_equal(count_lines("", " testhost "), count);
}

/* 2023-11-14 22:13:20.123456789 is when the clock stood at 0. */
static void test_time_of_day(void **state)
{
	const struct ks_gone gone = {.h = {.ts = 3600 * 1000000000ULL, .type = KS_GONE}};
	struct session s = synth_session(1);
	struct ctf_writer *w;

	(void)state;
	need_babeltrace();
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	assert_int_equal(ctf_writer__append(w, 1, &gone, sizeof(gone), 1, gone.h.ts, gone.h.ts), 0);
	ctf_writer__free(w);
	assert_int_equal(
		count_lines("--clock-gmt --clock-date", "2023-11-14 23:13:20.123456789.*gone"), 1);
	assert_int_equal(count_lines("", "cpu_id = -1"), 1);
}

/* Each loss is told, with its number: in the first packet, in later ones, and without any record.
 */
static void test_losses(void **state)
{
	struct session s = synth_session(2);
	__u64 lost[3] = {7, 0, 3};
	unsigned long long told;
	struct synth_batch b = {};
	struct ctf_writer *w;

	(void)state;
	need_babeltrace();
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	b = synth_batch(&made, 0, 10);
	assert_int_equal(synth_append(&made, w, 0, &b), 0);
	assert_int_equal(ctf_writer__commit(w, lost, b.last_ts), 0);
	assert_true(babeltrace_accepts(path, 1, &told));
	assert_int_equal(told, 10);
	for (unsigned i = 0; i < 20; i++) {
		b = synth_batch(&made, 1, 500);
		assert_int_equal(synth_append(&made, w, 1, &b), 0);
		lost[1] += i;
		assert_int_equal(ctf_writer__commit(w, lost, b.last_ts + 5000), 0);
	}
	s.end_ns = b.last_ts;
	assert_int_equal(ctf_writer__close(w, &s), 0);
	ctf_writer__free(w);
	assert_true(babeltrace_accepts(path, 1, &told));
	assert_int_equal(told, 10 + 190);
}

static void test_odd_session(void **state)
{
	struct session s = synth_session(1);
	struct ctf_writer *w;

	(void)state;
	need_babeltrace();
	strcpy(s.filter, "--vm \"\\\n*/ \303\274\377\"");
	s.wall_start_ns = -1;
	s.untracked = ~0ULL;
	assert_int_equal(ctf_writer__new(&w, path, &s, NULL), 0);
	ctf_writer__free(w);
	assert_true(babeltrace_accepts(path, 0, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields, fresh, done),
		cmocka_unit_test_setup_teardown(test_counts, fresh, done),
		cmocka_unit_test_setup_teardown(test_time_of_day, fresh, done),
		cmocka_unit_test_setup_teardown(test_losses, fresh, done),
		cmocka_unit_test_setup_teardown(test_odd_session, fresh, done),
	};
	int failed;

	scene_begin();
	failed = cmocka_run_group_tests_name("ctf_babeltrace", tests, NULL, NULL);
	scene_end();
	return failed;
}
