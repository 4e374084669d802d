// SPDX-License-Identifier: BSD-2-Clause
/* What units.h reads and writes: each form once, each limit from both sides. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "units.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define S      1000000000ULL
#define H      (3600 * S)
#define NONE   0xdeadULL /* an output that must stay untouched */

struct number {
	const char *text;
	int err;
	__u64 value;
};

static void check_numbers(int (*parse)(const char *, __u64 *), const struct number *n, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		__u64 got = NONE;
		int err = parse(n[i].text, &got);

		if (err != n[i].err || got != (err ? NONE : n[i].value))
			fail_msg("\"%s\": err %d, value %llu", n[i].text, err, got);
	}
}

static void times(void **state)
{
	static const struct number numbers[] = {
		{"0s", 0, 0},
		{"1ns", 0, 1},
		{"10us", 0, 10000},
		{"5ms", 0, 5000000},
		{"1.5s", 0, 1500000000},
		{"0.1s", 0, 100000000},
		{"0.000000001s", 0, 1},
		{"0.0000000019s", 0, 1},
		{"0.9ns", 0, 0},
		{"2m", 0, 120 * S},
		{"1.25h", 0, 4500 * S},
		{"0.1234567890123456789999s", 0, 123456789},
		{"18446744073709551615ns", 0, ~0ULL},
		{"18446744073709551616ns", -ERANGE, 0},
		{"18446744073.709551615s", 0, ~0ULL},
		{"18446744073.709551616s", -ERANGE, 0},
		{"5124096h", -ERANGE, 0},
		{"99999999999999999999999999h", -ERANGE, 0},
		{"99999999999999999999999999x", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"0", 0, 0},
		{"0x", -EINVAL, 0},
		{"0 s", -EINVAL, 0},
		{"5", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"5 s", -EINVAL, 0},
		{" 5s", -EINVAL, 0},
		{"5s ", -EINVAL, 0},
		{"5S", -EINVAL, 0},
		{"5min", -EINVAL, 0},
		{"5sec", -EINVAL, 0},
		{"-5s", -EINVAL, 0},
		{"+5s", -EINVAL, 0},
		{"5.s", -EINVAL, 0},
		{".5s", -EINVAL, 0},
		{"1e3s", -EINVAL, 0},
		{"0x10s", -EINVAL, 0},
		{"1,5s", -EINVAL, 0},
		{"5\xc2\xb5s", -EINVAL, 0},
	};

	(void)state;
	check_numbers(units__time, numbers, LEN(numbers));
}

static void time_in_an_expression(void **state)
{
	const char *text = "2.5ms by vm", *end = NULL;
	__u64 ns = NONE;

	(void)state;
	assert_int_equal(units__scan_time(text, &ns, &end), 0);
	assert_int_equal(ns, 2500000);
	assert_string_equal(end, " by vm");
	ns = NONE;
	assert_int_equal(units__scan_time("2.5msby vm", &ns, &end), -EINVAL);
	assert_int_equal(ns, NONE);
}

static void sizes(void **state)
{
	static const struct number numbers[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"1K", 0, 1024},
		{"1.5M", 0, 1572864},
		{"1G", 0, 1ULL << 30},
		{"17179869183G", 0, 17179869183ULL << 30},
		{"17179869184G", -ERANGE, 0},
		{"18446744073709551616", -ERANGE, 0},
		{"1.5", -EINVAL, 0},
		{"1k", -EINVAL, 0},
		{"1KB", -EINVAL, 0},
		{"1T", -EINVAL, 0},
		{"G", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"-1", -EINVAL, 0},
	};

	(void)state;
	check_numbers(units__size, numbers, LEN(numbers));
}

static void whole_numbers(void **state)
{
	static const struct number numbers[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"18446744073709551615", 0, ~0ULL},
		{"18446744073709551616", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"0x1", -EINVAL, 0},
	};

	(void)state;
	check_numbers(units__u64, numbers, LEN(numbers));
}

static void ranges(void **state)
{
	static const char *const bad[] = {"",	 ",",	 "1,", ",1",   "1-",   "-1",
					  "2-1", "1--2", "a",  "1 ,2", "1-2-3"};
	struct units_range r[3];

	(void)state;
	assert_int_equal(units__ranges("0,2-5", r, 3), 2);
	assert_int_equal(r[0].from, 0);
	assert_int_equal(r[0].to, 0);
	assert_int_equal(r[1].from, 2);
	assert_int_equal(r[1].to, 5);
	assert_int_equal(units__ranges("2147483647", r, 3), 1);
	memset(r, 0x5a, sizeof(r));
	assert_int_equal(units__ranges("2147483648", r, 3), -ERANGE);
	assert_int_equal(units__ranges("1,2,3,4", r, 3), -E2BIG);
	for (size_t i = 0; i < LEN(bad); i++)
		assert_int_equal(units__ranges(bad[i], r, 3), -EINVAL);
	assert_int_equal(r[0].from, 0x5a5a5a5a);
}

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static void check_point(const char *text, enum units_point_kind kind, __u64 ns)
{
	char both[160];
	struct units_window w;

	snprintf(both, sizeof(both), "%s,", text);
	if (units__window(both, &w))
		fail_msg("%s: refused", both);
	assert_int_equal(w.from.kind, kind);
	assert_int_equal(w.from.ns, ns);
	assert_int_equal(w.to.kind, POINT_OPEN);
	snprintf(both, sizeof(both), ",%s", text);
	assert_int_equal(units__window(both, &w), 0);
	assert_int_equal(w.to.kind, kind);
	assert_int_equal(w.to.ns, ns);
}

