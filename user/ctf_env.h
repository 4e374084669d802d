/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As much of CTF's metadata language as it takes to read `key = value;` out of the top-level
 * blocks, and to write strings. Knows no key.
 */
#ifndef KVMSCHED_CTF_ENV_H
#define KVMSCHED_CTF_ENV_H

#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#define ENV_TEXT_MAX 1024 /* longest string or word, with its NUL */

enum env_kind { ENV_WORD, ENV_STRING, ENV_NUMBER };

struct env_value {
	enum env_kind kind;
	char text[ENV_TEXT_MAX]; /* WORD, STRING; else "" */
	__u64 magnitude;	 /* NUMBER */
	int negative;
};

/* Called for each `key = value;` directly inside a top-level block. Stops the parse if not 0. */
typedef int (*env_fn)(void *ctx, const char *block, const char *key, const struct env_value *v);

/* text ends with a NUL after len bytes. Returns 0, what fn returned, or -EBADMSG for text that
 * cannot be read to its end. */
int env__parse(const char *text, size_t len, env_fn fn, void *ctx);

/* Writes a string literal, quotes included: all but printable ASCII is escaped. */
void env__write_string(FILE *f, const char *s);

#endif
