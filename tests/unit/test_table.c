// SPDX-License-Identifier: BSD-2-Clause
/* Tables as they look: wide, too narrow, in colour, and into a stream that fails. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "table.h"

static const struct term wide = {.utf8 = true, .limit = UINT_MAX};

static void check(const struct table *t, const struct term *term, int dropped, const char *want)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(table__print(t, term, f), dropped);
	fclose(f);
	assert_string_equal(text, want);
	free(text);
}

static struct table *example(void)
{
	struct table *t = table__new();

	table__add_col(t, "VM", TABLE_LEFT, 4, TABLE_KEEP);
	table__add_col(t, "vCPU", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "run", TABLE_RIGHT, 0, 2);
	table__add_col(t, "by", TABLE_LEFT, 0, 1);
	table__cell(t, "webserver");
	table__cell(t, "0");
	table__cell(t, "1.234");
	table__cell(t, "kworker/0:1");
	table__cell(t, "db");
	table__cell(t, "11");
	table__cell(t, NULL);
	table__cell(t, "");
	return t;
}

static void everything(void **state)
{
	struct table *t = example();

	(void)state;
	check(t, &wide, 0,
	      "VM         vCPU    run  by\n"
	      "webserver     0  1.234  kworker/0:1\n"
	      "db           11      -\n");
	table__free(t);
}

static void check_at(unsigned limit, int dropped, const char *want)
{
	struct term narrow = wide;
	struct table *t = example();

	narrow.limit = limit;
	check(t, &narrow, dropped, want);
	table__free(t);
}

static void narrow_terminals(void **state)
{
	(void)state;
	/* just enough: 9 + 4 + 5 + 11 and three gaps */
	check_at(35, 0,
		 "VM         vCPU    run  by\n"
		 "webserver     0  1.234  kworker/0:1\n"
		 "db           11      -\n");
	/* first the name is shortened */
	check_at(31, 0,
		 "VM     vCPU    run  by\n"
		 "webs…     0  1.234  kworker/0:1\n"
		 "db       11      -\n");
	/* then the lowest priority goes, and the name has room again */
	check_at(29, 1,
		 "VM         vCPU    run\n"
		 "webserver     0  1.234\n"
		 "db           11      -\n"
		 "1 column needs a wider terminal:\n"
		 "by\n");
	check_at(12, 2,
		 "VM      vCPU\n"
		 "webse…     0\n"
		 "db        11\n"
		 "2 columns need a wider terminal:\n"
		 "run, by\n");
	/* what is kept is printed whatever the width */
	check_at(3, 2,
		 "VM    vCPU\n"
		 "web…     0\n"
		 "db      11\n"
		 "2 columns need a wider terminal:\n"
		 "run,\n"
		 "by\n");
}

static void equal_priorities(void **state)
{
	struct term narrow = {.utf8 = true, .limit = 6};
	struct table *t = table__new();

	(void)state;
	table__add_col(t, "aa", TABLE_LEFT, 0, 1);
	table__add_col(t, "bb", TABLE_LEFT, 0, 1);
	table__add_col(t, "cc", TABLE_LEFT, 0, 1);
	check(t, &narrow, 1, "aa  bb\n1 column needs a wider terminal:\ncc\n");
	narrow.limit = 0;
	assert_false(table__fits(t, &narrow));
	check(t, &narrow, 3, "\n3 columns need a wider terminal:\naa,\nbb,\ncc\n");
	narrow.limit = 10;
	assert_true(table__fits(t, &narrow));
	table__free(t);
}

static void in_color(void **state)
{
	struct term color = {.color = true, .limit = UINT_MAX};
	struct table *t = table__new();

	(void)state;
	table__add_col(t, "state", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "n", TABLE_LEFT, 0, TABLE_KEEP);
	table__styled(t, STYLE_BAD, "no");
	table__cell(t, "1");
	check(t, &color, 0,
	      "\033[1mstate\033[0m  \033[1mn\033[0m\n"
	      "   \033[1;31mno\033[0m  1\n");
	table__free(t);
}

static void wide_characters(void **state)
{
	struct table *t = table__new();

	(void)state;
	table__add_col(t, "name", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "n", TABLE_RIGHT, 0, TABLE_KEEP);
	table__cell(t, "\xe4\xb8\xad\xe6\x96\x87");
	table__cell(t, "1");
	table__cell(t, "gr\xc3\xbc\xc3\x9f");
	table__cell(t, "2");
	check(t, &wide, 0,
	      "name  n\n"
	      "\xe4\xb8\xad\xe6\x96\x87  1\n"
	      "gr\xc3\xbc\xc3\x9f  2\n");
	table__free(t);
}

static void long_names(void **state)
{
	struct term narrow = {.limit = 20};
	struct table *t = table__new();
	char name[301] = {0};

	(void)state;
	memset(name, 'n', 300);
	table__add_col(t, "VM", TABLE_LEFT, 8, TABLE_KEEP);
	table__add_col(t, "n", TABLE_RIGHT, 0, TABLE_KEEP);
	table__cell(t, name);
	table__cell(t, "1");
	check(t, &narrow, 0,
	      "VM                 n\n"
	      "nnnnnnnnnnnnnn...  1\n");
	table__free(t);
}

static void clearing(void **state)
{
	struct table *t = example();

	(void)state;
	table__clear(t);
	check(t, &wide, 0, "VM  vCPU  run  by\n");
	for (int i = 0; i < 1000; i++)
		table__cell(t, "x");
	table__free(t);
}

static void errors(void **state)
{
	struct table *t = table__new();
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	check(t, &wide, 0, "");
	table__free(t);
	table__free(NULL);
	table__clear(NULL);
	table__cell(NULL, "x");
	table__add_col(NULL, "x", TABLE_LEFT, 0, 0);
	assert_int_equal(table__print(NULL, &wide, stdout), -ENOMEM);
	if (!f)
		skip();
	setvbuf(f, NULL, _IONBF, 0);
	t = example();
	assert_int_equal(table__print(t, &wide, f), -ENOSPC);
	table__free(t);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),	    cmocka_unit_test(narrow_terminals),
		cmocka_unit_test(equal_priorities), cmocka_unit_test(in_color),
		cmocka_unit_test(wide_characters),  cmocka_unit_test(long_names),
		cmocka_unit_test(clearing),	    cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
