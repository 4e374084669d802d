// SPDX-License-Identifier: BSD-2-Clause
/*
 * Opens a recording and hands its records out. Packets are read piecewise into one buffer per
 * stream: a mapped file that somebody truncates kills the reader with SIGBUS, a short read is just
 * a damage, and the memory is the same for every length of recording. A piece ends with a whole
 * record.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctf_dir.h"
#include "ctf_index.h"
#include "ctf_metadata.h"
#include "ctf_packet.h"
#include "ctf_reader.h"
#include "err.h"
#include "record.h"

/* Stays in a CPU's second cache until its records were looked at. */
#define PIECE_BYTES (128U << 10)
_Static_assert(PIECE_BYTES >= RECORD_MAX, "a piece holds a record");

/* Where a stream's reading has got to. */
struct position {
	size_t packet; /* index into index_stream.packet */
	__u32 offset;  /* bytes of its records already handed out */
	__u8 *buf;     /* PIECE_BYTES; NULL until first needed */
};

struct ctf_reader {
	char *dir;
	struct ctf_index x;
	int clean;
	struct position *at; /* one per stream */
};

/* ---- opening ------------------------------------------------------------------------------ */

static int read_metadata(struct ctf_reader *r)
{
	char path[4200], *text;
	size_t len;
	int err = ctf_dir__read(r->x.dir_fd, CTF_METADATA_NAME, CTF_METADATA_MAX, &text, &len);

	snprintf(path, sizeof(path), "%s/%s", r->dir, CTF_METADATA_NAME);
	if (err == -ENOENT)
		return err__say(ENOENT, "%s: not a recording, it has no %s", r->dir,
				CTF_METADATA_NAME);
	if (err)
		return err__say(err, "%s", path);
	err = ctf_metadata__parse(path, text, len, &r->x.meta);
	free(text);
	return err;
}

/* 1 and *p, or 0 if there is none: an older one is of use, a torn one is not. */
static int read_progress(const struct ctf_reader *r, struct ctf_progress *p)
{
	char *text;
	size_t len;

	if (ctf_dir__read(r->x.dir_fd, CTF_PROGRESS_NAME, sizeof(*p), &text, &len))
		return 0;
	if (len == sizeof(*p))
		memcpy(p, text, len);
	free(text);
	return len == sizeof(*p);
}

/* A recording that was not ended: its window ends where the recorder had everything, or, without
 * that knowledge, with the last packet. */
static void end_session(const struct ctf_reader *r, const struct ctf_progress *p, struct session *s)
{
	__u64 end_ns = p->watermark_ns;

	if (end_ns < s->start_ns || end_ns > INT64_MAX)
		end_ns = r->x.last_ts;
	s->end_ns = end_ns > s->start_ns ? end_ns : s->start_ns;
	s->wall_end_ns = s->wall_start_ns;
}

/* .progress is read before the packets: they may go on growing, and must have at least what it
 * says. */
static int load(struct ctf_reader *r, struct session *s)
{
	struct ctf_progress p = {};
	int err;

	r->x.dir_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->x.dir_fd < 0)
		return err__say(errno, "%s", r->dir);
	if (!read_progress(r, &p))
		memset(&p, 0, sizeof(p));
	err = read_metadata(r);
	if (err)
		return err;
	r->clean = r->x.meta.session.end_ns != 0;
	err = ctf_index__build(&r->x, r->clean ? r->x.meta.event_bytes : p.event_bytes);
	if (err)
		return err;
	r->at = calloc(r->x.streams, sizeof(*r->at));
	if (!r->at)
		return err__say(ENOMEM, "%s", r->dir);
	*s = r->x.meta.session;
	if (!r->clean)
		end_session(r, &p, s);
	return 0;
}

int ctf_reader__open(struct ctf_reader **out, const char *dir, struct session *s)
{
	struct ctf_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return err__say(ENOMEM, "%s", dir);
	r->x.dir_fd = -1;
	r->x.dir = r->dir = strdup(dir);
	err = r->dir ? load(r, s) : err__say(ENOMEM, "%s", dir);
	if (err) {
		ctf_reader__free(r);
		return err;
	}
	*out = r;
	return 0;
}

