// SPDX-License-Identifier: BSD-2-Clause
/*
 * The files of one stream. Everything here follows from "valid at every instant":
 *
 * - A packet is a file of fixed size, a hole at first, whose content_size says how much of it
 * counts. It is made under a dot-name, which CTF readers skip, and renamed when its header is
 * complete.
 * - Records are stored behind the content, then timestamp_end is raised, then content_size: before
 * the last of these writes the new records are padding. Plain writes, as a full disk is an error
 * then; in a shared mapping it would be a SIGBUS.
 * - Packets start small and double, so that neither a quiet CPU nor a killed recorder leaves files
 * that are mostly hole; at a clean end the rest of the last one is cut off.
 * - A stream begins with an empty packet. babeltrace2 2.0.4 counts discarded events from one packet
 * to the next: without one before it, of the first packet with records it only says "may have
 *   discarded events".
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "ctf_dir.h"
#include "ctf_stream.h"

/* A packet's name, made at dotted + 1, and the one it is prepared under, which has a dot before it.
 */
typedef char dotted_name[CTF_NAME_MAX + 1];

void ctf_stream__init(struct ctf_stream *st, int dir_fd, const __u8 *uuid, unsigned number,
		      __s64 cpu, __u64 start_ns)
{
	*st = (struct ctf_stream){
		.dir_fd = dir_fd,
		.fd = -1,
		.start_ns = start_ns,
		.head = {.magic = CTF_MAGIC, .stream_instance_id = number, .cpu_id = cpu},
	};
	memcpy(st->head.uuid, uuid, sizeof(st->head.uuid));
}

static __u64 used_bytes(const struct ctf_stream *st)
{
	return st->head.content_size / CTF_BITS_PER_BYTE;
}

size_t ctf_stream__room(const struct ctf_stream *st)
{
	return (st->head.packet_size - st->head.content_size) / CTF_BITS_PER_BYTE;
}

static void packet_name(const struct ctf_stream *st, __u32 seq, dotted_name dotted)
{
	const int meta = st->head.cpu_id == CTF_CPU_NONE;
	const struct ctf_name n = {.meta = meta, .cpu = meta ? 0 : st->head.cpu_id, .seq = seq};

	dotted[0] = '.';
	ctf_name__format(&n, dotted + 1);
}

static int open_new(const struct ctf_stream *st, const char *name)
{
	int fd = openat(st->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

/* Gives a prepared file its name, or removes it. */
static int finish_new(const struct ctf_stream *st, const char *dotted, int err)
{
	if (!err && renameat(st->dir_fd, dotted, st->dir_fd, dotted + 1))
		err = -errno;
	if (err)
		unlinkat(st->dir_fd, dotted, 0);
	return err;
}

/* timestamp_end and events_discarded, which stand side by side. */
static int publish_end(const struct ctf_stream *st)
{
	return ctf_io__write(st->fd, &st->head.timestamp_end, 2 * sizeof(__u64),
			     offsetof(struct ctf_packet, timestamp_end));
}

static __u64 size_of_packet(__u32 seq)
{
	__u64 bytes = CTF_PACKET_MIN;

	if (!seq)
		return sizeof(struct ctf_packet);
	while (--seq && bytes < CTF_PACKET_MAX)
		bytes *= 2;
	return bytes;
}

/* A loss may have moved timestamp_end past the last record. A next packet that begins before that
 * would make the stream's time go backwards. */
static int settle_end(struct ctf_stream *st, __u64 next_ts)
{
	if (st->fd < 0 || st->head.timestamp_end <= next_ts)
		return 0;
	st->head.timestamp_end = st->last_ts;
	return publish_end(st);
}

static int start_packet(struct ctf_stream *st, __u64 ts)
{
	const __u64 size = size_of_packet(st->packets);
	struct ctf_packet head = st->head;
	dotted_name dotted;
	int fd, err = settle_end(st, ts);

	if (err)
		return err;
	packet_name(st, st->packets, dotted);
	fd = open_new(st, dotted);
	if (fd < 0)
		return fd;
	head.timestamp_begin = head.timestamp_end = ts;
	head.content_size = sizeof(head) * CTF_BITS_PER_BYTE;
	head.packet_size = size * CTF_BITS_PER_BYTE;
	head.packet_seq_num = st->packets;
	err = ftruncate(fd, size) ? -errno : ctf_io__write(fd, &head, sizeof(head), 0);
	err = finish_new(st, dotted, err);
	if (err) {
		close(fd);
		return err;
	}
	ctf_stream__close(st);
	st->fd = fd;
	st->head = head;
	st->last_ts = ts;
	st->packets++;
	return 0;
}

int ctf_stream__start(struct ctf_stream *st, __u64 ts)
{
	int err = st->packets ? 0 : start_packet(st, ts < st->start_ns ? ts : st->start_ns);

	return err ? err : start_packet(st, ts);
}

int ctf_stream__store(struct ctf_stream *st, const struct ctf_run *r)
{
	const __u64 content = st->head.content_size + r->bytes * CTF_BITS_PER_BYTE;
	int err = ctf_io__write(st->fd, r->records, r->bytes, used_bytes(st));

	if (err)
		return err;
	if (r->last_ts > st->head.timestamp_end)
		st->head.timestamp_end = r->last_ts;
	err = publish_end(st);
	if (!err)
		err = ctf_io__write(st->fd, &content, sizeof(content),
				    offsetof(struct ctf_packet, content_size));
	if (err)
		return err;
	st->head.content_size = content;
	st->last_ts = r->last_ts;
	return 0;
}

int ctf_stream__discard(struct ctf_stream *st, __u64 total, __u64 upto_ns)
{
	if (total <= st->head.events_discarded)
		return 0;
	if (!st->packets) {
		/* No record yet, so nothing says where the stream's time begins: 0 leaves all open.
		 */
		int err = ctf_stream__start(st, 0);

		if (err)
			return err;
	}
	if (upto_ns > st->head.timestamp_end)
		st->head.timestamp_end = upto_ns;
	st->head.events_discarded = total;
	return publish_end(st);
}

static int copy_content(const struct ctf_stream *st, int to)
{
	const __u64 used = used_bytes(st);
	char buf[32768];
	long n;

	for (__u64 at = 0; at < used; at += n) {
		int err;

		n = ctf_io__read(st->fd, buf, used - at < sizeof(buf) ? used - at : sizeof(buf),
				 at);
		if (n <= 0)
			return n ? n : -EIO;
		err = ctf_io__write(to, buf, n, at);
		if (err)
			return err;
	}
	return ctf_io__write(to, &st->head.content_size, sizeof(__u64),
			     offsetof(struct ctf_packet, packet_size));
}

/* File size and packet_size cannot change at one moment, so the packet is replaced by a shorter
 * copy. If that does not work out, the rest stays: it is a hole and harms nobody. Hence no error.
 */
void ctf_stream__trim(struct ctf_stream *st)
{
	dotted_name dotted;
	int fd;

	if (st->fd < 0 || !ctf_stream__room(st))
		return;
	packet_name(st, st->packets - 1, dotted);
	fd = open_new(st, dotted);
	if (fd < 0)
		return;
	finish_new(st, dotted, copy_content(st, fd));
	close(fd);
	ctf_stream__close(st);
}

void ctf_stream__close(struct ctf_stream *st)
{
	if (st->fd >= 0)
		close(st->fd);
	st->fd = -1;
}
