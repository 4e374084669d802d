// SPDX-License-Identifier: BSD-2-Clause
/*
 * The recorder's side of a recording: metadata, rounds, beginning and end; ctf_stream.c has the
 * packets. As there, a file gets its name when it is complete, so the recording is valid at every
 * instant.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>
#include "ctf_dir.h"
#include "ctf_metadata.h"
#include "ctf_packet.h"
#include "ctf_stream.h"
#include "ctf_writer.h"
#include "err.h"
#include "record.h"

struct ctf_writer {
	char *dir;
	int dir_fd;
	int progress_fd;
	int spare_fd; /* .metadata: what the final metadata is written into */
	struct ctf_metadata meta;
	__u64 metadata_bytes;
	__u64 max_bytes;
	unsigned streams;
	int created; /* the directory was not there */
	int told;    /* that records could not be stored */
	struct ctf_stream stream[];
};

/* ---- records ------------------------------------------------------------------------------ */

static const struct ks_head *head_at(const struct ctf_run *r, size_t offset)
{
	return (const struct ks_head *)(r->records + offset);
}

/* Splits off what fits into room bytes, perhaps nothing, from the front of rest. -EINVAL: not whole
 * records; *rest is untouched then. */
static int take(struct ctf_run *rest, size_t room, struct ctf_run *front)
{
	size_t len = 0;

	*front = *rest;
	if (rest->bytes <= room) {
		rest->bytes = rest->count = 0;
		return 0;
	}
	for (front->count = 0;; front->count++) {
		size_t size = record__size(head_at(rest, len)->type);

		if (!size || len + size > rest->bytes)
			return -EINVAL;
		if (len + size > room)
			break;
		front->last_ts = head_at(rest, len)->ts;
		len += size;
	}
	front->bytes = len;
	rest->records += len;
	rest->bytes -= len;
	rest->count -= front->count;
	rest->first_ts = head_at(rest, 0)->ts;
	return 0;
}

/* Stores one packet's worth, or makes the packet for it. *rest: what is left to do. */
static int append_some(struct ctf_writer *w, struct ctf_stream *st, struct ctf_run *rest)
{
	struct ctf_run front, left = *rest;
	int err = take(&left, ctf_stream__room(st), &front);

	if (err)
		return err;
	if (!front.bytes)
		return ctf_stream__start(st, rest->first_ts);
	err = ctf_stream__store(st, &front);
	if (err)
		return err;
	*rest = left;
	w->meta.event_bytes += front.bytes;
	w->meta.records += front.count;
	return 0;
}

int ctf_writer__append(struct ctf_writer *w, unsigned stream, const void *records, size_t bytes,
		       __u32 count, __u64 first_ts, __u64 last_ts)
{
	struct ctf_run rest = {records, bytes, count, first_ts, last_ts};
	struct ctf_stream *st;
	int err = 0;

	if (stream >= w->streams)
		return err__say(EINVAL, "%s: no stream %u", w->dir, stream);
	st = &w->stream[stream];
	if (bytes % 8 || last_ts < first_ts || (bytes && first_ts < st->last_ts))
		err = -EINVAL;
	while (!err && rest.bytes)
		err = append_some(w, st, &rest);
	if (!err)
		return 0;
	st->unstored += rest.count;
	if (w->told++)
		return err;
	return err__say(err, "%s: stream %u: %u records not stored", w->dir, stream, rest.count);
}

/* ---- rounds ------------------------------------------------------------------------------- */

static int write_progress(struct ctf_writer *w, __u64 watermark_ns)
{
	const struct ctf_progress p = {
		.records = w->meta.records,
		.watermark_ns = watermark_ns,
		.event_bytes = w->meta.event_bytes,
	};

	return ctf_io__write(w->progress_fd, &p, sizeof(p), 0);
}

int ctf_writer__commit(struct ctf_writer *w, const __u64 *discarded, __u64 watermark_ns)
{
	int err = 0, e;

	for (unsigned i = 0; i < w->streams; i++) {
		struct ctf_stream *st = &w->stream[i];

		e = ctf_stream__discard(st, discarded[i] + st->unstored, watermark_ns);
		err = err ? err : e;
	}
	e = write_progress(w, watermark_ns);
	err = err ? err : e;
	return err ? err__say(err, "%s: cannot be updated", w->dir) : 0;
}

int ctf_writer__full(const struct ctf_writer *w)
{
	return w->max_bytes && ctf_writer__bytes(w) >= w->max_bytes;
}

__u64 ctf_writer__bytes(const struct ctf_writer *w)
{
	__u64 bytes = w->metadata_bytes + w->meta.event_bytes;

	for (unsigned i = 0; i < w->streams; i++)
		bytes += w->stream[i].packets * sizeof(struct ctf_packet);
	return bytes;
}

__u64 ctf_writer__records(const struct ctf_writer *w)
{
	return w->meta.records;
}

/* ---- beginning and end -------------------------------------------------------------------- */

