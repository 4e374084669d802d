/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table by id, for ids that are dense, only grow, and in time are dropped again: vCPUs, VMs. Its
 * memory follows what is in it, not how many there ever were.
 */
#ifndef KVMSCHED_IDMAP_H
#define KVMSCHED_IDMAP_H

#include <stddef.h>
#include <linux/types.h>

#define IDMAP_PAGE 64 /* ids; a page is freed with its last */

struct idmap_page {
	__u64 used; /* bits */
	char data[];
};

struct idmap {
	size_t size; /* of an entry: set by the caller, a multiple of 8 */
	struct idmap_page **page;
	__u32 pages;
	__u32 count; /* entries */
};

/* NULL: there is none. */
static inline void *idmap__get(const struct idmap *m, __u32 id)
{
	const struct idmap_page *p = id / IDMAP_PAGE < m->pages ? m->page[id / IDMAP_PAGE] : NULL;

	if (!p || !(p->used & 1ULL << id % IDMAP_PAGE))
		return NULL;
	return (void *)(p->data + id % IDMAP_PAGE * m->size);
}

/* The entry, made of zeroes if there was none. NULL: no memory. It stays where it is. */
void *idmap__make(struct idmap *m, __u32 id);

void idmap__drop(struct idmap *m, __u32 id);

/* All of them, by id: for (at = 0; (e = idmap__next(m, &at));), *at then being id + 1. The current
 * one may be dropped. */
void *idmap__next(const struct idmap *m, __u32 *at);

void idmap__free(struct idmap *m);

#endif
