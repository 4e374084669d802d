// SPDX-License-Identifier: BSD-2-Clause
/* See canvas.h. Texts lie back to back in one buffer; runs refer to them by offset. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "canvas.h"

#define SPACES "                                                                "

void canvas__init(struct canvas *c, unsigned columns, bool utf8)
{
	*c = (struct canvas){.columns = columns, .utf8 = utf8};
}

void canvas__clear(struct canvas *c)
{
	c->line = c->column = c->runs = c->skip = 0;
	c->bytes = 0;
	c->reverse = false;
}

void canvas__free(struct canvas *c)
{
	free(c->run);
	free(c->text);
	memset(c, 0, sizeof(*c));
}

static bool make_room(struct canvas *c, size_t bytes)
{
	if (c->runs == c->run_room) {
		unsigned room = c->run_room ? 2 * c->run_room : 256;
		struct canvas_run *r = realloc(c->run, room * sizeof(*r));

		if (!r)
			return false;
		c->run = r;
		c->run_room = room;
	}
	if (c->bytes + bytes > c->text_room) {
		size_t room = 2 * (c->text_room + bytes) + 4096;
		char *t = realloc(c->text, room);

		if (!t)
			return false;
		c->text = t;
		c->text_room = room;
	}
	return true;
}

static unsigned room_left(const struct canvas *c)
{
	return c->column < c->columns ? c->columns - c->column : 0;
}

void canvas__put(struct canvas *c, enum term_style style, const char *text)
{
	unsigned room = room_left(c), width;

	if (!room || !*text || (c->rows && c->line >= c->rows))
		return;
	if (!make_room(c, strlen(text) + 4)) {
		c->err = -ENOMEM;
		return;
	}
	width = escape__shorten(text, room, c->utf8, c->text + c->bytes);
	c->run[c->runs++] = (struct canvas_run){.line = c->line,
						.column = c->column,
						.style = style,
						.reverse = c->reverse,
						.at = c->bytes};
	c->bytes += strlen(c->text + c->bytes) + 1;
	c->column += width;
}

void canvas__to(struct canvas *c, unsigned column)
{
	while (c->column < column && room_left(c) && !(c->rows && c->line >= c->rows)) {
		unsigned n = column - c->column, most = sizeof(SPACES) - 1;

		if (n > room_left(c))
			n = room_left(c);
		canvas__put(c, STYLE_PLAIN, SPACES + most - (n < most ? n : most));
		if (c->err)
			return;
	}
}

void canvas__field(struct canvas *c, enum term_style style, const char *text, unsigned width,
		   bool right)
{
	unsigned from = c->column, have = escape__width(text), columns = c->columns;

	if (right && have < width)
		canvas__to(c, from + width - have);
	if (from + width < c->columns)
		c->columns = from + width;
	canvas__put(c, style, text);
	c->columns = columns;
	canvas__to(c, from + width);
}

void canvas__newline(struct canvas *c)
{
	c->column = 0;
	if (!c->skip) {
		c->line++;
		return;
	}
	c->skip--;
	while (c->runs && c->run[c->runs - 1].line == c->line)
		c->runs--;
}

void canvas__flow(struct canvas *c, enum term_style style, const char *text)
{
	if (c->column && c->column + 2 + escape__width(text) > c->columns)
		canvas__newline(c);
	else if (c->column)
		canvas__put(c, STYLE_PLAIN, "  ");
	canvas__put(c, style, text);
}

int canvas__print(const struct canvas *c, const struct term *t, FILE *f)
{
	unsigned line = 0;

	for (unsigned i = 0; i < c->runs; i++) {
		const struct canvas_run *r = &c->run[i];
		const char *text = c->text + r->at;
		bool last = i + 1 == c->runs || c->run[i + 1].line != r->line;

		for (; line < r->line; line++)
			fputc('\n', f);
		if (last && !text[strspn(text, " ")])
			continue; /* nothing but blanks up to the line's end */
		fprintf(f, "%s%s%s", term__on(t, r->style), text, term__off(t, r->style));
	}
	for (; line < c->line && (!c->rows || line + 1 < c->rows); line++)
		fputc('\n', f);
	return c->err ?: ferror(f) ? -(errno ?: EIO) : 0;
}