static int open_new(const struct ctf_writer *w, const char *name)
{
	int fd = openat(w->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int write_spare(struct ctf_writer *w)
{
	char *text = ctf_metadata__text(&w->meta);
	size_t len = text ? strlen(text) : 0;
	int err = text ? ctf_io__write(w->spare_fd, text, len, 0) : -ENOMEM;

	free(text);
	if (!err && ftruncate(w->spare_fd, len))
		err = -errno;
	w->metadata_bytes = len;
	return err;
}

static int publish_metadata(struct ctf_writer *w)
{
	int err = write_spare(w);

	if (!err && renameat(w->dir_fd, CTF_METADATA_SPARE, w->dir_fd, CTF_METADATA_NAME))
		err = -errno;
	return err;
}

static int open_spare(struct ctf_writer *w)
{
	close_fd(&w->spare_fd);
	w->spare_fd = open_new(w, CTF_METADATA_SPARE);
	return w->spare_fd < 0 ? w->spare_fd : 0;
}

/* The spare gets the text a second time, so that it has its blocks when the final text is written
 * into it, perhaps on a full disk. .progress comes first: whoever sees a recording finds it there.
 */
static int start(struct ctf_writer *w)
{
	int err;

	w->progress_fd = open_new(w, CTF_PROGRESS_NAME);
	if (w->progress_fd < 0)
		return w->progress_fd;
	err = write_progress(w, 0);
	if (!err)
		err = open_spare(w);
	if (!err)
		err = publish_metadata(w);
	if (!err)
		err = open_spare(w);
	return err ? err : write_spare(w);
}

static void new_uuid(__u8 *uuid)
{
	if (getrandom(uuid, 16, 0) != 16)
		memset(uuid, 0, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40; /* RFC 4122: version 4 ... */
	uuid[8] = (uuid[8] & 0x3f) | 0x80; /* ... and variant */
}

/* Takes over dir_fd, if not NULL is returned. */
static struct ctf_writer *alloc_writer(const char *dir, int dir_fd, const struct session *s)
{
	const unsigned streams = s->cpus + 1;
	struct ctf_writer *w = calloc(1, sizeof(*w) + streams * sizeof(w->stream[0]));

	if (!w)
		return NULL;
	w->dir = strdup(dir);
	if (!w->dir) {
		free(w);
		return NULL;
	}
	w->dir_fd = dir_fd;
	w->progress_fd = w->spare_fd = -1;
	w->meta.session = *s;
	w->meta.session.end_ns = 0;
	new_uuid(w->meta.uuid);
	w->streams = streams;
	for (unsigned i = 0; i < streams; i++)
		ctf_stream__init(&w->stream[i], dir_fd, w->meta.uuid, i,
				 i < s->cpus ? i : CTF_CPU_NONE, s->start_ns);
	return w;
}

/* A file per stream stays open, and one more while a packet ends: more than many a shell allows. */
static void allow_files(unsigned streams)
{
	struct rlimit r;
	rlim_t want = streams + 64;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= want)
		return;
	r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r); /* if that is not enough, opening them will say so */
}

int ctf_writer__probe(const char *dir, const struct ctf_writer_opts *o)
{
	return ctf_dir__probe(dir, o && o->force);
}

int ctf_writer__new(struct ctf_writer **out, const char *dir, const struct session *s,
		    const struct ctf_writer_opts *o)
{
	struct ctf_writer *w;
	int dir_fd, created, err = ctf_dir__create(dir, o && o->force, &dir_fd, &created);

	if (err)
		return err;
	allow_files(s->cpus + 1);
	w = alloc_writer(dir, dir_fd, s);
	err = w ? start(w) : -ENOMEM;
	if (!err) {
		w->max_bytes = o ? o->max_bytes : 0;
		w->created = created;
		*out = w;
		return 0;
	}
	ctf_dir__clear(dir_fd);
	if (created)
		rmdir(dir);
	if (w)
		ctf_writer__free(w);
	else
		close(dir_fd);
	return err__say(err, "%s: cannot start a recording", dir);
}

int ctf_writer__close(struct ctf_writer *w, const struct session *final)
{
	int err;

	for (unsigned i = 0; i < w->streams; i++)
		ctf_stream__trim(&w->stream[i]);
	w->meta.session = *final;
	err = publish_metadata(w);
	if (err)
		return err__say(err, "%s: cannot be finished", w->dir);
	unlinkat(w->dir_fd, CTF_PROGRESS_NAME, 0);
	return 0;
}

void ctf_writer__free(struct ctf_writer *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->streams; i++)
		ctf_stream__close(&w->stream[i]);
	close_fd(&w->spare_fd);
	close_fd(&w->progress_fd);
	close_fd(&w->dir_fd);
	free(w->dir);
	free(w);
}

void ctf_writer__discard(struct ctf_writer *w)
{
	if (!w)
		return;
	if (!ctf_dir__clear(w->dir_fd) && w->created)
		rmdir(w->dir);
	ctf_writer__free(w);
}
