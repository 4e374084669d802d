/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one JSON writer: a thin layer over yajl that writes to a stream as it goes. Numbers are
 * integers. Strings may hold any bytes; those that are not UTF-8 come out as U+FFFD. Errors stick:
 * after the first nothing more is written, and json__close() tells it, so that callers need not
 * look at each call.
 */
#ifndef KVMSCHED_JSON_H
#define KVMSCHED_JSON_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

#define JSON_PRETTY  0x1 /* indented by two; else one line */
#define JSON_IN_HTML 0x2 /* < > & as \u003c ...: safe inside a <script> element */

struct json;

/* f stays the caller's and must live until json__close(). NULL = out of memory. */
struct json *json__new(FILE *f, unsigned flags);

/* Ends the last line, flushes f, frees j (not f). Returns 0, or the first error: that of a failed
 * write (-EPIPE, -ENOSPC), or -EINVAL for calls that make no JSON or a document that was not
 * finished. All calls accept NULL, and this one returns -ENOMEM then, so that a failed json__new()
 * needs no check of its own. */
int json__close(struct json *j);

/* The error so far, 0 or -errno: to leave a long loop early. */
int json__error(const struct json *j);

/* NDJSON: ends one complete document with a newline; the next may follow. */
void json__line(struct json *j);

void json__object(struct json *j);
void json__end_object(struct json *j);
void json__array(struct json *j);
void json__end_array(struct json *j);

/* Inside an object each value needs its key first. */
void json__key(struct json *j, const char *key);
void json__u64(struct json *j, __u64 n);
void json__s64(struct json *j, __s64 n);
void json__bool(struct json *j, bool b);
void json__null(struct json *j);
void json__str(struct json *j, const char *s);		   /* NULL: null */
void json__mem(struct json *j, const char *s, size_t len); /* bytes, a NUL is one of them */

/* A key and its value. */
void json__key_u64(struct json *j, const char *key, __u64 n);
void json__key_s64(struct json *j, const char *key, __s64 n);
void json__key_bool(struct json *j, const char *key, bool b);
void json__key_str(struct json *j, const char *key, const char *s);
void json__key_object(struct json *j, const char *key);
void json__key_array(struct json *j, const char *key);

#endif
