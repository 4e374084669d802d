// SPDX-License-Identifier: BSD-2-Clause
/*
 * yajl does the commas and the quoting; this keeps its output flowing to the stream, remembers the
 * first error, and knows whether a document is complete.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include "escape.h"
#include "json.h"

struct json {
	FILE *f;
	yajl_gen gen;
	unsigned flags;
	unsigned depth; /* of open objects and arrays */
	bool complete;	/* a document stands at the end of the line */
	int err;
};

static void fail(struct json *j, int err)
{
	if (!j->err)
		j->err = err;
}

static void write_bytes(struct json *j, const char *s, size_t len)
{
	errno = 0;
	if (!j->err && len && fwrite(s, 1, len, j->f) != len)
		fail(j, errno ? -errno : -EIO);
}

/* Outside of strings JSON has none of these characters, so that all of them can be replaced. */
static void write_for_html(struct json *j, const char *s, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		char text[8];

		if (s[i] != '<' && s[i] != '>' && s[i] != '&')
			continue;
		write_bytes(j, s + from, i - from);
		snprintf(text, sizeof(text), "\\u%04x", s[i]);
		write_bytes(j, text, 6);
		from = i + 1;
	}
	write_bytes(j, s + from, len - from);
}

static void print(void *ctx, const char *s, size_t len)
{
	struct json *j = ctx;

	if (j->flags & JSON_IN_HTML)
		write_for_html(j, s, len);
	else
		write_bytes(j, s, len);
}

struct json *json__new(FILE *f, unsigned flags)
{
	struct json *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->gen = yajl_gen_alloc(NULL);
	if (!j->gen) {
		free(j);
		return NULL;
	}
	j->f = f;
	j->flags = flags;
	yajl_gen_config(j->gen, yajl_gen_print_callback, print, j);
	if (flags & JSON_PRETTY) {
		yajl_gen_config(j->gen, yajl_gen_beautify, 1);
		yajl_gen_config(j->gen, yajl_gen_indent_string, "  ");
	}
	return j;
}

static bool usable(const struct json *j)
{
	return j && !j->err;
}

/* After each call that may have completed a document. */
static void made(struct json *j, yajl_gen_status status)
{
	if (status != yajl_gen_status_ok)
		fail(j, -EINVAL);
	else if (!j->depth)
		j->complete = true;
}

static void opened(struct json *j, yajl_gen_status status)
{
	j->depth++;
	made(j, status);
}

static void closed(struct json *j, yajl_gen_status status)
{
	if (j->depth)
		j->depth--;
	made(j, status);
}

void json__object(struct json *j)
{
	if (usable(j))
		opened(j, yajl_gen_map_open(j->gen));
}

void json__end_object(struct json *j)
{
	if (usable(j))
		closed(j, yajl_gen_map_close(j->gen));
}

void json__array(struct json *j)
{
	if (usable(j))
		opened(j, yajl_gen_array_open(j->gen));
}

void json__end_array(struct json *j)
{
	if (usable(j))
		closed(j, yajl_gen_array_close(j->gen));
}

/* yajl's integers end at 2^63. */
void json__u64(struct json *j, __u64 n)
{
	char text[24];

	if (usable(j))
		made(j, yajl_gen_number(j->gen, text, snprintf(text, sizeof(text), "%llu", n)));
}

void json__s64(struct json *j, __s64 n)
{
	if (usable(j))
		made(j, yajl_gen_integer(j->gen, n));
}

void json__bool(struct json *j, bool b)
{
	if (usable(j))
		made(j, yajl_gen_bool(j->gen, b));
}

void json__null(struct json *j)
{
	if (usable(j))
		made(j, yajl_gen_null(j->gen));
}

static void valid_string(struct json *j, const char *s, size_t len)
{
	made(j, yajl_gen_string(j->gen, (const unsigned char *)s, len));
}

void json__mem(struct json *j, const char *s, size_t len)
{
	size_t need;
	char *text;

	if (!usable(j))
		return;
	need = escape__mem(ESCAPE_JSON, s, len, NULL, 0);
	if (need == len) { /* a replacement is longer than what it replaces: nothing was */
		valid_string(j, s, len);
		return;
	}
	text = malloc(need + 1);
	if (!text) {
		fail(j, -ENOMEM);
		return;
	}
	escape__mem(ESCAPE_JSON, s, len, text, need + 1);
	valid_string(j, text, need);
	free(text);
}

void json__str(struct json *j, const char *s)
{
	if (s)
		json__mem(j, s, strlen(s));
	else
		json__null(j);
}

/* yajl knows by its place that a string is a key. */
void json__key(struct json *j, const char *key)
{
	json__str(j, key);
}

void json__key_u64(struct json *j, const char *key, __u64 n)
{
	json__key(j, key);
	json__u64(j, n);
}

void json__key_s64(struct json *j, const char *key, __s64 n)
{
	json__key(j, key);
	json__s64(j, n);
}

void json__key_bool(struct json *j, const char *key, bool b)
{
	json__key(j, key);
	json__bool(j, b);
}

void json__key_str(struct json *j, const char *key, const char *s)
{
	json__key(j, key);
	json__str(j, s);
}

void json__key_object(struct json *j, const char *key)
{
	json__key(j, key);
	json__object(j);
}

void json__key_array(struct json *j, const char *key)
{
	json__key(j, key);
	json__array(j);
}

void json__line(struct json *j)
{
	if (!usable(j))
		return;
	if (!j->complete) {
		fail(j, -EINVAL);
		return;
	}
	if (!(j->flags & JSON_PRETTY)) /* yajl has done it */
		write_bytes(j, "\n", 1);
	yajl_gen_reset(j->gen, NULL);
	j->complete = false;
}

int json__error(const struct json *j)
{
	return j ? j->err : -ENOMEM;
}

int json__close(struct json *j)
{
	int err;

	if (!j)
		return -ENOMEM;
	if (j->complete)
		json__line(j);
	else if (j->depth)
		fail(j, -EINVAL);
	if (fflush(j->f))
		fail(j, -errno);
	err = j->err;
	yajl_gen_free(j->gen);
	free(j);
	return err;
}
