/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stream of a recording while it is written: a row of packets, each a file. ctf_writer.c has
 * one per ring. Errors are returned as -errno and said by nobody here.
 */
#ifndef KVMSCHED_CTF_STREAM_H
#define KVMSCHED_CTF_STREAM_H

#include <stddef.h>
#include <linux/types.h>
#include "ctf_packet.h"

struct ctf_stream {
	int dir_fd;	/* the recording's, not owned */
	int fd;		/* the last packet's file, -1 = none yet */
	__u64 start_ns; /* where the window begins */
	__u64 last_ts;	/* of the last record, or where the last packet begins */
	__u64 unstored; /* for ctf_writer.c: records that could not be stored */
	__u32 packets;	/* made so far */
	struct ctf_packet
		head; /* the last packet's header as it is, or is about to be, in the file */
};

/* Records that go into one packet, back to back and in order of time. */
struct ctf_run {
	const char *records;
	size_t bytes;
	__u32 count;
	__u64 first_ts;
	__u64 last_ts;
};

/* cpu: CTF_CPU_NONE for the descriptors' stream. Makes no file yet. */
void ctf_stream__init(struct ctf_stream *st, int dir_fd, const __u8 *uuid, unsigned number,
		      __s64 cpu, __u64 start_ns);

/* Bytes of records that the last packet can still take. */
size_t ctf_stream__room(const struct ctf_stream *st);

/* Begins another packet, for records from ts on; ts must not lie before the last record. */
int ctf_stream__start(struct ctf_stream *st, __u64 ts);

/* Stores records that fit into the room. All or, when not 0, nothing. */
int ctf_stream__store(struct ctf_stream *st, const struct ctf_run *r);

/* From now on, total records of this stream count as discarded, the last of them before upto_ns. */
int ctf_stream__discard(struct ctf_stream *st, __u64 total, __u64 upto_ns);

/* Cuts off what the last packet did not use. Nothing can be stored afterwards. */
void ctf_stream__trim(struct ctf_stream *st);

void ctf_stream__close(struct ctf_stream *st);

#endif
