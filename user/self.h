/* SPDX-License-Identifier: BSD-2-Clause */
/* What this process itself costs, as /proc/self tells it. Knows nothing of metrics. */
#ifndef KVMSCHED_SELF_H
#define KVMSCHED_SELF_H

#include <linux/types.h>

struct self {
	__u64 cpu_ns;	   /* user and system time of all threads */
	__u64 rss_bytes;   /* resident memory */
	__u64 vsize_bytes; /* address space */
	__u64 fds, fds_max;
	__u64 start_ns; /* when it started, since 1970 */
};

/* 0 or -errno: /proc is not there, or not readable. */
int self__read(struct self *s);

#endif
