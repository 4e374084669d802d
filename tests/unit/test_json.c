// SPDX-License-Identifier: BSD-2-Clause
/* What the JSON writer writes, byte for byte, and which errors it keeps. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "json.h"
#include "skip.h"

static char *text;
static size_t text_len;
static FILE *stream;

static struct json *start(unsigned flags)
{
	stream = open_memstream(&text, &text_len);
	return json__new(stream, flags);
}

static void check(struct json *j, int want_err, const char *want)
{
	assert_int_equal(json__close(j), want_err);
	fclose(stream);
	if (want)
		assert_string_equal(text, want);
	free(text);
}

static void fill(struct json *j)
{
	json__object(j);
	json__key_u64(j, "schema", 1);
	json__key_str(j, "vm", "a\"b");
	json__key_array(j, "vcpus");
	json__u64(j, 0);
	json__s64(j, -1);
	json__null(j);
	json__object(j);
	json__end_object(j);
	json__end_array(j);
	json__key_bool(j, "full", true);
	json__key_s64(j, "wall_ns", INT64_MIN);
	json__key_object(j, "empty");
	json__end_object(j);
	json__end_object(j);
}

static void compact(void **state)
{
	struct json *j = start(0);

	(void)state;
	fill(j);
	check(j, 0,
	      "{\"schema\":1,\"vm\":\"a\\\"b\",\"vcpus\":[0,-1,null,{}],\"full\":true,"
	      "\"wall_ns\":-9223372036854775808,\"empty\":{}}\n");
}

static void pretty(void **state)
{
	struct json *j = start(JSON_PRETTY);

	(void)state;
	json__object(j);
	json__key_u64(j, "schema", 1);
	json__key_array(j, "vcpus");
	json__u64(j, 2);
	json__end_array(j);
	json__end_object(j);
	check(j, 0, "{\n  \"schema\": 1,\n  \"vcpus\": [\n    2\n  ]\n}\n");
}

static void lines(void **state)
{
	struct json *j = start(0);

	(void)state;
	for (int i = 0; i < 3; i++) {
		json__object(j);
		json__key_u64(j, "n", i);
		json__end_object(j);
		json__line(j);
	}
	check(j, 0, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
	check(start(0), 0, ""); /* no line at all is NDJSON, too */
}

static void full_range(void **state)
{
	struct json *j = start(0);

	(void)state;
	json__array(j);
	json__u64(j, ~0ULL);
	json__u64(j, 1ULL << 63);
	json__s64(j, INT64_MAX);
	json__end_array(j);
	check(j, 0, "[18446744073709551615,9223372036854775808,9223372036854775807]\n");
}

static void hostile_strings(void **state)
{
	struct json *j = start(0);

	(void)state;
	json__object(j);
	json__key_str(j, "a\nb\xff", "\033\x01\\\xc3\xbc\xff\xc3");
	json__key_str(j, "none", NULL);
	json__key(j, "nul");
	json__mem(j, "a\0b", 3);
	json__key_str(j, "html", "</script>");
	json__end_object(j);
	check(j, 0,
	      "{\"a\\nb\xef\xbf\xbd\":\"\\u001B\\u0001\\\\\xc3\xbc\xef\xbf\xbd\xef\xbf\xbd\","
	      "\"none\":null,\"nul\":\"a\\u0000b\",\"html\":\"</script>\"}\n");
}

static void inside_html(void **state)
{
	struct json *j = start(JSON_IN_HTML);

	(void)state;
	json__array(j);
	json__str(j, "</script><!-- & ");
	json__str(j, "<");
	json__end_array(j);
	check(j, 0, "[\"\\u003c/script\\u003e\\u003c!-- \\u0026 \",\"\\u003c\"]\n");
}

static void unfinished(void **state)
{
	struct json *j = start(0);

	(void)state;
	json__object(j);
	check(j, -EINVAL, NULL);
}

static void misuse(void **state)
{
	struct json *j = start(0);

	(void)state;
	json__object(j);
	json__u64(j, 1); /* a value without its key */
	assert_int_equal(json__error(j), -EINVAL);
	json__end_object(j);
	check(j, -EINVAL, NULL);

	j = start(0);
	json__end_array(j);
	check(j, -EINVAL, NULL);

	j = start(0);
	json__line(j);
	check(j, -EINVAL, NULL);

	j = start(0);
	json__null(j);
	json__null(j); /* two documents on one line */
	check(j, -EINVAL, NULL);
}

static void without_memory(void **state)
{
	(void)state;
	fill(NULL);
	json__line(NULL);
	assert_int_equal(json__error(NULL), -ENOMEM);
	assert_int_equal(json__close(NULL), -ENOMEM);
}

static void a_full_disk(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	struct json *j;

	(void)state;
	if (!f)
		skip_test("no /dev/full");
	j = json__new(f, 0); /* all of it fits into stdio's buffer: only the flush fails */
	fill(j);
	assert_int_equal(json__error(j), 0);
	assert_int_equal(json__close(j), -ENOSPC);
	fclose(f);
}

static void a_closed_pipe(void **state)
{
	struct json *j;
	int fds[2], lines = 0;
	FILE *f;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	f = fdopen(fds[1], "w");
	j = json__new(f, 0);
	for (; !json__error(j) && lines < 100000; lines++) {
		fill(j);
		json__line(j);
	}
	assert_true(lines < 100000);
	assert_int_equal(json__error(j), -EPIPE);
	assert_int_equal(json__close(j), -EPIPE);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact),	   cmocka_unit_test(pretty),
		cmocka_unit_test(lines),	   cmocka_unit_test(full_range),
		cmocka_unit_test(hostile_strings), cmocka_unit_test(inside_html),
		cmocka_unit_test(unfinished),	   cmocka_unit_test(misuse),
		cmocka_unit_test(without_memory),  cmocka_unit_test(a_full_disk),
		cmocka_unit_test(a_closed_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
