/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel keeps of each vCPU in aggregation (struct ks_agg), read from the memory it is
 * shared in, never half of an event. Pure: it knows the memory, not where it comes from, and not
 * what the numbers mean.
 */
#ifndef KVMSCHED_SUMS_H
#define KVMSCHED_SUMS_H

#include <stdbool.h>
#include "wire.h"

/* The shared memory. */
struct sums {
	const struct ks_slot *slot; /* KS_SLOTS */
	struct ks_agg *agg;
	__u32 *owner; /* of each agg[] */
	struct ks_ctl *ctl;
	__u32 places; /* in agg[]; 0: there is no aggregation */
};

/* One vCPU's, as of one moment. */
struct sums_vcpu {
	struct ks_agg a; /* of a histogram, only the buckets up to the greatest value are set */
	__u64 at_ns;	 /* the moment; the window's end once it has passed */
	struct ks_now now;
	__u32 id; /* as its descriptor has it; used again once its place is free */
	__u32 tid;
	__u16 cpu;
	bool dead;
};

/* false: no vCPU that the filters want has this place. */
bool sums__read(const struct sums *m, __u32 place, struct sums_vcpu *out);

/* What a dead vCPU leaves has been taken: its place is for the next. */
void sums__free(const struct sums *m, __u32 place);

/* vCPUs that died since the last sums__free(), as far as is known. */
__u32 sums__dead(const struct sums *m);

#endif
