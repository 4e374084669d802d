// SPDX-License-Identifier: BSD-2-Clause
/* Looks at the output once; styles and bars follow from what it found. */
#define _GNU_SOURCE
#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "term.h"
#include "units.h"

#define WORD 4400 /* bytes, of a text without blanks */

int term__parse_color(const char *word, enum term_color *color)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (int i = COLOR_AUTO; i <= COLOR_NEVER; i++)
		if (!strcmp(word, words[i])) {
			*color = i;
			return 0;
		}
	return -EINVAL;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool wants_color(bool tty, enum term_color color)
{
	const char *type = getenv("TERM");

	if (color != COLOR_AUTO)
		return color == COLOR_ALWAYS;
	return tty && type && *type && strcmp(type, "dumb") && !is_set("NO_COLOR");
}

/* A size that the environment tells, if it is one. */
static unsigned size_from(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);
	__u64 n;

	return value && !units__u64(value, &n) && n > 0 && n <= USHRT_MAX ? n : otherwise;
}

void term__resize(struct term *t, int fd)
{
	struct winsize size = {0};

	if (t->tty && ioctl(fd, TIOCGWINSZ, &size))
		size = (struct winsize){0};
	t->sized = size.ws_col || size_from("COLUMNS", 0);
	t->columns = size.ws_col ? size.ws_col : size_from("COLUMNS", 80);
	t->rows = size.ws_row ? size.ws_row : size_from("LINES", 24);
	t->limit = t->tty ? t->columns : UINT_MAX;
}

void term__look(struct term *t, int fd, enum term_color color)
{
	*t = (struct term){.tty = isatty(fd)};
	t->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	t->escape = t->utf8 ? ESCAPE_TERMINAL : ESCAPE_ASCII;
	t->color = wants_color(t->tty, color);
	term__resize(t, fd);
}

/* The sixteen colours of every terminal, so that the user's own palette holds; the same for a state
 * as in drawings (glyph.c). Text is in the brighter blue: the other one is hard to read on black.
 */
const char *term__on(const struct term *t, enum term_style style)
{
	static const char *const on[STYLE_CNT] = {
		[STYLE_PLAIN] = "",
		[STYLE_RUNNING] = "\033[94m",	 /* blue */
		[STYLE_PREEMPTED] = "\033[31m",	 /* red */
		[STYLE_HALTED] = "\033[2m",	 /* calm */
		[STYLE_SLEEPING] = "\033[32m",	 /* green */
		[STYLE_USER] = "\033[36m",	 /* cyan */
		[STYLE_ON_OR_USER] = "\033[94m", /* as running: most of it is */
		[STYLE_ABSENT] = "\033[90m",	 /* grey */
		[STYLE_UNKNOWN] = "\033[35m",	 /* magenta */
		[STYLE_HEADER] = "\033[1m",
		[STYLE_DIM] = "\033[2m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_WARN] = "\033[33m",
		[STYLE_BAD] = "\033[1;31m",
	};

	return t->color ? on[style] : "";
}

const char *term__off(const struct term *t, enum term_style style)
{
	return t->color && style != STYLE_PLAIN ? "\033[0m" : "";
}

void term__flow(const struct term *t, FILE *f, unsigned *at, const char *gap, enum term_style style,
		const char *text)
{
	unsigned width = escape__width(text), more = *at ? strlen(gap) : 0;

	if (*at && (unsigned long)*at + more + width > t->limit) {
		fputc('\n', f);
		*at = more = 0;
	}
	fprintf(f, "%s%s%s%s", more ? gap : "", term__on(t, style), text, term__off(t, style));
	*at += more + width;
}

void term__words(const struct term *t, FILE *f, unsigned *at, enum term_style style,
		 const char *text)
{
	char word[WORD], brief[WORD + 4];

	if (escape__width(text) <= t->limit) {
		term__flow(t, f, at, "  ", style, text);
		return;
	}
	if (*at)
		fputc('\n', f);
	*at = 0;
	for (size_t n; *text; text += n) {
		n = strcspn(text, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		escape__squeeze(word, t->tty ? t->limit : UINT_MAX, t->utf8, brief);
		if (n)
			term__flow(t, f, at, " ", style, brief);
		n += strspn(text + n, " ");
	}
	*at = t->limit;
}

/* value / max of n, rounded down, but 1 for what is little. */
static unsigned part_of(__u64 value, __u64 max, unsigned n)
{
	unsigned part;

	if (!value || !max || !n)
		return 0;
	if (value >= max)
		return n;
	part = (unsigned __int128)value * n / max;
	return part ? part : 1;
}

unsigned term__bar(const struct term *t, char *out, __u64 value, __u64 max, unsigned columns)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	unsigned eighth, full;

	if (!t->utf8) {
		full = part_of(value, max, columns);
		memset(out, '#', full);
		out[full] = '\0';
		return full;
	}
	eighth = part_of(value, max, 8 * columns);
	full = eighth / 8;
	for (unsigned i = 0; i < full; i++)
		memcpy(out + 3 * i, "█", 3);
	strcpy(out + 3 * full, eighths[eighth % 8]);
	return full + !!(eighth % 8);
}
