// SPDX-License-Identifier: BSD-2-Clause
/*
 * `--time A,B`: parses points in time, and turns those of the wall clock into CLOCK_MONOTONIC. Wall
 * times are __int128 here, since a session may have any offset. Clock times follow this machine's
 * time zone, also for a recording that was made in another.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include "units.h"

#define NS_PER_S 1000000000ULL

/* ---- points in time -------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly n digits, from low to high. */
static int fixed(const char **s, int n, int low, int high, int *out)
{
	int v = 0;

	for (; n; n--, ++*s) {
		if (!is_digit(**s))
			return -EINVAL;
		v = v * 10 + (**s - '0');
	}
	if (v < low || v > high)
		return -EINVAL;
	*out = v;
	return 0;
}

static bool take(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

/* HH:MM:SS[.frac] into tm and the nanoseconds of its last second */
static int scan_clock(const char **s, struct tm *tm, __u64 *frac_ns)
{
	__u64 digit_ns = NS_PER_S / 10;

	if (fixed(s, 2, 0, 23, &tm->tm_hour) || !take(s, ':') || fixed(s, 2, 0, 59, &tm->tm_min) ||
	    !take(s, ':') || fixed(s, 2, 0, 59, &tm->tm_sec))
		return -EINVAL;
	*frac_ns = 0;
	if (!take(s, '.'))
		return 0;
	if (!is_digit(**s))
		return -EINVAL;
	for (; is_digit(**s); ++*s, digit_ns /= 10)
		*frac_ns += (**s - '0') * digit_ns;
	return 0;
}

/* YYYY-MM-DD, a day that exists */
static int scan_date(const char **s, struct tm *tm)
{
	struct tm day;

	if (fixed(s, 4, 1, 9999, &tm->tm_year) || !take(s, '-') ||
	    fixed(s, 2, 1, 12, &tm->tm_mon) || !take(s, '-') || fixed(s, 2, 1, 31, &tm->tm_mday))
		return -EINVAL;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	day = *tm;
	timegm(&day); /* turns the 31st of a month of 30 days into the next one's 1st */
	return day.tm_mday == tm->tm_mday ? 0 : -EINVAL;
}

/* Z, +HH:MM, +HHMM, +HH: seconds east of UTC */
static int scan_zone(const char **s, int *east_s)
{
	int sign = **s == '-' ? -1 : 1, hours, minutes = 0;

	*east_s = 0;
	if (take(s, 'Z'))
		return 0;
	if (!take(s, '+') && !take(s, '-'))
		return -EINVAL;
	if (fixed(s, 2, 0, 23, &hours))
		return -EINVAL;
	if ((take(s, ':') || **s) && fixed(s, 2, 0, 59, &minutes))
		return -EINVAL;
	*east_s = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static int epoch_ns(time_t seconds, __u64 frac_ns, __u64 *ns)
{
	__int128 n = (__int128)seconds * NS_PER_S + frac_ns;

	if (n < 0 || n > ~0ULL)
		return -ERANGE;
	*ns = n;
	return 0;
}

static int parse_iso(const char *s, struct units_point *p)
{
	struct tm tm = {.tm_isdst = -1};
	__u64 frac_ns;
	time_t t;
	int east_s;

	if (scan_date(&s, &tm) || (!take(&s, 'T') && !take(&s, ' ')) ||
	    scan_clock(&s, &tm, &frac_ns))
		return -EINVAL;
	if (!*s) {
		t = mktime(&tm);
	} else {
		if (scan_zone(&s, &east_s) || *s)
			return -EINVAL;
		t = timegm(&tm) - east_s;
	}
	p->kind = POINT_WALL;
	return epoch_ns(t, frac_ns, &p->ns);
}

static int parse_clock(const char *s, struct units_point *p)
{
	struct tm tm;
	__u64 frac_ns;

	if (scan_clock(&s, &tm, &frac_ns) || *s)
		return -EINVAL;
	p->kind = POINT_CLOCK;
	p->ns = (tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) * NS_PER_S + frac_ns;
	return 0;
}

static int parse_point(const char *s, struct units_point *p)
{
	const char *colon = strchr(s, ':'), *dash = strchr(s, '-');

	if (!*s) {
		*p = (struct units_point){.kind = POINT_OPEN};
		return 0;
	}
	if (colon)
		return dash && dash < colon ? parse_iso(s, p) : parse_clock(s, p);
	p->kind = POINT_AFTER;
	return units__time(s, &p->ns);
}

int units__window(const char *s, struct units_window *w)
{
	const char *comma = strchr(s, ',');
	struct units_window parsed;
	char from[64];
	int err;

	if (!comma || (size_t)(comma - s) >= sizeof(from))
		return -EINVAL;
	memcpy(from, s, comma - s);
	from[comma - s] = '\0';
	err = parse_point(from, &parsed.from);
	if (!err)
		err = parse_point(comma + 1, &parsed.to);
	if (!err)
		*w = parsed;
	return err;
}

/* ---- resolving: the wall clock against the monotonic one ------------------------------- */

static __u64 clamp(__int128 n)
{
	return n < 0 ? 0 : n > ~0ULL ? ~0ULL : (__u64)n;
}

/* The clock time on the local date of the wall time at_ns, or so many days after it. */
static __int128 clock_on_day(__u64 clock_ns, __int128 at_ns, int days)
{
	time_t at = at_ns / (__int128)NS_PER_S;
	struct tm tm;

	if (!localtime_r(&at, &tm))
		return 0;
	tm.tm_mday += days;
	tm.tm_hour = clock_ns / (3600 * NS_PER_S);
	tm.tm_min = clock_ns / (60 * NS_PER_S) % 60;
	tm.tm_sec = clock_ns / NS_PER_S % 60;
	tm.tm_isdst = -1; /* days on which clocks change are not 24 hours long */
	return (__int128)mktime(&tm) * NS_PER_S + clock_ns % NS_PER_S;
}

/* The first moment with that clock time at or after at_ns. */
static __int128 clock_from(__u64 clock_ns, __int128 at_ns)
{
	__int128 t = clock_on_day(clock_ns, at_ns, 0);

	return t >= at_ns ? t : clock_on_day(clock_ns, at_ns, 1);
}

/* The first moment with that clock time inside the session, else the nearest; in wall time. */
static __int128 clock_near(__u64 clock_ns, __int128 start_ns, __int128 end_ns)
{
	__int128 next = clock_from(clock_ns, start_ns);
	__int128 previous = clock_on_day(clock_ns, start_ns, 0);

	if (next <= end_ns)
		return next;
	if (previous >= start_ns)
		previous = clock_on_day(clock_ns, start_ns, -1);
	return start_ns - previous <= next - end_ns ? previous : next;
}

static __u64 resolve_point(const struct units_point *p, __u64 start_ns, __u64 end_ns, __s64 wall_ns,
			   __u64 open)
{
	__int128 wall = wall_ns;

	switch (p->kind) {
	case POINT_AFTER:
		return clamp((__int128)start_ns + p->ns);
	case POINT_WALL:
		return clamp(p->ns - wall);
	case POINT_CLOCK:
		return clamp(clock_near(p->ns, start_ns + wall, end_ns + wall) - wall);
	case POINT_OPEN:
		break;
	}
	return open;
}

int units__resolve(const struct units_window *w, __u64 start_ns, __u64 end_ns, __s64 wall_ns,
		   __u64 *from_ns, __u64 *to_ns)
{
	__u64 from = resolve_point(&w->from, start_ns, end_ns, wall_ns, 0);
	__u64 to = resolve_point(&w->to, start_ns, end_ns, wall_ns, ~0ULL);
	__int128 wall = wall_ns;

	if (w->from.kind == POINT_CLOCK && w->to.kind == POINT_CLOCK)
		to = clamp(clock_from(w->to.ns, from + wall + 1) - wall);
	if (from >= to)
		return -ERANGE;
	*from_ns = from;
	*to_ns = to;
	return 0;
}
