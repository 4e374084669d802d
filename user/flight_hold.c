// SPDX-License-Identifier: BSD-2-Clause
/*
 * A list of blocks per stream. A block is as small as it takes to have several per stream, so that
 * a stream in which little happens does not hold much of the room.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flight_hold.h"
#include "record.h"

#define BLOCK_MAX 65536U
#define BLOCK_MIN 4096U

int hold__new(struct hold **out, unsigned streams, __u64 bytes, const struct hold_listener *l,
	      __u64 *least)
{
	__u64 block = bytes / (8 * streams) & ~4095ULL;
	struct hold *h;

	*least = 2ULL * streams * BLOCK_MIN;
	if (bytes < *least)
		return -EINVAL;
	block = block < BLOCK_MIN ? BLOCK_MIN : block > BLOCK_MAX ? BLOCK_MAX : block;
	h = calloc(1, sizeof(*h) + streams * sizeof(h->stream[0]));
	if (!h)
		return -ENOMEM;
	h->streams = streams;
	h->block_bytes = block - sizeof(struct hold_block);
	h->blocks_max = bytes / block;
	h->to = *l;
	*out = h;
	return 0;
}

void hold__free(struct hold *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i <= h->streams; i++) {
		struct hold_block *b = i < h->streams ? h->stream[i].head : h->spare, *next;

		for (; b; b = next) {
			next = b->next;
			free(b);
		}
	}
	free(h);
}

/* ---- forgetting --------------------------------------------------------------------------- */

static const struct ks_head *head_at(const struct hold_block *b, size_t at)
{
	return (const struct ks_head *)(b->data + at);
}

static void forget_up_to(struct hold *h, struct hold_stream *s, size_t at)
{
	if (at > s->skip)
		h->to.forgotten(h->to.ctx, s->head->data + s->skip, at - s->skip);
	s->skip = at;
}

static void forget_block(struct hold *h, struct hold_stream *s)
{
	struct hold_block *b = s->head;

	forget_up_to(h, s, b->bytes);
	if (b->last_ts >= h->whole_from)
		h->whole_from = b->last_ts + 1;
	if (s->cursor.block == b)
		s->cursor = (struct hold_cursor){.block = b->next};
	s->head = b->next;
	s->skip = 0;
	if (!s->head)
		s->tail = NULL;
	b->next = h->spare;
	h->spare = b;
}

void hold__age(struct hold *h, __u64 before)
{
	for (unsigned i = 0; i < h->streams; i++)
		while (h->stream[i].head && h->stream[i].head->last_ts < before)
			forget_block(h, &h->stream[i]);
}

void hold__forget(struct hold *h, __u64 before)
{
	hold__age(h, before);
	for (unsigned i = 0; i < h->streams; i++) {
		struct hold_stream *s = &h->stream[i];

		size_t at = s->skip;

		if (!s->head)
			continue;
		while (head_at(s->head, at)->ts < before) /* the last one of a block is not older */
			at += record__size(head_at(s->head, at)->type);
		forget_up_to(h, s, at);
	}
	if (before > h->whole_from)
		h->whole_from = before;
}

/* The stream whose oldest block ended first. */
static unsigned oldest(const struct hold *h)
{
	unsigned found = 0;
	__u64 ts = ~0ULL;

	for (unsigned i = 0; i < h->streams; i++) {
		if (!h->stream[i].head || h->stream[i].head->last_ts >= ts)
			continue;
		found = i;
		ts = h->stream[i].head->last_ts;
	}
	return found;
}

/* ---- holding ------------------------------------------------------------------------------ */

static struct hold_block *block(struct hold *h)
{
	struct hold_block *b;

	if (!h->spare && h->blocks >= h->blocks_max) {
		unsigned i = oldest(h);

		h->to.leaving(h->to.ctx, i);
		forget_block(h, &h->stream[i]);
		h->pushed_out = h->whole_from;
	}
	b = h->spare;
	if (b) {
		h->spare = b->next;
	} else {
		b = malloc(sizeof(*b) + h->block_bytes);
		h->blocks += !!b;
	}
	if (b)
		memset(b, 0, sizeof(*b));
	return b;
}

static struct hold_block *add_block(struct hold *h, struct hold_stream *s)
{
	struct hold_block *b = block(h);

	if (!b)
		return NULL;
	if (s->tail)
		s->tail->next = b;
	else
		s->head = b;
	s->tail = b;
	return b;
}

/* How many bytes of whole records fit. Those of a CPU all have one length; only the last stream's,
 * the descriptors', have to be looked at. */
static size_t fitting(const struct hold *h, unsigned stream, const char *p, size_t bytes,
		      size_t room)
{
	size_t at = 0, size;

	if (stream + 1 < h->streams) {
		at = bytes < room ? bytes : room;
		return at - at % KS_RECORD_MAX;
	}
	for (; at < bytes; at += size) {
		size = record__size(((const struct ks_head *)(p + at))->type);
		if (at + size > room)
			break;
	}
	return at;
}

static __u64 last_ts(const struct hold *h, unsigned stream, const char *p, size_t bytes)
{
	size_t at = 0, size;

	if (stream + 1 < h->streams)
		return ((const struct ks_head *)(p + bytes - KS_RECORD_MAX))->ts;
	for (;; at += size) {
		size = record__size(((const struct ks_head *)(p + at))->type);
		if (at + size >= bytes)
			return ((const struct ks_head *)(p + at))->ts;
	}
}

int hold__put(struct hold *h, unsigned stream, const void *records, size_t bytes)
{
	struct hold_stream *s = &h->stream[stream];
	const char *p = records;

	while (bytes) {
		struct hold_block *b = s->tail;
		size_t n = b ? fitting(h, stream, p, bytes, h->block_bytes - b->bytes) : 0;

		if (!n) {
			if (!add_block(h, s))
				return -ENOMEM;
			continue;
		}
		memcpy(b->data + b->bytes, p, n);
		b->last_ts = last_ts(h, stream, p, n);
		b->bytes += n;
		p += n;
		bytes -= n;
	}
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* To where there is something to read, if there is. */
static struct hold_cursor settle(const struct hold_stream *s, struct hold_cursor c)
{
	if (!c.block)
		c = (struct hold_cursor){.block = s->head, .at = s->skip};
	if (c.block == s->head && c.at < s->skip)
		c.at = s->skip;
	while (c.block && c.at >= c.block->bytes && c.block->next)
		c = (struct hold_cursor){.block = c.block->next};
	return c;
}

size_t hold__peek(struct hold *h, unsigned stream, const char **at)
{
	struct hold_stream *s = &h->stream[stream];

	s->cursor = settle(s, s->cursor);
	if (!s->cursor.block)
		return 0;
	*at = s->cursor.block->data + s->cursor.at;
	return s->cursor.block->bytes - s->cursor.at;
}

void hold__pass(struct hold *h, unsigned stream, size_t bytes)
{
	h->stream[stream].cursor.at += bytes;
}

void hold__rewind(struct hold *h)
{
	for (unsigned i = 0; i < h->streams; i++)
		h->stream[i].cursor = (struct hold_cursor){.block = NULL};
}

const struct ks_head *hold__next(const struct hold *h, unsigned stream, struct hold_cursor *c)
{
	const struct ks_head *r;

	*c = settle(&h->stream[stream], *c);
	if (!c->block || c->at >= c->block->bytes)
		return NULL;
	r = head_at(c->block, c->at);
	c->at += record__size(r->type);
	return r;
}