void ctf_reader__free(struct ctf_reader *r)
{
	if (!r)
		return;
	for (unsigned i = 0; r->at && i < r->x.streams; i++)
		free(r->at[i].buf);
	free(r->at);
	ctf_index__free(&r->x);
	if (r->x.dir_fd >= 0)
		close(r->x.dir_fd);
	free(r->dir);
	free(r);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* How many of the bytes are whole records, from the first on. */
static size_t whole_records(const __u8 *data, size_t bytes)
{
	size_t len = 0;

	while (bytes - len >= sizeof(struct ks_head)) {
		size_t size = record__size(((const struct ks_head *)(data + len))->type);

		if (!size || size > bytes - len)
			break;
		len += size;
	}
	return len;
}

/* Opened for each piece: with a descriptor per stream, a big host's recording would need more of
 * them than a process may have. */
static long read_piece(const struct ctf_reader *r, const char *name, void *buf, size_t bytes,
		       __u64 offset)
{
	int fd = openat(r->x.dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	long n;

	if (fd < 0)
		return -errno;
	n = ctf_io__read(fd, buf, bytes, offset);
	close(fd);
	return n;
}

/* The rest of the packet is of no use: the next record cannot be told from what follows it. */
static void give_up_packet(struct ctf_reader *r, struct index_packet *p, const char *name,
			   __u64 offset, const char *what)
{
	if (!p->told && !p->cut)
		ctf_index__damage(&r->x, name, "%s at byte %llu, the rest of it is left out", what,
				  (unsigned long long)offset);
	p->told = 1;
}

/* The next piece of a packet: bytes, 0 = nothing left, or -errno. */
static long next_piece(struct ctf_reader *r, unsigned stream, struct index_packet *p,
		       struct position *at)
{
	const __u32 left = p->bytes - at->offset, want = left < PIECE_BYTES ? left : PIECE_BYTES;
	const __u64 offset = sizeof(struct ctf_packet) + at->offset;
	char name[CTF_NAME_MAX];
	size_t whole;
	long n;

	if (!left)
		return 0;
	if (!at->buf)
		at->buf = malloc(PIECE_BYTES);
	if (!at->buf)
		return err__say(ENOMEM, "%s", r->dir);
	ctf_index__name(&r->x, stream, p->seq, name);
	n = read_piece(r, name, at->buf, want, offset);
	if (n < 0)
		return err__say(n, "%s/%s", r->dir, name);
	whole = whole_records(at->buf, n);
	at->offset += whole;
	if (n < want || (n == left && whole < (size_t)n) || !whole) {
		give_up_packet(r, p, name, offset + whole, n < want ? "truncated" : "not a record");
		at->offset = p->bytes;
	}
	return whole;
}

int ctf_reader__next(struct ctf_reader *r, unsigned stream, struct ctf_chunk *c)
{
	struct index_stream *s = &r->x.stream[stream];
	struct position *at = &r->at[stream];

	for (; at->packet < s->cnt; at->packet++, at->offset = 0) {
		struct index_packet *p = &s->packet[at->packet];
		long n = next_piece(r, stream, p, at);

		if (n < 0)
			return n;
		if (!n)
			continue;
		*c = (struct ctf_chunk){
			.data = at->buf,
			.bytes = n,
			.stream = stream,
			.cpu = stream,
			.ts_begin = p->ts_begin,
			.ts_end = p->ts_end,
			.discarded = p->discarded,
		};
		return 1;
	}
	return 0;
}

int ctf_reader__rewind(struct ctf_reader *r)
{
	return ctf_reader__seek(r, 0);
}

int ctf_reader__seek(struct ctf_reader *r, __u64 from_ns)
{
	for (unsigned i = 0; i < r->x.streams; i++) {
		const struct index_stream *s = &r->x.stream[i];
		struct position *at = &r->at[i];

		at->offset = 0;
		for (at->packet = 0; at->packet < s->cnt; at->packet++) {
			if (s->packet[at->packet].ts_end >= from_ns)
				break;
		}
	}
	return 0;
}

/* ---- what else is known ------------------------------------------------------------------- */

unsigned ctf_reader__streams(const struct ctf_reader *r)
{
	return r->x.streams;
}

__u64 ctf_reader__discarded(const struct ctf_reader *r, unsigned stream)
{
	const struct index_stream *s = &r->x.stream[stream];

	return s->cnt ? s->packet[s->cnt - 1].discarded : 0;
}

int ctf_reader__clean(const struct ctf_reader *r)
{
	return r->clean;
}

unsigned ctf_reader__damaged(const struct ctf_reader *r)
{
	return r->x.damaged;
}
