/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches for absences that are too long: those that have ended, and those that still go on.
 * Records come as they are drained, which is in order for each CPU but not for a vCPU; its sequence
 * numbers say what belongs together. Knows no names and no clock.
 *
 * Costs a few instructions per record. An absence that goes on costs nothing while it does: each
 * vCPU waits for the time at which it might become too long, at most once.
 */
#ifndef KVMSCHED_FLIGHT_WATCH_H
#define KVMSCHED_FLIGHT_WATCH_H

#include <stdbool.h>
#include <linux/types.h>
#include "assertion.h"
#include "idmap.h"
#include "vcpu.h"
#include "wire.h"

#define WATCH_MAX 16 /* bounds */

/* An absence was too long from at_ns on. */
struct watch_hit {
	const struct assertion *bound;
	__u32 vcpu, tid;
	__u64 at_ns;
	struct absence absence; /* to = at_ns while it is open */
};

struct watch {
	const struct assertion *bound[WATCH_MAX];
	unsigned bounds;
	__u64 shortest;		  /* no absence is too long before it is this long */
	__u64 patience[KS_R_CNT]; /* ... by its reason, while it goes on; ~0: never */
	struct idmap vcpus;
	struct watch_wait *heap; /* the earliest first */
	__u32 waiting, room;
	__u64 since; /* absences that the snapshot found are as old as it is */
	int err;
};

/* bound[]: of one absence each (assertion__parse_bound()), the caller's. */
void watch__init(struct watch *w, const struct assertion *bound, unsigned bounds);
void watch__free(struct watch *w);

/* A vCPU's record, or any other. true: this absence has ended and was too long; not told before. */
bool watch__record(struct watch *w, const struct ks_head *r, struct watch_hit *hit);

/* The next absence that goes on, as far as is known, and was too long before now. */
bool watch__open(struct watch *w, __u64 now, struct watch_hit *hit);

/* When the next one may be: ~0 = none that is known. */
__u64 watch__next(struct watch *w);

#endif
