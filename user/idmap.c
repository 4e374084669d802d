// SPDX-License-Identifier: BSD-2-Clause
/* Pages of entries, and a table of pages. */
#include <stdlib.h>
#include <string.h>
#include "idmap.h"

static int grow(struct idmap *m, __u32 pages)
{
	__u32 want = m->pages ?: 16;
	struct idmap_page **grown;

	while (want < pages)
		want *= 2;
	if (want == m->pages)
		return 1;
	grown = realloc(m->page, want * sizeof(*grown));
	if (!grown)
		return 0;
	memset(grown + m->pages, 0, (want - m->pages) * sizeof(*grown));
	m->page = grown;
	m->pages = want;
	return 1;
}

void *idmap__make(struct idmap *m, __u32 id)
{
	void *e = idmap__get(m, id);
	struct idmap_page **p;

	if (e)
		return e;
	if (!grow(m, id / IDMAP_PAGE + 1))
		return NULL;
	p = &m->page[id / IDMAP_PAGE];
	if (!*p)
		*p = calloc(1, sizeof(**p) + IDMAP_PAGE * m->size);
	if (!*p)
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
