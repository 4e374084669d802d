/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records of each stream were lost, and when: the kernel only counts them, so that is between
 * two looks at its counters.
 */
#ifndef KVMSCHED_FLIGHT_LOSS_H
#define KVMSCHED_FLIGHT_LOSS_H

#include <stdbool.h>
#include <linux/types.h>

#define LOSSES_MAX 512U /* looks and streams that are remembered; only those with losses count */

struct loss {
	__u64 ts, count;
	unsigned stream;
};

struct losses {
	unsigned streams;
	struct loss loss[LOSSES_MAX];
	__u64 count;
	__u64 looked_ns;
	__u64 *so_far;	  /* per stream, of the whole trace */
	__u64 *discarded; /* per stream, of the dump; what is lost otherwise is added by others */
};

int losses__init(struct losses *l, unsigned streams); /* 0 or -ENOMEM */
void losses__free(struct losses *l);

/* The counters as they are now. end_ns: until when they count for the dump; 0: there is none. */
void losses__look(struct losses *l, const __u64 *lost, __u64 now_ns, __u64 end_ns);

/* A dump begins, with all that was lost since then. */
void losses__since(struct losses *l, __u64 from_ns);

/* Of the dump, so far. */
__u64 losses__discarded(const struct losses *l);

#endif
