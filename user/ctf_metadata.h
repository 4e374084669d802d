/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metadata file of a recording: written for any CTF reader, and its env read back by ours. What
 * the reader needs of it is env, byte order and uuid; the description of the records it skips, as
 * those are wire.h's of the version that env names.
 */
#ifndef KVMSCHED_CTF_METADATA_H
#define KVMSCHED_CTF_METADATA_H

#include <stddef.h>
#include <linux/types.h>
#include "session.h"

#define CTF_METADATA_MAX (1U << 20) /* bytes; no valid metadata is longer */

struct ctf_metadata {
	__u8 uuid[16];	   /* the recording's own; each packet repeats it */
	__u64 records;	   /* stored in the whole recording, 0 while session.end_ns is */
	__u64 event_bytes; /* ... and their length */
	struct session session;
};

/* The text, to be freed by the caller; NULL if there is no memory. */
char *ctf_metadata__text(const struct ctf_metadata *m);

/* Reads back what ctf_metadata__text() made; text ends with a NUL after len bytes. Distrusts it:
 * says what is wrong, path first, and returns -errno: -EINVAL not a kvmsched recording,
 * -EPROTONOSUPPORT of a newer version or the other byte order, -EBADMSG truncated or damaged; *m is
 * untouched then. */
int ctf_metadata__parse(const char *path, const char *text, size_t len, struct ctf_metadata *m);

/* 1 if the text, whole or not, is that of a kvmsched recording, else 0. Says nothing. */
int ctf_metadata__is_ours(const char *text, size_t len);

#endif
