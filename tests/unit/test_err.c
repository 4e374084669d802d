// SPDX-License-Identifier: BSD-2-Clause
/* Messages: what is said, and that nothing in them acts on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "err.h"

static char said[2048];
static int ends[2], before;

static void listen_(void)
{
	assert_int_equal(pipe(ends), 0);
	before = dup(STDERR_FILENO);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
}

static void stop_listening(void)
{
	ssize_t n;

	dup2(before, STDERR_FILENO);
	close(before);
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	close(ends[0]);
}

static void test_message(void **state)
{
	int err;

	(void)state;
	err__set_command("record");
	listen_();
	err = err__say(ENOENT, "%s: cannot open", "x");
	stop_listening();
	assert_int_equal(err, -ENOENT);
	assert_string_equal(said, "kvmsched record: x: cannot open: No such file or directory\n");
}

static void test_names_are_tamed(void **state)
{
	(void)state;
	listen_();
	err__note("%s", "a\x1b]0;t\x07 b\nkvmsched: c\x7f \xc2\x9b"
			"31m d\r \xc3\xa9 \xe2\x82\xac \xc2");
	stop_listening();
	assert_string_equal(said, "kvmsched record: a?]0;t? b?kvmsched: c? ??31m d? \xc3\xa9 "
				  "\xe2\x82\xac \xc2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_names_are_tamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