static void points(void **state)
{
	const __u64 noon = 1714564800 * S; /* 2024-05-01T12:00:00Z */

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	check_point("1.5s", POINT_AFTER, 1500000000);
	check_point("00:00:00", POINT_CLOCK, 0);
	check_point("23:59:59.999999999", POINT_CLOCK, 24 * H - 1);
	check_point("12:00:01.2", POINT_CLOCK, 12 * H + 1200000000);
	check_point("2024-05-01T12:00:00Z", POINT_WALL, noon);
	check_point("2024-05-01 12:00:00.5Z", POINT_WALL, noon + S / 2);
	check_point("2024-05-01T14:00:00", POINT_WALL, noon);
	check_point("2024-05-01T14:30:00+02:30", POINT_WALL, noon);
	check_point("2024-05-01T04:00:00-0800", POINT_WALL, noon);
	check_point("2024-05-01T13:00:00+01", POINT_WALL, noon);
	check_point("2024-02-29T00:00:00Z", POINT_WALL, 1709164800 * S);
	check_point("1970-01-01T00:00:00Z", POINT_WALL, 0);
	check_point("12:00:00.1234567890123456789", POINT_CLOCK, 12 * H + 123456789);
}

static void bad_windows(void **state)
{
	static const char *const invalid[] = {
		"",
		"1s",
		"1s,2s,3s",
		"1s 2s",
		"5,6",
		"24:00:00,",
		"12:60:00,",
		"12:00:60,",
		"12:00,",
		"1:00:00,",
		"12:00:00.,",
		"12:00:00x,",
		"2024-05-01,",
		"2023-02-29T00:00:00Z,",
		"2024-04-31T00:00:00,",
		"2024-13-01T00:00:00Z,",
		"2024-05-01T12:00:00+,",
		"2024-05-01T12:00:00+2,",
		"2024-05-01T12:00:00+02:,",
		"2024-05-01T12:00:00+0200x,",
		"2024-05-01T12:00:00ZZ,",
		"-1s,",
		"2024-05-01t12:00:00Z,",
		",24-05-01T12:00:00Z",
		"12:00:00.00000000000000000000000000000000000000000000000000000000000000000000000000,",
	};
	struct units_window w = {.from.ns = NONE};

	(void)state;
	for (size_t i = 0; i < LEN(invalid); i++)
		if (units__window(invalid[i], &w) != -EINVAL)
			fail_msg("\"%s\" was not refused", invalid[i]);
	assert_int_equal(units__window("1969-12-31T23:59:59Z,", &w), -ERANGE);
	assert_int_equal(units__window("2555-01-01T00:00:00Z,", &w), -ERANGE);
	assert_int_equal(units__window(",9999999999h", &w), -ERANGE);
	assert_int_equal(w.from.ns, NONE);
}

/* A session that began on 2024-05-01 at 14:00:00 local time, 100 s after boot. */
#define START (100 * S)
#define WALL  ((__s64)(1714564800 * S - START))

static int resolve(const char *text, __u64 length_ns, __u64 *from, __u64 *to)
{
	struct units_window w;

	*from = *to = NONE;
	assert_int_equal(units__window(text, &w), 0);
	return units__resolve(&w, START, START + length_ns, WALL, from, to);
}

static void check_resolved(const char *text, __u64 length_ns, __u64 from, __u64 to)
{
	__u64 a, b;

	if (resolve(text, length_ns, &a, &b) || a != from || b != to)
		fail_msg("%s: %llu .. %llu", text, a, b);
}

static void resolving(void **state)
{
	__u64 a, b;

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	check_resolved(",", 60 * S, 0, ~0ULL);
	check_resolved("1s,2s", 60 * S, START + S, START + 2 * S);
	check_resolved("1s,18446744073s", 60 * S, START + S, ~0ULL);
	check_resolved("14:00:01,14:00:02.5", 60 * S, START + S, START + 5 * S / 2);
	check_resolved("13:59:59,14:00:02", 60 * S, START - S, START + 2 * S);
	check_resolved("2024-05-01T12:00:03Z,", 60 * S, START + 3 * S, ~0ULL);
	check_resolved("1970-01-01T00:00:00Z,5s", 60 * S, 0, START + 5 * S);
	check_resolved(",14:00:30", 60 * S, 0, START + 30 * S);
	check_resolved("14:00:30,5m", 60 * S, START + 30 * S, START + 300 * S);
	/* after midnight, and more than a day long */
	check_resolved("23:59:59,00:00:01", 11 * H, START + 10 * H - S, START + 10 * H + S);
	check_resolved("13:00:00,13:00:01", 30 * H, START + 23 * H, START + 23 * H + S);
	check_resolved("00:00:05,", 11 * H, START + 10 * H + 5 * S, ~0ULL);
	/* outside: the nearest */
	check_resolved("14:02:00,", 60 * S, START + 120 * S, ~0ULL);
	check_resolved("13:59:00,", 60 * S, START - 60 * S, ~0ULL);
	check_resolved("13:00:00,", 60 * S, 0, ~0ULL); /* before the machine was booted */
	assert_int_equal(resolve("2s,1s", 60 * S, &a, &b), -ERANGE);
	assert_int_equal(resolve("2s,2s", 60 * S, &a, &b), -ERANGE);
	assert_int_equal(a, NONE);
	assert_int_equal(b, NONE);
}

