/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small HTTP server for pages that are made when they are asked for: libmicrohttpd, run from the
 * caller's own loop, without threads. The only file that sees the library. Knows nothing of what
 * the pages say.
 *
 * A client gets one answer per connection, and has a limited time to ask and to take it: what
 * trickles in or out is cut off, so that a few slow ones cannot keep all places.
 */
#ifndef KVMSCHED_HTTP_H
#define KVMSCHED_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include "sockets.h"

#define HTTP_CLIENTS	256   /* at once, per socket; others wait until one is done */
#define HTTP_ASK_MS	5000  /* from connecting to the end of the request */
#define HTTP_ALL_MS	30000 /* ... to the end of the answer */
#define HTTP_GRACE_MS	1000  /* for those who are being answered when it stops */
#define HTTP_HEAD_BYTES 16384 /* of a request, and of what the library keeps per client */

struct http_page;

/* text: malloc()ed; the page's from here on, also on failure. NULL: no memory. */
struct http_page *http_page__new(unsigned status, const char *type, char *text, size_t bytes);
void http_page__free(struct http_page *p); /* NULL is fine; those who get it, get all of it */

/* path: without the query. accept: the header, or NULL. Returns a page that stays the callee's, or
 * NULL: not yet; it is asked again after http__resume(). */
typedef const struct http_page *(*http_answer_fn)(void *ctx, const char *path, const char *accept);

struct http;

/* Takes the sockets over (s is empty then). 0 or -errno, having said why. */
int http__new(struct http **h, struct sockets *s, http_answer_fn answer, void *ctx);

/* Readable when there is something to do; -1 while h is NULL. */
int http__fd(const struct http *h);

/* How long to wait for it at most; -1: there is no limit. */
int http__timeout_ms(struct http *h);

/* Does what there is to do, without waiting. */
void http__run(struct http *h);

/* Asks again on behalf of those who were told to wait. */
void http__resume(struct http *h);

/* Lets those in who have connected, answers who has asked, closes everything. NULL is fine. */
void http__free(struct http *h);

#endif
