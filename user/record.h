/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a record is, by its type. In a stream records stand back to back, so this is what steps
 * from one to the next. Every length is a multiple of 8.
 */
#ifndef KVMSCHED_RECORD_H
#define KVMSCHED_RECORD_H

#include <stddef.h>
#include "wire.h"

#define RECORD_MAX sizeof(struct ks_name) /* the longest of all */

/* Length in bytes, 0 = no such type. */
static inline size_t record__size(__u8 type)
{
	static const __u16 size[256] = {
		[KS_OUT] = sizeof(struct ks_out),     [KS_IN] = sizeof(struct ks_in),
		[KS_LOADS] = sizeof(struct ks_loads), [KS_LOAD] = sizeof(struct ks_load),
		[KS_PUT] = sizeof(struct ks_load),    [KS_VCPU] = sizeof(struct ks_vcpu),
		[KS_GONE] = sizeof(struct ks_gone),   [KS_TASK] = sizeof(struct ks_task),
		[KS_SNAP] = sizeof(struct ks_snap),   [KS_VM] = sizeof(struct ks_vm),
		[KS_NAME] = sizeof(struct ks_name),
	};

	return size[type];
}

/* The stream that a record was in: that of its CPU, or the descriptors'. What user space adds at
 * the end is in the latter, which the record does not tell. */
static inline unsigned record__stream(const struct ks_head *h, unsigned cpus)
{
	const void *p = h;
	unsigned cpu = cpus;

	if (h->type == KS_OUT)
		cpu = ((const struct ks_out *)p)->cpu;
	else if (h->type == KS_IN)
		cpu = ((const struct ks_in *)p)->cpu;
	else if (h->type == KS_LOADS)
		cpu = ((const struct ks_loads *)p)->cpu;
	else if (h->type == KS_LOAD || h->type == KS_PUT)
		cpu = ((const struct ks_load *)p)->cpu;
	return cpu < cpus ? cpu : cpus;
}

#endif
