// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses and prints quantities. All arithmetic is on integers: a decimal fraction is kept as two
 * integers until its unit is known, so "0.1s" is exactly 100000000 ns.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "units.h"

#define NS_PER_S 1000000000ULL

/* ---- numbers with a unit --------------------------------------------------------------- */

/* whole + frac / den. Digits beyond the 18th of the fraction do not count. */
struct decimal {
	__u64 whole, frac, den;
	bool fraction; /* it was written with a point */
	bool over;     /* whole does not fit */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *scan_whole(const char *s, struct decimal *d)
{
	for (; is_digit(*s); s++)
		if (__builtin_mul_overflow(d->whole, 10ULL, &d->whole) ||
		    __builtin_add_overflow(d->whole, (__u64)(*s - '0'), &d->whole))
			d->over = true;
	return s;
}

static const char *scan_fraction(const char *s, struct decimal *d)
{
	for (; is_digit(*s); s++) {
		if (d->den >= NS_PER_S * NS_PER_S)
			continue;
		d->frac = d->frac * 10 + (*s - '0');
		d->den *= 10;
	}
	return s;
}

/* digits[.digits]; *end behind it */
static int scan_decimal(const char *s, struct decimal *d, const char **end)
{
	*d = (struct decimal){.den = 1};
	if (!is_digit(*s))
		return -EINVAL;
	s = scan_whole(s, d);
	if (*s == '.') {
		d->fraction = true;
		if (!is_digit(*++s))
			return -EINVAL;
		s = scan_fraction(s, d);
	}
	*end = s;
	return 0;
}

static int scale(const struct decimal *d, __u64 unit, __u64 *out)
{
	unsigned __int128 n = (unsigned __int128)d->whole * unit;

	n += (unsigned __int128)d->frac * unit / d->den;
	if (d->over || n > ~0ULL)
		return -ERANGE;
	*out = n;
	return 0;
}

static __u64 time_unit(const char *s, size_t len)
{
	static const struct {
		const char *name;
		__u64 ns;
	} units[] = {
		{"ns", 1},	 {"us", 1000},	       {"ms", 1000000},
		{"s", NS_PER_S}, {"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strlen(units[i].name) == len && !strncmp(units[i].name, s, len))
			return units[i].ns;
	return 0;
}

int units__scan_time(const char *s, __u64 *ns, const char **end)
{
	struct decimal d;
	size_t len = 0;
	__u64 unit;
	int err = scan_decimal(s, &d, &s);

	if (err)
		return err;
	while (isalnum((unsigned char)s[len]))
		len++;
	unit = time_unit(s, len);
	if (!len && !d.whole && !d.frac)
		unit = 1; /* 0 is 0 in all of them */
	if (!unit)
		return -EINVAL;
	err = scale(&d, unit, ns);
	if (!err)
		*end = s + len;
	return err;
}

int units__time(const char *s, __u64 *ns)
{
	const char *end;
	__u64 n;
	int err = units__scan_time(s, &n, &end);

	if (!err && *end)
		err = -EINVAL;
	if (!err)
		*ns = n;
	return err;
}

int units__size(const char *s, __u64 *bytes)
{
	static const char suffixes[] = "KMG";
	struct decimal d;
	const char *suffix;
	int err = scan_decimal(s, &d, &s);

	if (err)
		return err;
	if (!*s)
		return d.fraction ? -EINVAL : scale(&d, 1, bytes);
	suffix = strchr(suffixes, *s);
	if (!suffix || s[1])
		return -EINVAL;
	return scale(&d, 1024ULL << (10 * (suffix - suffixes)), bytes);
}

int units__u64(const char *s, __u64 *n)
{
	struct decimal d;
	int err = scan_decimal(s, &d, &s);

	if (err || *s || d.fraction)
		return -EINVAL;
	return scale(&d, 1, n);
}

/* ---- ranges ---------------------------------------------------------------------------- */

static int scan_s32(const char **s, __s32 *n)
{
	struct decimal d = {0};

	if (!is_digit(**s))
		return -EINVAL;
	*s = scan_whole(*s, &d);
	if (d.over || d.whole > INT_MAX)
		return -ERANGE;
	*n = d.whole;
	return 0;
}

static int scan_range(const char **s, struct units_range *r)
{
	int err = scan_s32(s, &r->from);

	r->to = r->from;
	if (!err && **s == '-') {
		++*s;
		err = scan_s32(s, &r->to);
	}
	if (!err && r->to < r->from)
		err = -EINVAL;
	return err;
}

/* Checks all of s; keeps the first max ranges if out is given. Returns how many there are. */
static int scan_ranges(const char *s, struct units_range *out)
{
	int n = 0;

	for (;; s++) {
		struct units_range r;
		int err = scan_range(&s, &r);

		if (err)
			return err;
		if (out)
			out[n] = r;
		n++;
		if (!*s)
			return n;
		if (*s != ',')
			return -EINVAL;
	}
}

int units__ranges(const char *s, struct units_range *out, unsigned max)
{
	int n = scan_ranges(s, NULL); /* first without out: it stays untouched on error */

	if (n < 0)
		return n;
	if ((unsigned)n > max)
		return -E2BIG;
	return scan_ranges(s, out);
}

/* ---- formatting ------------------------------------------------------------------------ */

static __u64 clamp(__int128 n)
{
	return n < 0 ? 0 : n > ~0ULL ? ~0ULL : (__u64)n;
}

enum units_unit units__pick(__u64 max_ns)
{
	return max_ns < 1000	   ? UNIT_NS
	       : max_ns < 1000000  ? UNIT_US
	       : max_ns < NS_PER_S ? UNIT_MS
				   : UNIT_S;
}

const char *units__name(enum units_unit unit)
{
	static const char *const names[] = {"ns", "us", "ms", "s"};

	return names[unit];
}

const char *units__number(char *out, __u64 ns, enum units_unit unit)
{
	static const __u64 steps[] = {1, 1, 1000, 1000000}; /* the last decimal that is shown */
	__u64 step = steps[unit], n = ns / step + (ns % step >= step - step / 2);

	if (unit == UNIT_NS)
		snprintf(out, UNITS_LEN, "%llu", n);
	else
		snprintf(out, UNITS_LEN, "%llu.%03llu", n / 1000, n % 1000);
	return out;
}

const char *units__duration(char *out, __u64 ns, enum units_unit unit)
{
	size_t len = strlen(units__number(out, ns, unit));

	snprintf(out + len, UNITS_LEN - len, " %s", units__name(unit));
	return out;
}

const char *units__own(char *out, __u64 ns)
{
	return units__duration(out, ns, units__pick(ns));
}

/* Appends ".123456" to what out holds; nothing for 0 decimals. */
static void add_fraction(char *out, __u64 ns_of_second, unsigned decimals)
{
	size_t len = strlen(out);

	if (!decimals)
		return;
	snprintf(out + len, UNITS_LEN - len, ".%09llu", ns_of_second);
	out[len + 1 + (decimals < 9 ? decimals : 9)] = '\0';
}

const char *units__seconds(char *out, __u64 ns, unsigned decimals)
{
	snprintf(out, UNITS_LEN, "%llu", ns / NS_PER_S);
	add_fraction(out, ns % NS_PER_S, decimals);
	return out;
}

const char *units__percent(char *out, __u64 part, __u64 whole)
{
	__u64 tenths;

	if (!whole) {
		snprintf(out, UNITS_LEN, "-");
		return out;
	}
	tenths = clamp(((__int128)part * 1000 + whole / 2) / whole);
	snprintf(out, UNITS_LEN, "%llu.%llu%%", tenths / 10, tenths % 10);
	return out;
}

const char *units__count(char *out, __u64 n)
{
	snprintf(out, UNITS_LEN, "%llu", n);
	return out;
}

/* Local time of a monotonic time; false if there is none. */
static bool local_time(__u64 ns, __s64 wall_ns, struct tm *tm, __u64 *ns_of_second)
{
	__u64 wall = clamp((__int128)ns + wall_ns);
	time_t seconds = wall / NS_PER_S;

	*ns_of_second = wall % NS_PER_S;
	return localtime_r(&seconds, tm);
}

const char *units__clock(char *out, __u64 ns, __s64 wall_ns, unsigned decimals)
{
	__u64 rest;
	struct tm tm;

	if (!local_time(ns, wall_ns, &tm, &rest))
		return memcpy(out, "?", 2);
	strftime(out, UNITS_LEN, "%H:%M:%S", &tm);
	add_fraction(out, rest, decimals);
	return out;
}

const char *units__iso(char *out, __u64 ns, __s64 wall_ns, unsigned decimals)
{
	char zone[8];
	__u64 rest;
	struct tm tm;
	size_t len;

	if (!local_time(ns, wall_ns, &tm, &rest))
		return memcpy(out, "?", 2);
	strftime(out, UNITS_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	add_fraction(out, rest, decimals);
	strftime(zone, sizeof(zone), "%z", &tm); /* +hhmm */
	len = strlen(out);
	snprintf(out + len, UNITS_LEN - len, "%.3s:%.2s", zone, zone + 3);
	return out;
}
