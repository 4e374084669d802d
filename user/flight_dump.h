/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One dump of the flight recorder: a recording that begins with what is held and goes on with what
 * comes, up to its end. It is written behind the hold's cursors, some at a time, and is a sound
 * recording at every moment, as any that is being made.
 *
 *	dump__begin -> { dump__write, dump__commit } ... -> dump__end, or dump__discard
 */
#ifndef KVMSCHED_FLIGHT_DUMP_H
#define KVMSCHED_FLIGHT_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include "ctf_writer.h"
#include "flight_hold.h"
#include "flight_who.h"
#include "session.h"

#define DUMP_DIR_MAX 4096

struct dump {
	struct ctf_writer *writer; /* NULL: none is being written */
	struct hold *hold;
	struct who *who;
	struct session s; /* start_ns, end_ns: its own */
	char dir[DUMP_DIR_MAX];
};

/* The number of the next dump: more than that of any that is there. */
unsigned dump__number(const char *dir);

/* DIR.N. -ENAMETOOLONG, having said so. */
int dump__name(const char *dir, unsigned number, char out[DUMP_DIR_MAX]);

/* h and w stand at s->start_ns. d->dir is set. On failure says why, and leaves nothing behind. */
int dump__begin(struct dump *d, struct hold *h, struct who *w, const struct session *s,
		const struct ctf_writer_opts *o);

/* Writes about as many bytes. 1: there is more, 0: not now, -errno: having said why. */
int dump__write(struct dump *d, size_t bytes);

/* Of one stream, what is left of the block at its cursor. */
int dump__write_block(struct dump *d, unsigned stream);

/* discarded: per stream, since s.start_ns. */
int dump__commit(struct dump *d, const __u64 *discarded, __u64 watermark_ns);

/* Ends it at d->s.end_ns, when all up to it was written: with what is still missing by then, which
 * is added to the last of discarded. */
int dump__end(struct dump *d, __u64 *discarded);

/* Leaves nothing behind. */
void dump__discard(struct dump *d);

#endif
