/* SPDX-License-Identifier: BSD-2-Clause */
/* Listens to what user/err.c says: to look at it, and to keep it off the screen. */
#ifndef KVMSCHED_TESTS_LISTEN_H
#define KVMSCHED_TESTS_LISTEN_H

#include <stdio.h>
#include <stdlib.h>

static FILE *listen_stderr; /* the real one while we listen */
static char *listen_text;
static size_t listen_text_len;

/* Takes over stdio's stderr, but not its file: what a sanitizer says is still seen. */
static inline void listen_begin(void)
{
	listen_stderr = stderr;
	stderr = open_memstream(&listen_text, &listen_text_len);
	if (!stderr)
		abort();
}

static inline void listen_end(void)
{
	fclose(stderr);
	free(listen_text);
	stderr = listen_stderr;
}

/* The last line that was said since listen_begin(), "" if none. */
static inline const char *listen_said(void)
{
	const char *last;

	fflush(stderr);
	for (last = listen_text + listen_text_len; last > listen_text + 1 && last[-2] != '\n';
	     last--)
		;
	return last > listen_text ? last - 1 : last;
}

#endif
