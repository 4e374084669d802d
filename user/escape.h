/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place that makes names harmless. VM names, process names and cgroups come from those who
 * run the VMs: any byte may be in them. What leaves here is valid UTF-8 (or ASCII), and nothing in
 * it acts on a terminal or ends a string. Also measures and shortens text in terminal columns.
 *
 * One policy for every format that people read: a name reads the same in all of them, and names
 * that differ look different.
 *  - What does not print is \xNN, for each of its bytes: controls (a tab is \x09), bytes that are
 *    not UTF-8, and characters without a shape of their own, as escape__hidden() lists them: zero
 *    width, soft hyphens, changes of direction, line separators. (A terminal also has no shape for
 *    what its libc does not know; one without UTF-8 none for all that is not ASCII.)
 *  - A backslash is two, so that no name can pretend to have such a byte.
 *  - Then comes what the format itself wants: quotes, references.
 * JSON has names as they are, for programs: only bytes that are not UTF-8, and C1 controls, on
 * which a terminal acts, become U+FFFD.
 */
#ifndef KVMSCHED_ESCAPE_H
#define KVMSCHED_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

enum escape_for {
	ESCAPE_TERMINAL, /* a UTF-8 terminal, and other text of UTF-8 */
	ESCAPE_ASCII,	 /* any other terminal */
	ESCAPE_JSON,	 /* to be handed to a JSON writer, which quotes */
	ESCAPE_HTML,	 /* text or a quoted attribute, HTML, SVG or XML: < > & " ' as references */
	ESCAPE_CSV,	 /* one field, quoted where RFC 4180 wants it; a leading = + - @ gets a ' in
			  * front, so that no spreadsheet takes it for a formula */
	ESCAPE_LABEL,	 /* inside the quotes of a Prometheus label value, which has escapes of its
			  * own:
			  * \\ and \" */
	ESCAPE_MARKUP,	 /* only HTML's references, for text that was made harmless before */
};

/* Code points from..to. */
struct escape_range {
	__u32 from, to;
};

/* Those without a shape of their own, sorted; static. */
const struct escape_range *escape__hidden(unsigned *count);

/* Room enough for any n bytes, escaped. */
#define ESCAPE_SIZE(n) (6 * (size_t)(n) + 4)

/* Escapes a string into out[size]. Like snprintf: always NUL-terminated (size > 0), returns the
 * length that the whole needs; what does not fit is left out in whole characters. CSV keeps its end
 * quote. */
size_t escape__str(enum escape_for to, const char *s, char *out, size_t size);

/* The same for len bytes, in which a NUL is one of them: for fields that may lack theirs. */
size_t escape__mem(enum escape_for to, const char *s, size_t len, char *out, size_t size);

/* The same to a stream. Returns 0 or -errno. */
int escape__put(enum escape_for to, const char *s, FILE *f);

/* How many terminal columns a text takes (wide characters two, combining ones none). Expects
 * escaped text: a byte that is not UTF-8 and a control character count one. */
unsigned escape__width(const char *s);

/* Copies s, shortened to `columns` with an ellipsis ("…", or "..." where !utf8) if it is wider. out
 * has room for at least strlen(s) + 4 bytes. Returns the columns used. */
unsigned escape__shorten(const char *s, unsigned columns, bool utf8, char *out);

/* The same, but it is the middle that goes: names that begin alike differ at the end. For raw names
 * too, if they are escaped then. */
unsigned escape__squeeze(const char *s, unsigned columns, bool utf8, char *out);

/* The length of the longest start of s, <= max, that does not end inside a UTF-8 character. */
size_t escape__fit(const char *s, size_t max);

#endif
