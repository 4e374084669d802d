/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's clocks in ns; `now` is CLOCK_MONOTONIC, which all times are of that are kept. */
#ifndef KVMSCHED_CLOCK_H
#define KVMSCHED_CLOCK_H

#include <time.h>
#include <linux/types.h>

static inline __u64 clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (__u64)t.tv_sec * 1000000000ULL + (__u64)t.tv_nsec;
}

static inline __u64 now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

#endif
