// SPDX-License-Identifier: BSD-2-Clause
/* See axis.h. */
#include <stdio.h>
#include <string.h>
#include "axis.h"

#define SECOND 1000000000ULL
#define DAY    (86400 * SECOND)

/* The smallest round step >= ns. */
static __u64 round_up(__u64 ns)
{
	static const unsigned seconds[] = {10,	 20,   30,   60,    120,   300,	  600,	1200,
					   1800, 3600, 7200, 10800, 21600, 43200, 86400};
	static const unsigned digits[] = {1, 2, 5};

	if (ns <= 5 * SECOND) {
		for (__u64 power = 1;; power *= 10)
			for (int i = 0; i < 3; i++)
				if (ns <= power * digits[i])
					return power * digits[i];
	}
	for (unsigned i = 0; i < sizeof(seconds) / sizeof(*seconds); i++)
		if (ns <= seconds[i] * SECOND)
			return seconds[i] * SECOND;
	return (ns + DAY - 1) / DAY * DAY;
}

/* How the labels look; minutes only where no label has to tell less than a second. */
static void shape(struct axis *a)
{
	a->minutes = a->to_ns >= 120 * SECOND && a->step_ns >= SECOND;
	a->unit_ns = 1;
	while (a->unit_ns < SECOND && a->to_ns >= a->unit_ns * 1000)
		a->unit_ns *= 1000;
	a->decimals = 0;
	for (__u64 u = a->unit_ns; !a->minutes && a->step_ns % u; u /= 10)
		a->decimals++;
}

static unsigned width(const struct axis *a, __u64 ns)
{
	char text[AXIS_LEN];

	return strlen(axis__label(a, ns, text));
}

void axis__init(struct axis *a, __u64 from_ns, __u64 to_ns, unsigned chars)
{
	__u64 length = to_ns > from_ns ? to_ns - from_ns : 1;
	unsigned ticks = chars / 4 ?: 1;

	*a = (struct axis){.from_ns = from_ns, .to_ns = to_ns};
	for (;; ticks--) {
		a->step_ns = round_up((length + ticks - 1) / ticks);
		shape(a);
		if (ticks == 1 ||
		    (unsigned __int128)chars * a->step_ns / length >= width(a, to_ns) + 2)
			return;
	}
}

__u64 axis__first(const struct axis *a)
{
	return (a->from_ns + a->step_ns - 1) / a->step_ns * a->step_ns;
}

const char *axis__label(const struct axis *a, __u64 ns, char *out)
{
	unsigned long long s = ns / SECOND, whole = ns / a->unit_ns, part = ns % a->unit_ns;

	if (a->minutes && a->to_ns >= 3600 * SECOND)
		snprintf(out, AXIS_LEN, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
	else if (a->minutes)
		snprintf(out, AXIS_LEN, "%llu:%02llu", s / 60, s % 60);
	else if (!a->decimals)
		snprintf(out, AXIS_LEN, "%llu", whole);
	else {
		__u64 u = a->unit_ns;

		for (unsigned i = 0; i < a->decimals; i++)
			u /= 10;
		snprintf(out, AXIS_LEN, "%llu.%0*llu", whole, (int)a->decimals, part / u);
	}
	return out;
}

const char *axis__unit(const struct axis *a)
{
	if (a->minutes)
		return a->to_ns >= 3600 * SECOND ? "h:m:s" : "m:s";
	return a->unit_ns == 1	       ? "ns"
	       : a->unit_ns == 1000    ? "us"
	       : a->unit_ns == 1000000 ? "ms"
				       : "s";
}

const char *axis__moment(const struct axis *a, __u64 ns, char *out)
{
	char label[AXIS_LEN];
	int n = snprintf(out, AXIS_LEN, "%llu.%06llu s", (unsigned long long)(ns / SECOND),
			 (unsigned long long)(ns % SECOND / 1000));

	if (a->minutes && n > 0 && n < AXIS_LEN)
		snprintf(out + n, AXIS_LEN - n, " (%.15s.%llu)", axis__label(a, ns, label),
			 (unsigned long long)(ns % SECOND / (SECOND / 10)));
	return out;
}
