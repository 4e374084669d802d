/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a recording: a CTF 1.8 directory (docs/kvmsched-ctf.5) that any CTF reader can open at
 * every moment, also after the recorder was killed between any two system calls.
 *
 *	ctf_writer__new -> { ctf_writer__append ..., ctf_writer__commit } ... -> ctf_writer__close
 *	-> ctf_writer__free
 *
 * Needs one file descriptor per stream that has records, and a few more. Not for several threads.
 */
#ifndef KVMSCHED_CTF_WRITER_H
#define KVMSCHED_CTF_WRITER_H

#include <stddef.h>
#include <linux/types.h>
#include "session.h"

struct ctf_writer;

struct ctf_writer_opts {
	__u64 max_bytes; /* when ctf_writer__full() says so; 0 = never */
	int force;	 /* replace an existing kvmsched recording */
};

/* Would ctf_writer__new() refuse dir? Then says why and returns -errno. Leaves nothing behind. */
int ctf_writer__probe(const char *dir, const struct ctf_writer_opts *o);

/* Begins a recording in dir. s: as known at the start; s->cpus and s->start_ns must be final,
 * s->end_ns is taken as 0. dir must not exist, unless o->force, which replaces a kvmsched recording
 * that nobody is writing and that has no other file in it, and nothing else. On failure says why,
 * leaves nothing behind that was not there, returns -errno. o may be NULL. */
int ctf_writer__new(struct ctf_writer **w, const char *dir, const struct session *s,
		    const struct ctf_writer_opts *o);

/* Stores whole records, in order of their ts, of stream 0 .. s->cpus. When it returns 0 they
 * survive the death of this process. count, first_ts, last_ts: of these records. Returns -errno if
 * not all could be stored, the first time having said why; those that were not count as discarded
 * from then on.
 * -EINVAL: not whole records, or their times go back behind the stream's last. After -ENOSPC,
 * commit and close still work. */
int ctf_writer__append(struct ctf_writer *w, unsigned stream, const void *records, size_t bytes,
		       __u32 count, __u64 first_ts, __u64 last_ts);

/* Ends one round of appends. discarded: per stream, how many records never got here, from the
 * beginning on. watermark_ns: every record with a ts before it has been appended; where the window
 * of this recording ends if the process dies now. Returns 0 or -errno, having said why. */
int ctf_writer__commit(struct ctf_writer *w, const __u64 *discarded, __u64 watermark_ns);

/* 1 when max_bytes are reached. It is the caller who stops: later appends are stored all the same,
 * so that the records of a window's end are not lost. */
int ctf_writer__full(const struct ctf_writer *w);

/* Bytes and records stored so far, packet headers and metadata counted in the former. */
__u64 ctf_writer__bytes(const struct ctf_writer *w);
__u64 ctf_writer__records(const struct ctf_writer *w);

/* The clean end. final: the session with end_ns and all else that is known now. Call commit before,
 * and only free after it. On failure says why, returns -errno: a valid recording is left that looks
 * as if its recorder had been killed. */
int ctf_writer__close(struct ctf_writer *w, const struct session *final);

/* Instead of free: removes what was written, and the directory if it was made for it. NULL is fine.
 */
void ctf_writer__discard(struct ctf_writer *w);

/* NULL is fine. Without a close, leaves a valid recording without an end. */
void ctf_writer__free(struct ctf_writer *w);

#endif
