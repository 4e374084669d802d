/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that people write and read: times, sizes, windows of time, lists of numbers; and
 * durations, shares and wall-clock times for tables. Inside the program a time is a __u64 of
 * nanoseconds; here it gets its unit. Parsers want the whole string, print nothing and leave their
 * output untouched on error: -EINVAL (not of that form) or -ERANGE (of that form, but too large).
 * The caller says which option.
 */
#ifndef KVMSCHED_UNITS_H
#define KVMSCHED_UNITS_H

#include <linux/types.h>

/* ---- parsing --------------------------------------------------------------------------- */

/* TIME: digits[.digits] and a unit: ns us ms s m h; or 0. What is below a nanosecond is cut off. */
int units__time(const char *s, __u64 *ns);

/* The same at the start of s; *end is set behind the unit. For expressions that go on. */
int units__scan_time(const char *s, __u64 *ns, const char **end);

/* SIZE: digits[.digits] and nothing (bytes; no fraction) or K, M or G, powers of 1024. */
int units__size(const char *s, __u64 *bytes);

/* A whole number without sign: nothing but digits. */
int units__u64(const char *s, __u64 *n);

struct units_range {
	__s32 from, to; /* both included; 0 <= from <= to */
};

/* N[-M][,N[-M]]...: CPUs, vCPUs, threads. Returns how many ranges, -EINVAL, -ERANGE or -E2BIG (more
 * than max). They stay as written: not sorted, not joined. */
int units__ranges(const char *s, struct units_range *out, unsigned max);

/* One side of `--time A,B`. */
enum units_point_kind {
	POINT_OPEN,  /* empty: no bound */
	POINT_AFTER, /* TIME since the session's start */
	POINT_WALL,  /* ISO 8601: nanoseconds since 1970-01-01T00:00:00Z */
	POINT_CLOCK, /* HH:MM:SS[.frac]: nanoseconds since midnight, local time */
};

struct units_point {
	enum units_point_kind kind;
	__u64 ns;
};

struct units_window {
	struct units_point from, to;
};

/* "A,B", "A," or ",B". A side is a TIME, HH:MM:SS[.frac], or YYYY-MM-DDTHH:MM:SS[.frac] with an
 * optional Z, +HH:MM, +HHMM or +HH (else local time; a blank may stand for the T). */
int units__window(const char *s, struct units_window *w);

/* Turns a window into CLOCK_MONOTONIC: from_ns <= t < to_ns. start_ns, end_ns: the session (end_ns:
 * its last event's time while it has no end); wall_ns: CLOCK_REALTIME - CLOCK_MONOTONIC. An open
 * side is 0 or ~0. A clock time means the first such moment inside the session or, if there is
 * none, the one nearest to it; of two, the second comes after the first, if need be on the next
 * day. Returns 0, or -ERANGE when the window would be empty. */
int units__resolve(const struct units_window *w, __u64 start_ns, __u64 end_ns, __s64 wall_ns,
		   __u64 *from_ns, __u64 *to_ns);

/* ---- formatting ------------------------------------------------------------------------
 * All write at most UNITS_LEN bytes with the NUL and return out, so that they fit into a call. */

#define UNITS_LEN 40

enum units_unit { UNIT_NS, UNIT_US, UNIT_MS, UNIT_S };

/* The unit for a column whose largest value is max_ns: the largest in which it is at least 1. */
enum units_unit units__pick(__u64 max_ns);

/* "ns", "us", "ms", "s" */
const char *units__name(enum units_unit unit);

/* "1.234": three decimals, none for ns, to the nearest. Values of one unit line up when
 * right-aligned. */
const char *units__number(char *out, __u64 ns, enum units_unit unit);

/* "1.234 ms": as units__number() and its unit. */
const char *units__duration(char *out, __u64 ns, enum units_unit unit);

/* One value that stands alone: units__duration() in its own unit. */
const char *units__own(char *out, __u64 ns);

/* Seconds with 0 to 9 decimals, cut, not rounded: "12.345678901". For times since the start. */
const char *units__seconds(char *out, __u64 ns, unsigned decimals);

/* "12.3%" to the nearest; "-" when there is no whole. */
const char *units__percent(char *out, __u64 part, __u64 whole);

/* Plain digits. */
const char *units__count(char *out, __u64 n);

/* Local wall-clock time of the monotonic time ns: "12:00:01.234567"; 0 to 9 decimals, cut. */
const char *units__clock(char *out, __u64 ns, __s64 wall_ns, unsigned decimals);

/* With date and offset, as units__window() reads it: "2024-05-01T12:00:01.234567+02:00". */
const char *units__iso(char *out, __u64 ns, __s64 wall_ns, unsigned decimals);

#endif
