/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last records of every stream, in memory of a fixed size: blocks, of which the oldest is given
 * up when none is free. Knows how long a record is and when it was; whoever wants to know what is
 * forgotten is told each record as it goes.
 *
 *	hold__new -> hold__put ..., hold__forget ... -> hold__free
 */
#ifndef KVMSCHED_FLIGHT_HOLD_H
#define KVMSCHED_FLIGHT_HOLD_H

#include <stddef.h>
#include <linux/types.h>
#include "wire.h"

struct hold_block {
	struct hold_block *next;
	__u64 last_ts;
	__u64 bytes;
	char data[];
};

/* Where someone reads a stream: behind what he has read. NULL: before whatever comes next. */
struct hold_cursor {
	struct hold_block *block;
	size_t at;
};

struct hold_stream {
	struct hold_block *head, *tail;
	size_t skip; /* bytes of head that are forgotten */
	struct hold_cursor cursor;
};

struct hold_listener {
	/* The oldest block of a stream is about to be given up for want of room: whoever reads
	 * behind the cursor reads it now, or never. */
	void (*leaving)(void *ctx, unsigned stream);
	/* some records of a stream, in order */
	void (*forgotten)(void *ctx, const char *records, size_t bytes);
	void *ctx;
};

struct hold {
	unsigned streams;
	size_t block_bytes; /* of records */
	__u32 blocks, blocks_max;
	struct hold_block *spare;
	__u64 whole_from; /* since then, nothing was forgotten */
	__u64 pushed_out; /* ... and since then nothing for want of room */
	struct hold_listener to;
	struct hold_stream stream[];
};

/* At most `bytes`, all told. -EINVAL: too little for so many streams, which then need *least. */
int hold__new(struct hold **h, unsigned streams, __u64 bytes, const struct hold_listener *l,
	      __u64 *least);

/* The stream's next records, whole and in order; of all streams but the last one each has
 * KS_RECORD_MAX bytes. 0 or -ENOMEM. */
int hold__put(struct hold *h, unsigned stream, const void *records, size_t bytes);

/* Forgets blocks in which all is older than `before`. */
void hold__age(struct hold *h, __u64 before);

/* Forgets every record that is older. */
void hold__forget(struct hold *h, __u64 before);

/* The records behind the cursor, up to the end of their block: their length, and *at. 0: none. */
size_t hold__peek(struct hold *h, unsigned stream, const char **at);
void hold__pass(struct hold *h, unsigned stream, size_t bytes);

/* All cursors to the oldest records. */
void hold__rewind(struct hold *h);

/* The oldest of the records that are held, and so on: for (c = {}; (r = hold__next(h, i, &c));) */
const struct ks_head *hold__next(const struct hold *h, unsigned stream, struct hold_cursor *c);

void hold__free(struct hold *h); /* NULL is fine */

#endif
