// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the header of every packet. What does not fit is a damage, not a failure: nine packets out
 * of ten are still worth reading, as long as nobody takes them for the whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctf_dir.h"
#include "ctf_index.h"
#include "ctf_packet.h"
#include "err.h"

#define DAMAGES_TOLD 8U

void ctf_index__damage(struct ctf_index *x, const char *file, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (++x->damaged > DAMAGES_TOLD)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err__note("%s/%s: %s%s", x->dir, file, text,
		  x->damaged == DAMAGES_TOLD ? " (not telling of more)" : "");
}

void ctf_index__name(const struct ctf_index *x, unsigned stream, __u32 seq, char *name)
{
	const int meta = stream == x->meta.session.cpus;

	ctf_name__format(&(struct ctf_name){.meta = meta, .cpu = meta ? 0 : stream, .seq = seq},
			 name);
}

/* What is wrong with a header, NULL = nothing. */
static const char *judge_header(const struct ctf_index *x, const struct ctf_packet *p,
				unsigned stream, __u32 seq)
{
	const __u64 bits_max = (__u64)CTF_PACKET_MAX * CTF_BITS_PER_BYTE;

	if (p->magic != CTF_MAGIC || p->stream_id)
		return "not a packet of a kvmsched recording";
	if (memcmp(p->uuid, x->meta.uuid, sizeof(p->uuid)))
		return "a packet of another recording";
	if (p->stream_instance_id != stream || p->packet_seq_num != seq)
		return "its header belongs to another file";
	if (p->packet_size > bits_max || p->content_size > p->packet_size ||
	    p->content_size < sizeof(*p) * CTF_BITS_PER_BYTE || p->content_size % 64)
		return "damaged header: sizes";
	if (p->timestamp_begin > p->timestamp_end || p->timestamp_end > INT64_MAX)
		return "damaged header: times";
	return NULL;
}

/* The file may be shorter than its packet, which is then read as far as it goes. */
static void fill_packet(struct ctf_index *x, const char *name, __u64 file_bytes,
			const struct ctf_packet *h, struct index_packet *p)
{
	const __u64 size = h->packet_size / CTF_BITS_PER_BYTE;
	const __u64 content = h->content_size / CTF_BITS_PER_BYTE;
	const __u64 there = file_bytes < content ? file_bytes : content;

	if (file_bytes < size)
		ctf_index__damage(x, name, "truncated at byte %llu of %llu",
				  (unsigned long long)file_bytes, (unsigned long long)size);
	else if (file_bytes > size)
		ctf_index__damage(x, name, "longer than its packet of %llu bytes",
				  (unsigned long long)size);
	p->bytes = there - sizeof(*h);
	p->ts_begin = h->timestamp_begin;
	p->ts_end = h->timestamp_end;
	p->discarded = h->events_discarded;
	p->cut = there < content;
	x->event_bytes += p->bytes;
	if (p->ts_end > x->last_ts)
		x->last_ts = p->ts_end;
}

/* 1 = a packet to be used, 0 = not, or -errno for what is not the file's fault. */
static int look_into(struct ctf_index *x, unsigned stream, const char *name, int fd,
		     struct index_packet *p)
{
	struct ctf_packet h;
	struct stat st;
	const char *bad;
	long n;

	if (fstat(fd, &st))
		return -errno;
	n = S_ISREG(st.st_mode) ? ctf_io__read(fd, &h, sizeof(h), 0) : 0;
	if (n < 0)
		return n;
	if (n < (long)sizeof(h) || st.st_size < (long)sizeof(h))
		bad = "truncated inside its header";
	else
		bad = judge_header(x, &h, stream, p->seq);
	if (bad)
		ctf_index__damage(x, name, "%s", bad);
	else
		fill_packet(x, name, st.st_size, &h, p);
	return !bad;
}

