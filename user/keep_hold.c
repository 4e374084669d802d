// SPDX-License-Identifier: BSD-2-Clause
/* A ring that overwrites its oldest record, and a pile that doubles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "keep_hold.h"
#include "record.h"

int keep_ring__init(struct keep_ring *r, __u32 places)
{
	r->places = places;
	r->place = calloc(places, sizeof(*r->place));
	return r->place ? 0 : -ENOMEM;
}

const struct ks_head *keep_ring__leaving(const struct keep_ring *r)
{
	return r->count < r->places ? NULL : (const void *)r->place[r->count % r->places];
}

void keep_ring__put(struct keep_ring *r, const struct ks_head *h)
{
	memcpy(r->place[r->count++ % r->places], h, record__size(h->type));
}

const struct ks_head *keep_ring__at(const struct keep_ring *r, __u64 i)
{
	__u64 first = r->count > r->places ? r->count - r->places : 0;

	return first + i < r->count ? (const void *)r->place[(first + i) % r->places] : NULL;
}

int keep_pile__put(struct keep_pile *p, const void *data, size_t bytes)
{
	size_t room = p->room ?: 4096;

	while (room < p->bytes + bytes)
		room *= 2;
	if (room != p->room) {
		char *grown = realloc(p->data, room);

		if (!grown)
			return -ENOMEM;
		p->data = grown;
		p->room = room;
	}
	memcpy(p->data + p->bytes, data, bytes);
	p->bytes += bytes;
	p->count++;
	return 0;
}
