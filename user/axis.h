/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time axes: round steps and the words at their ticks. Times here are ns since the session's start.
 * Pure. Knows nothing of what is drawn along the axis.
 */
#ifndef KVMSCHED_AXIS_H
#define KVMSCHED_AXIS_H

#include <stdbool.h>
#include <linux/types.h>

struct axis {
	__u64 from_ns, to_ns;
	__u64 step_ns;
	unsigned decimals;
	__u64 unit_ns; /* of the labels: 1, 1000, 1000000 or 1000000000 */
	bool minutes;  /* labels are m:ss or h:mm:ss */
};

#define AXIS_LEN 40

/* An axis of so many characters' width: as many ticks as have room for their labels and two
 * characters between them. Steps are 1, 2 or 5 times a power of ten; from 10 s on also 30 s, and
 * such minutes and hours as a clock has. */
void axis__init(struct axis *a, __u64 from_ns, __u64 to_ns, unsigned chars);

/* The first tick; each further one is step_ns later, up to to_ns. */
__u64 axis__first(const struct axis *a);

/* The words at a tick: "1.25", "2:30". Returns out, which holds AXIS_LEN bytes. */
const char *axis__label(const struct axis *a, __u64 ns, char *out);

/* What they are: "ns", "us", "ms", "s", "m:s", "h:m:s" */
const char *axis__unit(const struct axis *a);

/* A moment that lies between ticks, in seconds, and where the axis has minutes also as it has them:
 * "754.123456 s (12:34.1)". */
const char *axis__moment(const struct axis *a, __u64 ns, char *out);

#endif
