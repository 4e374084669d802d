// SPDX-License-Identifier: BSD-2-Clause
/* Which signals end a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include "child.h"

static struct child child;
static sigset_t mask;

static int setup(void **state)
{
	(void)state;
	signal(SIGHUP, SIG_DFL);
	return sigprocmask(SIG_SETMASK, NULL, &mask);
}

static int teardown(void **state)
{
	(void)state;
	child__poll(&child); /* else what is pending comes now */
	child__free(&child);
	signal(SIGHUP, SIG_DFL);
	return sigprocmask(SIG_SETMASK, &mask, NULL);
}

static bool ends(int sig)
{
	raise(sig);
	return child__poll(&child);
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(child__start(&child, NULL), 0);
	assert_false(child__poll(&child));
	assert_true(ends(SIGINT));
	assert_true(ends(SIGTERM));
	assert_true(ends(SIGHUP));
	assert_false(ends(SIGCHLD));
}

/* nohup's word holds. */
static void test_nohup(void **state)
{
	(void)state;
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(child__start(&child, NULL), 0);
	assert_false(ends(SIGHUP));
	assert_true(ends(SIGTERM));
}

/* How a command ends is passed on, and that it has not is told apart from a success. */
static void test_status(void **state)
{
	char *fails[] = {"sh", "-c", "exit 9", NULL}, *lasts[] = {"sleep", "60", NULL};

	(void)state;
	assert_int_equal(child__start(&child, fails), 0);
	assert_int_equal(child__go(&child), 0);
	while (!child__poll(&child))
		usleep(1000);
	assert_int_equal(child__status(&child, 0), 9);
	assert_int_equal(child__status(&child, 3), 3);
	assert_false(child__running(&child));
	child__free(&child);
	assert_int_equal(child__start(&child, lasts), 0);
	assert_int_equal(child__go(&child), 0);
	assert_false(child__poll(&child));
	assert_int_equal(child__status(&child, 0), 0);
	assert_true(child__running(&child));
	kill(child.pid, SIGKILL);
}

/* One that cannot be run has not exited with anything; one that exits with 127 has run. */
static void test_cannot_run(void **state)
{
	char *none[] = {"/nonexistent", NULL}, *data[] = {"/etc/passwd", NULL},
	     *runs[] = {"sh", "-c", "exit 127", NULL};

	(void)state;
	assert_int_equal(child__start(&child, none), 0);
	assert_int_equal(child__go(&child), -ENOENT);
	assert_int_equal(child__status(&child, 0), 0);
	assert_false(child__running(&child));
	child__free(&child);
	assert_int_equal(child__start(&child, data), 0);
	assert_int_equal(child__go(&child), -EACCES);
	child__free(&child);
	assert_int_equal(child__start(&child, runs), 0);
	assert_int_equal(child__go(&child), 0);
	while (!child__poll(&child))
		usleep(1000);
	assert_int_equal(child__status(&child, 0), 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nohup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_run, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
