// SPDX-License-Identifier: BSD-2-Clause
/* Student's t against the printed tables, and its quantiles against itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "student.h"

static void near(double have, double want, double precision)
{
	if (!(fabs(have - want) <= precision * fabs(want)))
		fail_msg("%.10g, not %.10g", have, want);
}

/* NIST/SEMATECH e-Handbook 1.3.6.7.2 (two-sided), and the normal distribution */
static void test_tables(void **state)
{
	static const struct {
		double tail, df, t;
	} rows[] = {
		{0.05, 1, 12.706}, {0.05, 2, 4.303},	{0.05, 5, 2.571},   {0.01, 10, 3.169},
		{0.05, 19, 2.093}, {0.002, 30, 3.385},	{0.05, 100, 1.984}, {0.05, INFINITY, 1.960},
		{0.10, 3, 2.353},  {0.002, 1, 318.313},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		near(student__quantile(rows[i].tail, rows[i].df), rows[i].t, 0.0005);
		near(student__tail(rows[i].t, rows[i].df), rows[i].tail, 0.002);
	}
}

/* df = 2 has a closed form: P(|T| > t) = 1 - t / sqrt(2 + t^2) */
static void test_closed_form(void **state)
{
	(void)state;
	for (double t = 0.01; t < 1000; t *= 1.7)
		near(student__tail(t, 2), 1 - t / sqrt(2 + t * t), 1e-6);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (double df = 1.3; df < 2000; df *= 2.1)
		for (double tail = 0.9; tail > 1e-9; tail /= 7)
			near(student__tail(student__quantile(tail, df), df), tail, 1e-6);
	assert_true(student__tail(0, 5) == 1);
	assert_true(student__tail(INFINITY, 5) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_closed_form),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
