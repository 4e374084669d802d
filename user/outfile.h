/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is there as a whole or not at all: written beside its name and renamed when it is
 * done. What exists is only replaced if the caller's user said so, and only if it is a plain file;
 * a device or a pipe is written to. "-" is standard output.
 */
#ifndef KVMSCHED_OUTFILE_H
#define KVMSCHED_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

struct outfile {
	FILE *f; /* to write to */
	const char *path;
	char *temporary; /* NULL: path itself is written to */
	bool force;
};

/* Would outfile__open() refuse, or would the file lie in the recording that is read (input; NULL:
 * none)? Then says why and returns -errno. Leaves nothing behind. */
int outfile__probe(const char *path, bool force, const char *input);

/* path must live as long as o. 0, or -errno having said why. */
int outfile__open(struct outfile *o, const char *path, bool force);

/* Ends it. err: what the caller had; the file is only kept if all went well. Returns err, or -errno
 * having said why. */
int outfile__close(struct outfile *o, int err);

#endif
