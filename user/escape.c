// SPDX-License-Identifier: BSD-2-Clause
/*
 * Escapes names character by character: decode() alone decides what is UTF-8, piece() what a
 * character becomes, and emit() where it goes. Widths are libc's, in a UTF-8 locale of our own, so
 * that they do not depend on the user's.
 */
#define _GNU_SOURCE
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <wchar.h>
#include "escape.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* ---- characters ------------------------------------------------------------------------------ */

/* The bytes that a UTF-8 character takes by its first byte; 0 = none begins so. */
static unsigned length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0; /* in the middle of one, or 7 bits in two bytes */
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* Decodes the character at s; returns its bytes, or 0 if there is no valid one (RFC 3629). */
static unsigned decode(const char *s, size_t len, uint32_t *cp)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned n = len ? length_of(*s) : 0;

	if (!n || n > len)
		return 0;
	*cp = (unsigned char)*s & bits[n];
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < lowest[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

static bool is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

/* C1 controls, and what turns the text around it, ends a line, or may not be in XML. */
static bool is_troublesome(uint32_t cp)
{
	return (cp >= 0x80 && cp < 0xa0) || cp == 0x061c || cp == 0x200e || cp == 0x200f ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	       (cp & 0xfffe) == 0xfffe;
}

static locale_t utf8_locale;

/* C.UTF-8 is everywhere but on old systems; those have the user's. Without any, as in a static
 * program on a bare file system, nothing but ASCII prints. Never freed. */
static void open_locale(void)
{
	utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (!utf8_locale)
		utf8_locale = newlocale(LC_CTYPE_MASK, "", NULL);
}

/* Terminal columns: 0, 1, 2, or -1 for what does not print. */
static int columns_of(uint32_t cp)
{
	static once_flag once = ONCE_FLAG_INIT;
	locale_t before;
	int columns;

	if (cp < 0x80)
		return is_control(cp) ? -1 : 1;
	if (is_troublesome(cp))
		return -1;
	call_once(&once, open_locale);
	if (!utf8_locale)
		return -1;
	before = uselocale(utf8_locale);
	columns = wcwidth(cp);
	uselocale(before);
	return columns;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* len counts all, also what found no room. */
struct out {
	char *buf;
	size_t room; /* of buf, without the NUL */
	size_t used;
	size_t len;
	bool full;
};

static void emit(struct out *o, const char *s, size_t n)
{
	o->len += n;
	if (n > o->room - o->used)
		o->full = true;
	if (o->full)
		return; /* so is what comes after a gap */
	memcpy(o->buf + o->used, s, n);
	o->used += n;
}

static void emit_str(struct out *o, const char *s)
{
	emit(o, s, strlen(s));
}

/* All of them in one piece, so that a cut does not leave half an escape. */
static void emit_hex(struct out *o, const char *s, unsigned n)
{
	char text[4 * 4 + 1];

	for (unsigned i = 0; i < n; i++)
		snprintf(text + 4 * i, 5, "\\x%02x", (unsigned char)s[i]);
	emit(o, text, 4 * n);
}

/* U+2400 ... U+241F picture the C0 controls, U+2421 DEL. */
static void emit_picture(struct out *o, uint32_t control)
{
	char text[3] = {'\xe2', '\x90', 0x80 | (control == 0x7f ? 0x21 : control)};

	emit(o, text, sizeof(text));
}

/* ---- what a character becomes ---------------------------------------------------------------- */

static void terminal_piece(struct out *o, bool ascii, const char *s, unsigned n, uint32_t cp)
{
	if (!n)
		emit_hex(o, s, 1);
	else if (cp == '\\')
		emit_str(o, "\\\\");
	else if (columns_of(cp) < 0 || (ascii && cp >= 0x80))
		emit_hex(o, s, n);
	else
		emit(o, s, n);
}

static const char *reference(enum escape_for to, uint32_t cp)
{
	switch (to) {
	case ESCAPE_HTML:
		return cp == '<'    ? "&lt;"
		       : cp == '>'  ? "&gt;"
		       : cp == '&'  ? "&amp;"
		       : cp == '"'  ? "&quot;"
		       : cp == '\'' ? "&#39;"
				    : NULL;
	case ESCAPE_CSV:
		return cp == '"' ? "\"\"" : NULL;
	case ESCAPE_LABEL:
		return cp == '"' ? "\\\"" : cp == '\\' ? "\\\\" : cp == '\n' ? "\\n" : NULL;
	default:
		return NULL;
	}
}

static void text_piece(struct out *o, enum escape_for to, const char *s, unsigned n, uint32_t cp)
{
	const char *ref = reference(to, cp);

	if (ref)
		emit_str(o, ref);
	else if (is_troublesome(cp))
		emit_str(o, REPLACEMENT);
	else if (is_control(cp))
		emit_picture(o, cp);
	else
		emit(o, s, n);
}

/* Writes the first character of s (len > 0) and returns its bytes; 1 for what is not UTF-8. */
static unsigned piece(struct out *o, enum escape_for to, const char *s, size_t len)
{
	uint32_t cp = 0;
	unsigned n = decode(s, len, &cp);

	if (to == ESCAPE_TERMINAL || to == ESCAPE_ASCII)
		terminal_piece(o, to == ESCAPE_ASCII, s, n, cp);
	else if (!n)
		emit_str(o, REPLACEMENT);
	else if (to == ESCAPE_JSON)
		emit(o, s, n);
	else
		text_piece(o, to, s, n, cp);
	return n ? n : 1;
}

static void pieces(struct out *o, enum escape_for to, const char *s, size_t len)
{
	for (size_t i = 0; i < len;)
		i += piece(o, to, s + i, len - i);
}

static bool wants_quotes(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (memchr(",;\"", s[i], 3))
			return true;
	return len && (s[0] == ' ' || s[len - 1] == ' ');
}

/* Spreadsheets take what begins like this for a formula, and run it. */
static void csv_plain(struct out *o, const char *s, size_t len)
{
	if (len && memchr("=+-@", s[0], 4))
		emit(o, "'", 1);
	pieces(o, ESCAPE_CSV, s, len);
}

/* The end quote's room is set aside, so that a cut field still ends with it. */
static void csv_quoted(struct out *o, const char *s, size_t len)
{
	bool room = o->room >= 2;

	if (room)
		o->room--;
	else
		o->full = true;
	emit(o, "\"", 1);
	csv_plain(o, s, len);
	if (room) {
		o->room++;
		o->full = false;
	}
	emit(o, "\"", 1);
}

static void escape(struct out *o, enum escape_for to, const char *s, size_t len)
{
	if (to != ESCAPE_CSV)
		pieces(o, to, s, len);
	else if (wants_quotes(s, len))
		csv_quoted(o, s, len);
	else
		csv_plain(o, s, len);
}

/* ---- calls ----------------------------------------------------------------------------------- */

size_t escape__mem(enum escape_for to, const char *s, size_t len, char *out, size_t size)
{
	struct out o = {.buf = out, .room = size ? size - 1 : 0, .full = !size};

	escape(&o, to, s, len);
	if (size)
		out[o.used] = '\0';
	return o.len;
}

size_t escape__str(enum escape_for to, const char *s, char *out, size_t size)
{
	return escape__mem(to, s, strlen(s), out, size);
}

/* The bytes and columns of the first character; one column for what is no printable one. */
static unsigned step(const char *s, size_t len, unsigned *columns)
{
	uint32_t cp = 0;
	unsigned n = decode(s, len, &cp);
	int wide = n ? columns_of(cp) : -1;

	*columns = wide < 0 ? 1 : wide;
	return n ? n : 1;
}

unsigned escape__width(const char *s)
{
	size_t len = strlen(s);
	unsigned sum = 0, columns;

	for (size_t i = 0; i < len; sum += columns)
		i += step(s + i, len - i, &columns);
	return sum;
}

/* The bytes of s that fit into so many columns; *used are those that they take. */
static size_t prefix(const char *s, unsigned columns, unsigned *used)
{
	size_t len = strlen(s), i = 0;
	unsigned wide, n;

	for (*used = 0; i < len; i += n, *used += wide) {
		n = step(s + i, len - i, &wide);
		if (*used + wide > columns)
			break;
	}
	return i;
}

unsigned escape__shorten(const char *s, unsigned columns, bool utf8, char *out)
{
	const char *dots = utf8 ? "…" : "...";
	unsigned dots_wide = utf8 ? 1 : 3, used = escape__width(s);
	size_t n;

	if (used <= columns) {
		strcpy(out, s);
		return used;
	}
	if (dots_wide > columns)
		dots_wide = columns;
	n = prefix(s, columns - dots_wide, &used);
	memcpy(out, s, n);
	strcpy(out + n, columns ? dots : "");
	if (!utf8)
		out[n + dots_wide] = '\0';
	return used + dots_wide;
}

size_t escape__fit(const char *s, size_t max)
{
	size_t len = strnlen(s, max), start = len;

	if (len < max || !s[len])
		return len;
	while (start && len - start < 3 && (s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start && start - 1 + length_of(s[start - 1]) > len)
		return start - 1;
	return len;
}
