/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many streams into one: records in order of time, of equal times the descriptors' (the last
 * stream's) first, then the lower stream's. Each stream is in order itself. Pure but for the
 * callback that brings a stream's next stretch.
 */
#ifndef KVMSCHED_ORDER_H
#define KVMSCHED_ORDER_H

#include <stddef.h>
#include <linux/types.h>
#include "wire.h"

struct order;

/* The stream's next records: 1 and *data, *bytes; 0 = nothing now; -errno. What an earlier call for
 * the same stream gave is no longer used. */
typedef int (*order_fill_fn)(void *ctx, unsigned stream, const __u8 **data, size_t *bytes);

struct order *order__new(unsigned streams, order_fill_fn fill, void *ctx); /* NULL: no memory */

/* The earliest record with ts < until, valid until the next call, or NULL: none now, or *err < 0.
 */
const struct ks_head *order__next(struct order *o, __u64 until, int *err);

/* Bytes that decode__check() refused, or that went back in time; the rest of their stretch was
 * dropped. */
__u64 order__refused(const struct order *o);

void order__free(struct order *o); /* NULL is fine */

#endif
