/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays by the model's ids, which are small and dense: they double when an id lies behind their
 * end. An array is a pointer and how many entries it has; both are zero at first, and whoever has
 * it reads it as any array, and frees it. For ids that only grow, and are dropped again, see
 * idmap.h.
 */
#ifndef KVMSCHED_BY_ID_H
#define KVMSCHED_BY_ID_H

#include <stddef.h>
#include <string.h>
#include <linux/types.h>

/* array: where the pointer to *room entries of size bytes is. 0 or -ENOMEM. */
int by_id__grow(void *array, __u32 *room, size_t size, __u32 id);

/* The entry, all zeroes at first; until the next call that grows the array. NULL: no memory. */
static inline void *by_id__at(void *array, __u32 *room, size_t size, __u32 id)
{
	char *entry;

	if (id >= *room && by_id__grow(array, room, size, id))
		return NULL;
	memcpy(&entry, array, sizeof(entry));
	return entry + id * size;
}

#endif
