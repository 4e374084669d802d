/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a recording (docs/kvmsched-ctf.5). It distrusts every byte of metadata and packets, but not
 * the records themselves: of those it only finds where they end.
 *
 *	ctf_reader__open -> ctf_reader__next per stream ... [ctf_reader__seek or __rewind ...]
 *	-> ctf_reader__damaged -> ctf_reader__free
 *
 * Memory: one small buffer per stream in use, and some 40 bytes per packet. A recording that is
 * being written can be read: what was stored when it was opened is seen.
 */
#ifndef KVMSCHED_CTF_READER_H
#define KVMSCHED_CTF_READER_H

#include <stddef.h>
#include <linux/types.h>
#include "session.h"

struct ctf_reader;

/* Some records of one stream: whole, back to back. */
struct ctf_chunk {
	const __u8 *data;
	size_t bytes; /* never 0 */
	unsigned stream;
	unsigned cpu;	/* the same number; the descriptors' stream has session.cpus */
	__u64 ts_begin; /* of the packet that the chunk is a part of */
	__u64 ts_end;
	__u64 discarded; /* records of the stream that were lost until the end of that packet */
};

/* Opens dir and fills *s. Of a recording without an end (ctf_reader__clean() is 0) s->end_ns is how
 * far it is complete. On failure says why and returns -errno: -ENOENT, -ENOTDIR, ...; -EINVAL not a
 * kvmsched recording; -EPROTONOSUPPORT newer, or of the other byte order; -EBADMSG metadata
 * damaged. Packets that are damaged are no failure, see ctf_reader__damaged(). */
int ctf_reader__open(struct ctf_reader **r, const char *dir, struct session *s);

/* How many streams there are: session.cpus + 1. */
unsigned ctf_reader__streams(const struct ctf_reader *r);

/* The stream's next records: 1 and *c, or 0 at its end, or -errno having said why. c->data is valid
 * until the next call for this stream, rewind, seek or free. */
int ctf_reader__next(struct ctf_reader *r, unsigned stream, struct ctf_chunk *c);

/* Puts all streams back to their beginning. Returns 0. */
int ctf_reader__rewind(struct ctf_reader *r);

/* Puts all streams to the first packet that can hold a record with ts >= from_ns: earlier records
 * may still come, none with a later ts is left out. Returns 0. */
int ctf_reader__seek(struct ctf_reader *r, __u64 from_ns);

/* How many records of the stream were lost when it was recorded. */
__u64 ctf_reader__discarded(const struct ctf_reader *r, unsigned stream);

/* 1 if the recorder ended it, 0 if it was killed or is still at it. */
int ctf_reader__clean(const struct ctf_reader *r);

/* How many damages were found, each told on stderr (the first few): files truncated, missing, or
 * with something else in them. Final when all streams were read to their end. Whoever gets more
 * than 0 must not show what was read as the whole. */
unsigned ctf_reader__damaged(const struct ctf_reader *r);

void ctf_reader__free(struct ctf_reader *r); /* NULL is fine */

#endif