static int read_header(struct ctf_index *x, unsigned stream, struct index_packet *p)
{
	char name[CTF_NAME_MAX];
	int fd, usable;

	ctf_index__name(x, stream, p->seq, name);
	fd = openat(x->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	usable = fd < 0 ? -errno : look_into(x, stream, name, fd, p);
	if (fd >= 0)
		close(fd);
	return usable < 0 ? err__say(usable, "%s/%s", x->dir, name) : usable;
}

/* Keeps the packets that are usable. */
static int read_headers(struct ctf_index *x, unsigned stream)
{
	struct index_stream *s = &x->stream[stream];
	size_t kept = 0;

	for (size_t i = 0; i < s->cnt; i++) {
		int usable = read_header(x, stream, &s->packet[i]);

		if (usable < 0)
			return usable;
		if (usable)
			s->packet[kept++] = s->packet[i];
	}
	s->cnt = kept;
	return 0;
}

static int add_packet(struct index_stream *s, __u32 seq)
{
	if (s->cnt == s->room) {
		const size_t room = s->room ? s->room * 2 : 16;
		struct index_packet *more = reallocarray(s->packet, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->packet = more;
		s->room = room;
	}
	s->packet[s->cnt++] = (struct index_packet){.seq = seq};
	return 0;
}

static int on_name(int fd, const char *name, void *ctx)
{
	struct ctf_index *x = ctx;
	struct ctf_name n;

	(void)fd;
	if (!ctf_name__parse(name, &n))
		return 0;
	if (n.meta)
		return add_packet(&x->stream[x->meta.session.cpus], n.seq);
	if (n.cpu < x->meta.session.cpus)
		return add_packet(&x->stream[n.cpu], n.seq);
	ctf_index__damage(x, name, "of a CPU that the recording does not have");
	return 0;
}

static int by_seq(const void *a, const void *b)
{
	const __u32 x = ((const struct index_packet *)a)->seq,
		    y = ((const struct index_packet *)b)->seq;

	return x < y ? -1 : x > y;
}

static void check_order(struct ctf_index *x, unsigned stream)
{
	const struct index_stream *s = &x->stream[stream];
	char name[CTF_NAME_MAX];
	__u32 expected = 0;

	for (size_t i = 0; i < s->cnt; expected = s->packet[i++].seq + 1) {
		const struct index_packet *p = &s->packet[i];

		if (p->seq != expected) {
			ctf_index__name(x, stream, expected, name);
			ctf_index__damage(x, name, "missing, and all up to packet %u", p->seq);
		}
		if (i && (p->ts_begin < p[-1].ts_end || p->discarded < p[-1].discarded)) {
			ctf_index__name(x, stream, p->seq, name);
			ctf_index__damage(x, name, "goes back behind the packet before it");
		}
	}
}

/* All names before any header: a packet that has a successor does not change any more, so that also
 * of a recording which is being written no stream has a hole. */
int ctf_index__build(struct ctf_index *x, __u64 stored_bytes)
{
	int err;

	x->streams = x->meta.session.cpus + 1;
	x->stream = calloc(x->streams, sizeof(*x->stream));
	err = x->stream ? ctf_dir__each_name(x->dir_fd, on_name, x) : -ENOMEM;
	if (err)
		return err__say(err, "%s: cannot be listed", x->dir);
	for (unsigned i = 0; i < x->streams; i++) {
		if (!x->stream[i].cnt)
			continue;
		qsort(x->stream[i].packet, x->stream[i].cnt, sizeof(struct index_packet), by_seq);
		err = read_headers(x, i);
		if (err)
			return err;
		check_order(x, i);
	}
	if (x->event_bytes < stored_bytes)
		ctf_index__damage(x, CTF_METADATA_NAME, "%llu of %llu bytes of records are missing",
				  (unsigned long long)(stored_bytes - x->event_bytes),
				  (unsigned long long)stored_bytes);
	return 0;
}

void ctf_index__free(struct ctf_index *x)
{
	for (unsigned i = 0; x->stream && i < x->streams; i++)
		free(x->stream[i].packet);
	free(x->stream);
}
