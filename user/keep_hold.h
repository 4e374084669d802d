/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that keep.c holds in memory: the last ones in a ring, or any in a pile. Knows only how
 * long a record is.
 */
#ifndef KVMSCHED_KEEP_HOLD_H
#define KVMSCHED_KEEP_HOLD_H

#include <stddef.h>
#include <linux/types.h>
#include "wire.h"

struct keep_ring {
	char (*place)[KS_RECORD_MAX];
	__u32 places;
	__u64 count; /* put in so far */
};

/* Bytes that grow. */
struct keep_pile {
	char *data;
	size_t bytes, room;
	__u32 count;
};

/* 0 or -ENOMEM. */
int keep_ring__init(struct keep_ring *r, __u32 places);

/* The record that has to go when the next one comes, or NULL. */
const struct ks_head *keep_ring__leaving(const struct keep_ring *r);

/* A record of at most KS_RECORD_MAX bytes. */
void keep_ring__put(struct keep_ring *r, const struct ks_head *h);

/* The i-th of those that are still there, or NULL; the oldest is 0. */
const struct ks_head *keep_ring__at(const struct keep_ring *r, __u64 i);

/* Bytes behind what is there; counts them as one. 0 or -ENOMEM. */
int keep_pile__put(struct keep_pile *p, const void *data, size_t bytes);

#endif
