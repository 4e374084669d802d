/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place that distrusts a record's bytes: behind it, ids, enumerations and strings are sound
 * and may index tables. What a record claims (times, flags, sequence numbers) is not judged here.
 */
#ifndef KVMSCHED_DECODE_H
#define KVMSCHED_DECODE_H

#include <stddef.h>
#include "wire.h"

#define DECODE_VCPU_MAX (1U << 22) /* ids in a recording; ids start at 1 */

/* Checks the record at p, of which `left` bytes are there. Returns its length, or 0: no such type,
 * cut off, or a field out of its range. */
size_t decode__check(const void *p, size_t left);

#endif
