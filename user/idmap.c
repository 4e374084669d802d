// SPDX-License-Identifier: BSD-2-Clause
/* Pages of entries, and a table of pages. */
#include <stdlib.h>
#include <string.h>
#include "by_id.h"
#include "idmap.h"

void *idmap__make(struct idmap *m, __u32 id)
{
	void *e = idmap__get(m, id);
	struct idmap_page **p;

	if (e)
		return e;
	p = by_id__at(&m->page, &m->pages, sizeof(*p), id / IDMAP_PAGE);
	if (p && !*p)
		*p = calloc(1, sizeof(**p) + IDMAP_PAGE * m->size);
	if (!p || !*p)
		return NULL;
	(*p)->used |= 1ULL << id % IDMAP_PAGE;
	m->count++;
	e = (*p)->data + id % IDMAP_PAGE * m->size;
	return memset(e, 0, m->size);
}

void idmap__drop(struct idmap *m, __u32 id)
{
	struct idmap_page **p;

	if (!idmap__get(m, id))
		return;
	p = &m->page[id / IDMAP_PAGE];
	(*p)->used &= ~(1ULL << id % IDMAP_PAGE);
	m->count--;
	if ((*p)->used)
		return;
	free(*p);
	*p = NULL;
}

void *idmap__next(const struct idmap *m, __u32 *at)
{
	while (*at / IDMAP_PAGE < m->pages) {
		void *e = idmap__get(m, *at);

		*at = m->page[*at / IDMAP_PAGE] ? *at + 1 : (*at / IDMAP_PAGE + 1) * IDMAP_PAGE;
		if (e)
			return e;
	}
	return NULL;
}

void idmap__free(struct idmap *m)
{
	for (__u32 i = 0; i < m->pages; i++)
		free(m->page[i]);
	free(m->page);
	m->page = NULL;
	m->pages = m->count = 0;
}
