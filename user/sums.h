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

/* The shared memory. agg[i] belongs to slot[i]. */
struct sums {
	struct ks_slot *slot;
	struct ks_agg *agg;
	struct ks_ctl *ctl;
	__u32 slots; /* 0: there is no aggregation */
};

/* One vCPU's, as of one moment. */
struct sums_vcpu {
	struct ks_agg a; /* of a histogram, only buckets that have a value are set */
	__u64 at_ns;	 /* the moment; the window's end once it has passed */
	__u64 born_ns;	 /* when it was first seen */
	__u32 id;	 /* as its descriptor has it; used again once the slot is free */
	__u32 tid;
	__u16 cpu;
	bool created; /* at born_ns; else it was there before */
	bool dead;
};

/* false: the slot has no vCPU that the filters want. */
bool sums__read(const struct sums *m, __u32 slot, struct sums_vcpu *out);

/* What a dead vCPU leaves has been taken: its slot is for the next. */
void sums__free(const struct sums *m, __u32 slot);

/* vCPUs that died since the last sums__free(), as far as is known. */
__u32 sums__dead(const struct sums *m);

#endif
