/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which packets a recording has, found by reading the first bytes of each of its files. The part of
 * the reader that judges files; handing out what is in them is ctf_reader.c's.
 */
#ifndef KVMSCHED_CTF_INDEX_H
#define KVMSCHED_CTF_INDEX_H

#include <stddef.h>
#include <linux/types.h>
#include "ctf_metadata.h"

struct index_packet {
	__u32 seq;
	__u32 bytes; /* of records; what the file really has of them */
	__u64 ts_begin;
	__u64 ts_end;
	__u64 discarded;
	__u8 cut;  /* bytes is less than the header says */
	__u8 told; /* its records turned out to be damaged, and that was told */
};

struct index_stream {
	struct index_packet *packet; /* in order of seq */
	size_t cnt;
	size_t room;
};

struct ctf_index {
	const char *dir; /* for messages; the caller's */
	int dir_fd;
	struct ctf_metadata meta;
	unsigned streams;
	unsigned damaged;
	__u64 event_bytes; /* in all packets together */
	__u64 last_ts;	   /* the latest timestamp_end, 0 without packets */
	struct index_stream *stream;
};

/* Counts a damage and tells of it: file, colon, what. Only the first few are told. */
void ctf_index__damage(struct ctf_index *x, const char *file, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Fills stream[]; dir, dir_fd, meta are set. stored_bytes: what the recorder says it stored, at
 * least that much must be there. Returns 0 or -errno, having said why; to be freed in either case.
 */
int ctf_index__build(struct ctf_index *x, __u64 stored_bytes);
void ctf_index__free(struct ctf_index *x);

/* The file name of a packet. */
void ctf_index__name(const struct ctf_index *x, unsigned stream, __u32 seq, char *name);

#endif
