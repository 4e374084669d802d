/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording's directory: the names in it, making and replacing one, and reads and writes that are
 * either whole or an error. Knows file names, not what is in the files.
 *
 *	metadata		the TSDL; whoever finds it has found a recording
 *	cpu0003_000012		packet 12 of CPU 3's stream; one packet per file
 *	meta_000000		the same of the descriptors' stream
 *	.metadata .progress .cpu0003_000013	the recorder's own; CTF readers skip dot-names
 */
#ifndef KVMSCHED_CTF_DIR_H
#define KVMSCHED_CTF_DIR_H

#include <stddef.h>
#include <linux/types.h>

#define CTF_NAME_MAX 40 /* room for any name above */

/* Which packet a file name stands for. */
struct ctf_name {
	int meta; /* 1 = of the descriptors' stream, cpu is 0 */
	__u32 cpu;
	__u32 seq;
};

void ctf_name__format(const struct ctf_name *n, char text[CTF_NAME_MAX]);

/* 1 and *n if text is exactly what ctf_name__format() makes, else 0. */
int ctf_name__parse(const char *text, struct ctf_name *n);

/* Makes the directory, or empties it if force allows: it must hold a kvmsched recording (or nothing
 * but what is left of one) and no other file, and nobody may be recording to it. *fd: the
 * directory, locked for as long as it is open. *created: 1 if it was not there. Says why not,
 * returns -errno. */
int ctf_dir__create(const char *path, int force, int *fd, int *created);

/* Would ctf_dir__create() refuse? Says why and returns -errno, else 0. Leaves all as it was. */
int ctf_dir__probe(const char *path, int force);

/* 1 if both paths name one directory: that is there, or would be made. */
int ctf_dir__same(const char *a, const char *b);

/* May path be written while the recording `input` (NULL: none) is read? Not if it is the
 * recording's directory or lies in it, by whatever name: what is read would be replaced, and other
 * readers take every file there for a stream. Then says so, naming the option, and returns -errno;
 * else 0. */
int ctf_dir__apart(const char *option, const char *path, const char *input);

/* Removes every file that can be kvmsched's, the metadata last. Returns 0 or -errno. */
int ctf_dir__clear(int fd);

/* Calls fn with each name in the directory until it returns other than 0. Returns that, or -errno.
 */
int ctf_dir__each_name(int fd, int (*fn)(int fd, const char *name, void *ctx), void *ctx);

/* A whole file of at most max bytes, NUL-terminated, to be freed by the caller. -EFBIG if longer.
 */
int ctf_dir__read(int fd, const char *name, size_t max, char **text, size_t *len);

/* Writes all of it, or returns -errno. */
int ctf_io__write(int fd, const void *data, size_t bytes, __u64 offset);

/* Reads up to bytes; fewer only at the end of the file. Returns how many, or -errno. */
long ctf_io__read(int fd, void *data, size_t bytes, __u64 offset);

#endif
