// SPDX-License-Identifier: BSD-2-Clause
/* What term__look() finds on a pseudo terminal, a pipe and in the environment; styles and bars. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "term.h"
#include "skip.h"

static int clean_environment(void **state)
{
	(void)state;
	unsetenv("COLUMNS");
	unsetenv("LINES");
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	return !setlocale(LC_ALL, "C.UTF-8");
}

static struct term look_at_terminal(unsigned short columns, unsigned short rows, enum term_color c)
{
	struct winsize size = {.ws_col = columns, .ws_row = rows};
	struct term t;
	int host, fd;

	if (openpty(&host, &fd, NULL, NULL, &size))
		skip_test("no pseudo-terminals here");
	term__look(&t, fd, c);
	close(fd);
	close(host);
	return t;
}

static struct term look_at_pipe(enum term_color c)
{
	struct term t;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	term__look(&t, fds[1], c);
	close(fds[0]);
	close(fds[1]);
	return t;
}

static void terminals(void **state)
{
	struct term t = look_at_terminal(132, 50, COLOR_AUTO);

	(void)state;
	assert_true(t.tty && t.utf8 && t.color);
	assert_int_equal(t.columns, 132);
	assert_int_equal(t.rows, 50);
	assert_int_equal(t.limit, 132);
	assert_int_equal(t.escape, ESCAPE_TERMINAL);
	setenv("COLUMNS", "99", 1);
	assert_int_equal(look_at_terminal(132, 50, COLOR_AUTO).columns, 132);
	assert_int_equal(look_at_terminal(0, 0, COLOR_AUTO).columns, 99); /* a serial console */
	unsetenv("COLUMNS");
	t = look_at_terminal(0, 0, COLOR_AUTO);
	assert_int_equal(t.columns, 80);
	assert_int_equal(t.limit, 80);
	assert_int_equal(t.rows, 24);
}

static void pipes(void **state)
{
	struct term t = look_at_pipe(COLOR_AUTO);

	(void)state;
	assert_false(t.tty || t.color);
	assert_int_equal(t.columns, 80);
	assert_int_equal(t.limit, UINT_MAX);
	setenv("COLUMNS", "200", 1);
	t = look_at_pipe(COLOR_AUTO);
	assert_int_equal(t.columns, 200);
	assert_int_equal(t.limit, UINT_MAX);
	setenv("COLUMNS", "-3", 1);
	assert_int_equal(look_at_pipe(COLOR_AUTO).columns, 80);
	setenv("COLUMNS", "99999999", 1);
	assert_int_equal(look_at_pipe(COLOR_AUTO).columns, 80);
	unsetenv("COLUMNS");
}

static void colors(void **state)
{
	(void)state;
	assert_true(look_at_pipe(COLOR_ALWAYS).color);
	assert_false(look_at_terminal(80, 24, COLOR_NEVER).color);
	setenv("NO_COLOR", "", 1);
	assert_true(look_at_terminal(80, 24, COLOR_AUTO).color);
	setenv("NO_COLOR", "1", 1);
	assert_false(look_at_terminal(80, 24, COLOR_AUTO).color);
	assert_true(look_at_terminal(80, 24, COLOR_ALWAYS).color);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(look_at_terminal(80, 24, COLOR_AUTO).color);
	setenv("TERM", "xterm", 1);
}

static void color_words(void **state)
{
	enum term_color c = COLOR_NEVER;

	(void)state;
	assert_int_equal(term__parse_color("always", &c), 0);
	assert_int_equal(c, COLOR_ALWAYS);
	assert_int_equal(term__parse_color("auto", &c), 0);
	assert_int_equal(c, COLOR_AUTO);
	assert_int_equal(term__parse_color("never", &c), 0);
	assert_int_equal(term__parse_color("yes", &c), -EINVAL);
	assert_int_equal(term__parse_color("", &c), -EINVAL);
	assert_int_equal(c, COLOR_NEVER);
}

static void other_locales(void **state)
{
	struct term t;

	(void)state;
	setlocale(LC_ALL, "C");
	t = look_at_pipe(COLOR_AUTO);
	setlocale(LC_ALL, "C.UTF-8");
	assert_false(t.utf8);
	assert_int_equal(t.escape, ESCAPE_ASCII);
}

static void styles(void **state)
{
	struct term t = {.color = true};

	(void)state;
	for (int s = STYLE_PLAIN + 1; s < STYLE_CNT; s++) {
		assert_int_equal(term__on(&t, s)[0], '\033');
		assert_string_equal(term__off(&t, s), "\033[0m");
	}
	assert_string_equal(term__on(&t, STYLE_PLAIN), "");
	assert_string_equal(term__off(&t, STYLE_PLAIN), "");
	t.color = false;
	assert_string_equal(term__on(&t, STYLE_BAD), "");
	assert_string_equal(term__off(&t, STYLE_BAD), "");
}

static void check_bar(bool utf8, __u64 value, __u64 max, unsigned columns, const char *want)
{
	struct term t = {.utf8 = utf8};
	char out[TERM_BAR_SIZE(20)];

	assert_int_equal(term__bar(&t, out, value, max, columns), escape__width(want));
	assert_string_equal(out, want);
}

static void bars(void **state)
{
	(void)state;
	check_bar(true, 0, 100, 10, "");
	check_bar(true, 100, 100, 4, "████");
	check_bar(true, 50, 100, 4, "██");
	check_bar(true, 52, 100, 4, "██");
	check_bar(true, 5, 8, 1, "▋");
	check_bar(true, 1, ~0ULL, 20, "▏");
	check_bar(true, ~0ULL - 1, ~0ULL, 2, "█▉");
	check_bar(true, 200, 100, 2, "██");
	check_bar(true, 1, 0, 2, "");
	check_bar(true, 1, 2, 0, "");
	check_bar(false, 100, 100, 4, "####");
	check_bar(false, 74, 100, 4, "##");
	check_bar(false, 1, 100, 4, "#");
	check_bar(false, ~0ULL, ~0ULL, 20, "####################");
}

/* Onto the next line where the terminal ends; what is wider than it has a line of its own. */
static void flowing(void **state)
{
	struct term t = {.limit = 10};
	unsigned at = 0;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	term__flow(&t, f, &at, "  ", STYLE_PLAIN, "four");
	term__flow(&t, f, &at, "  ", STYLE_PLAIN, "more");
	assert_int_equal(at, 10);
	term__flow(&t, f, &at, "  ", STYLE_PLAIN, "x");
	term__flow(&t, f, &at, "  ", STYLE_PLAIN, "much too long");
	t.color = true;
	t.limit = ~0U;
	term__flow(&t, f, &at, ", ", STYLE_DIM, "y");
	fclose(f);
	assert_string_equal(text, "four  more\nx\nmuch too long, \033[2my\033[0m");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminals),	 cmocka_unit_test(pipes),
		cmocka_unit_test(colors),	 cmocka_unit_test(color_words),
		cmocka_unit_test(other_locales), cmocka_unit_test(styles),
		cmocka_unit_test(bars),		 cmocka_unit_test(flowing),
	};

	return cmocka_run_group_tests(tests, clean_environment, NULL);
}
