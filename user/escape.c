// SPDX-License-Identifier: BSD-2-Clause
/*
 * Escapes names character by character: decode() alone decides what is UTF-8, piece() what a
 * character becomes, and emit() where it goes. Widths are libc's, in a UTF-8 locale of our own, so
 * that they do not depend on the user's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <stdint.h>
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

/* What has no shape of its own: controls; line and paragraph separators; the format characters (Cf)
 * and what else Unicode lets programs ignore (Default_Ignorable_Code_Point: zero width, soft
 * hyphens, changes of direction, selectors, fillers, tags); and noncharacters, which XML forbids in
 * part. Of Unicode 15.0: DerivedCoreProperties.txt, UnicodeData.txt. Sorted. */
static const struct escape_range hidden[] = {
	{0x0000, 0x001f},     {0x007f, 0x009f},	  {0x00ad, 0x00ad},   {0x034f, 0x034f},
	{0x0600, 0x0605},     {0x061c, 0x061c},	  {0x06dd, 0x06dd},   {0x070f, 0x070f},
	{0x0890, 0x0891},     {0x08e2, 0x08e2},	  {0x115f, 0x1160},   {0x17b4, 0x17b5},
	{0x180b, 0x180f},     {0x200b, 0x200f},	  {0x2028, 0x202e},   {0x2060, 0x206f},
	{0x3164, 0x3164},     {0xfdd0, 0xfdef},	  {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
	{0xffa0, 0xffa0},     {0xfff0, 0xfffb},	  {0xfffe, 0xffff},   {0x110bd, 0x110bd},
	{0x110cd, 0x110cd},   {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0x1fffe, 0x1ffff},   {0x2fffe, 0x2ffff}, {0x3fffe, 0x3ffff}, {0x4fffe, 0x4ffff},
	{0x5fffe, 0x5ffff},   {0x6fffe, 0x6ffff}, {0x7fffe, 0x7ffff}, {0x8fffe, 0x8ffff},
	{0x9fffe, 0x9ffff},   {0xafffe, 0xaffff}, {0xbfffe, 0xbffff}, {0xcfffe, 0xcffff},
	{0xdfffe, 0xdffff},   {0xe0000, 0xe0fff}, {0xefffe, 0xeffff}, {0xffffe, 0xfffff},
	{0x10fffe, 0x10ffff},
};

#define HIDDEN (sizeof(hidden) / sizeof(*hidden))

const struct escape_range *escape__hidden(unsigned *count)
{
	*count = HIDDEN;
	return hidden;
}

static bool is_hidden(uint32_t cp)
{
	unsigned low = 0, high = HIDDEN;

	if (cp >= 0x20 && cp < 0x7f)
		return false; /* nearly all */
	while (high - low > 1) {
		unsigned mid = (low + high) / 2;

		if (hidden[mid].from <= cp)
			low = mid;
		else
			high = mid;
	}
	return cp <= hidden[low].to;
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

	if (is_hidden(cp))
		return -1;
	if (cp < 0x80)
		return 1;
	call_once(&once, open_locale);
	if (!utf8_locale)
		return -1;
	before = uselocale(utf8_locale);
	columns = wcwidth(cp);
	uselocale(before);
	return columns;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* To a buffer or a stream. len counts all, also what found no room. */
struct out {
	FILE *f;
	char *buf;
	size_t room; /* of buf, without the NUL */
	size_t used;
	size_t len;
	bool full;
	int err;
};

static void emit_file(struct out *o, const char *s, size_t n)
{
	errno = 0;
	if (!o->err && fwrite(s, 1, n, o->f) != n)
		o->err = errno ? -errno : -EIO;
}

static void emit(struct out *o, const char *s, size_t n)
{
	o->len += n;
	if (o->f) {
		emit_file(o, s, n);
		return;
	}
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

/* All bytes in one piece, so that a cut does not leave half an escape. */
static void emit_hex(struct out *o, const char *s, unsigned n, const char *format)
{
	char text[4 * 5 + 1];
	int len = 0;

	for (unsigned i = 0; i < n; i++)
		len += snprintf(text + len, sizeof(text) - len, format, (unsigned char)s[i]);
	emit(o, text, len);
}

/* ---- what a character becomes ---------------------------------------------------------------- */

static const char *reference(uint32_t cp)
{
	return cp == '<'    ? "&lt;"
	       : cp == '>'  ? "&gt;"
	       : cp == '&'  ? "&amp;"
	       : cp == '"'  ? "&quot;"
	       : cp == '\'' ? "&#39;"
			    : NULL;
}

/* What the format itself wants in the place of a character, or NULL. */
static const char *of_format(enum escape_for to, uint32_t cp)
{
	switch (to) {
	case ESCAPE_HTML:
		return cp == '\\' ? "\\\\" : reference(cp);
	case ESCAPE_MARKUP:
		return reference(cp);
	case ESCAPE_CSV:
		return cp == '\\' ? "\\\\" : cp == '"' ? "\"\"" : NULL;
	case ESCAPE_LABEL: /* where a backslash begins an escape, and so is two: the name's two are
			      four */
		return cp == '\\' ? "\\\\\\\\" : cp == '"' ? "\\\"" : NULL;
	default:
		return cp == '\\' ? "\\\\" : NULL;
	}
}

static bool prints(enum escape_for to, uint32_t cp)
{
	if (to == ESCAPE_TERMINAL)
		return columns_of(cp) >= 0;
	if (to == ESCAPE_ASCII)
		return cp < 0x80 && !is_hidden(cp);
	return !is_hidden(cp);
}

static void text_piece(struct out *o, enum escape_for to, const char *s, unsigned n, uint32_t cp)
{
	const char *other = n ? of_format(to, cp) : NULL;

	if (other)
		emit_str(o, other);
	else if (n && prints(to, cp))
		emit(o, s, n);
	else
		emit_hex(o, s, n ?: 1, to == ESCAPE_LABEL ? "\\\\x%02x" : "\\x%02x");
}

/* JSON's writers quote the other controls, and not these, on which a terminal acts as well. */
static bool is_c1(uint32_t cp)
{
	return cp >= 0x80 && cp < 0xa0;
}

/* Writes the first character of s (len > 0) and returns its bytes; 1 for what is not UTF-8. */
static unsigned piece(struct out *o, enum escape_for to, const char *s, size_t len)
{
	uint32_t cp = 0;
	unsigned n = decode(s, len, &cp);

	if (to != ESCAPE_JSON)
		text_piece(o, to, s, n, cp);
	else if (n && !is_c1(cp))
		emit(o, s, n);
	else
		emit_str(o, REPLACEMENT);
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
	bool room = o->f || o->room >= 2;

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

int escape__put(enum escape_for to, const char *s, FILE *f)
{
	struct out o = {.f = f};

	escape(&o, to, s, strlen(s));
	return o.err;
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

#define LEAST_SQUEEZED 6 /* columns: of less, the start says more than a start and an end */

unsigned escape__squeeze(const char *s, unsigned columns, bool utf8, char *out)
{
	unsigned all = escape__width(s), dots = utf8 ? 1 : 3, tail, used, wide = 0;
	size_t len = strlen(s), n, at;

	if (all <= columns || columns < LEAST_SQUEEZED)
		return escape__shorten(s, columns, utf8, out);
	tail = (columns - dots) / 2;
	n = prefix(s, columns - dots - tail, &used);
	memcpy(out, s, n);
	strcpy(out + n, utf8 ? "…" : "...");
	for (at = n, all -= used; all > tail; all -= wide)
		at += step(s + at, len - at, &wide);
	while (at < len) { /* what combines with what is gone */
		n = step(s + at, len - at, &wide);
		if (wide)
			break;
		at += n;
	}
	strcat(out, s + at);
	return used + dots + all;
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
