/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet of a recording begins with, and how much one may hold: shared by writer and reader,
 * and described to everybody else by the TSDL of ctf_metadata.c. docs/kvmsched-ctf.5 has the whole
 * format.
 */
#ifndef KVMSCHED_CTF_PACKET_H
#define KVMSCHED_CTF_PACKET_H

#include <linux/types.h>

#define CTF_MAGIC	   0xC1FC1FC1U
#define CTF_PACKET_MIN	   (64U << 10) /* a stream's packets grow from here ... */
#define CTF_PACKET_MAX	   (4U << 20)  /* ... to here, in bytes; no valid packet is longer */
#define CTF_CPU_NONE	   (-1LL)
#define CTF_BITS_PER_BYTE  8 /* CTF counts the sizes in a packet in bits */
#define CTF_PROGRESS_NAME  ".progress"
#define CTF_METADATA_NAME  "metadata"
#define CTF_METADATA_SPARE ".metadata"

/* CTF's packet header (up to stream_instance_id) and packet context. The three fields that change
 * while a packet fills stand together, 8-byte aligned: each store is one small write inside one
 * page. */
struct ctf_packet {
	__u32 magic;
	__u8 uuid[16];
	__u32 stream_id;	  /* the stream class: always 0 */
	__u64 stream_instance_id; /* the stream: a ring's number, see struct session */
	__u64 timestamp_begin;
	__u64 timestamp_end;	/* not before the last record's ts */
	__u64 events_discarded; /* of the stream, from its beginning to this packet's end */
	__u64 content_size;	/* in bits, this header included */
	__u64 packet_size;	/* in bits: the whole file */
	__u64 packet_seq_num;
	__s64 cpu_id; /* CTF_CPU_NONE: the descriptors' stream */
};

_Static_assert(sizeof(struct ctf_packet) == 88, "packet");
_Static_assert(__builtin_offsetof(struct ctf_packet, stream_id) == 20, "packet.stream_id");
_Static_assert(__builtin_offsetof(struct ctf_packet, timestamp_end) == 40, "packet.timestamp_end");

/* The file .progress: how far the recorder had got. Tells where the window of a recording ends
 * whose recorder was killed, and that nothing stored until then is missing. */
struct ctf_progress {
	__u64 records;	    /* stored */
	__u64 watermark_ns; /* every record before this time was drained; 0 = nothing drained yet */
	__u64 event_bytes;  /* stored: the records' own, without packet headers */
};

#endif