/* On 2024-10-27 the clock went back at 03:00: the day has 25 hours. */
static void resolving_when_clocks_change(void **state)
{
	const __s64 wall = 1729980000 * S - START; /* 2024-10-27 00:00:00 CEST */
	struct units_window w;
	__u64 from, to;

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(units__window("01:00:00,12:00:00", &w), 0);
	assert_int_equal(units__resolve(&w, START, START + 20 * H, wall, &from, &to), 0);
	assert_int_equal(from, START + 1 * H);
	assert_int_equal(to, START + 13 * H);
}

static void choosing_units(void **state)
{
	(void)state;
	assert_int_equal(units__pick(0), UNIT_NS);
	assert_int_equal(units__pick(999), UNIT_NS);
	assert_int_equal(units__pick(1000), UNIT_US);
	assert_int_equal(units__pick(999999), UNIT_US);
	assert_int_equal(units__pick(1000000), UNIT_MS);
	assert_int_equal(units__pick(S - 1), UNIT_MS);
	assert_int_equal(units__pick(S), UNIT_S);
	assert_int_equal(units__pick(~0ULL), UNIT_S);
}

static void formatting(void **state)
{
	char t[UNITS_LEN];

	(void)state;
	assert_string_equal(units__duration(t, 1234000, UNIT_MS), "1.234 ms");
	assert_string_equal(units__duration(t, 1234499, UNIT_MS), "1.234 ms");
	assert_string_equal(units__duration(t, 1234500, UNIT_MS), "1.235 ms");
	assert_string_equal(units__duration(t, 17, UNIT_NS), "17 ns");
	assert_string_equal(units__duration(t, 17, UNIT_US), "0.017 us");
	assert_string_equal(units__number(t, ~0ULL, UNIT_S), "18446744073.710");
	assert_string_equal(units__number(t, ~0ULL, UNIT_US), "18446744073709551.615");
	assert_string_equal(units__number(t, ~0ULL, UNIT_NS), "18446744073709551615");
	assert_string_equal(units__own(t, 1500), "1.500 us");
	assert_string_equal(units__seconds(t, 12345678901, 9), "12.345678901");
	assert_string_equal(units__seconds(t, 12345678901, 6), "12.345678");
	assert_string_equal(units__seconds(t, 12345678901, 0), "12");
	assert_string_equal(units__seconds(t, ~0ULL, 99), "18446744073.709551615");
	assert_string_equal(units__percent(t, 1, 3), "33.3%");
	assert_string_equal(units__percent(t, 2, 3), "66.7%");
	assert_string_equal(units__percent(t, ~0ULL, ~0ULL), "100.0%");
	assert_string_equal(units__percent(t, 5, 0), "-");
	assert_string_equal(units__percent(t, ~0ULL, 1), "1844674407370955161.5%");
	assert_string_equal(units__count(t, ~0ULL), "18446744073709551615");
}

static void wall_clock(void **state)
{
	struct units_window w;
	char t[UNITS_LEN], both[2 * UNITS_LEN];

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_string_equal(units__clock(t, START + 1234567890, WALL, 6), "14:00:01.234567");
	assert_string_equal(units__clock(t, START, WALL, 0), "14:00:00");
	assert_string_equal(units__iso(t, START + 5, WALL, 9),
			    "2024-05-01T14:00:00.000000005+02:00");
	snprintf(both, sizeof(both), "%s,", t);
	assert_int_equal(units__window(both, &w), 0);
	assert_int_equal(w.from.ns, 1714564800 * S + 5);
	zone("NST3:30");
	assert_string_equal(units__iso(t, START, WALL, 0), "2024-05-01T08:30:00-03:30");
	zone("UTC");
	assert_string_equal(units__iso(t, 0, -5, 3), "1970-01-01T00:00:00.000+00:00");
	units__iso(t, ~0ULL, INT64_MAX, 9);
	units__clock(t, ~0ULL, INT64_MIN, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(time_in_an_expression),
		cmocka_unit_test(sizes),
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(ranges),
		cmocka_unit_test(points),
		cmocka_unit_test(bad_windows),
		cmocka_unit_test(resolving),
		cmocka_unit_test(resolving_when_clocks_change),
		cmocka_unit_test(choosing_units),
		cmocka_unit_test(formatting),
		cmocka_unit_test(wall_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
