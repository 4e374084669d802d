// SPDX-License-Identifier: BSD-2-Clause
/* See timeline_strip.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "taker.h"
#include "timeline_strip.h"
#include "timeline_text.h"

int strip__init(struct strip *s, const struct timeline *t, const struct model *m,
		const struct term *term)
{
	*s = (struct strip){.t = t, .m = m, .term = term};
	glyphs__init(&s->glyphs, term);
	s->cell = calloc(t->columns + 1, sizeof(*s->cell));
	return s->cell ? 0 : -ENOMEM;
}

void strip__free(struct strip *s)
{
	free(s->cell);
	s->cell = NULL;
}

unsigned strip__column(const struct timeline *t, __u64 ns)
{
	unsigned c = ns > t->from_ns ? (ns - t->from_ns) / t->width_ns : 0;

	return c < t->columns ? c : t->columns - 1;
}

static void set(struct strip *s, unsigned c, const char *text, size_t len, struct pen pen)
{
	struct glyph *cell = &s->cell[c];

	if (len >= sizeof(cell->text))
		len = 0;
	memcpy(cell->text, text, len);
	cell->text[len] = '\0';
	cell->pen = pen;
}

/* Writes escaped text over the cells from c on; there is room for it. What combines with a
 * character before it is left out. */
static void overlay(struct strip *s, unsigned c, const char *text, struct pen pen)
{
	while (*text) {
		size_t len = 1;
		char one[8];
		unsigned width;

		while ((text[len] & 0xc0) == 0x80 && len < 4)
			len++;
		memcpy(one, text, len);
		one[len] = '\0';
		width = escape__width(one);
		if (width)
			set(s, c, one, len, pen);
		if (width == 2)
			set(s, c + 1, "", 0, pen);
		c += width;
		text += len;
	}
}

/* Its number, if it is one of the worst; else 0. */
static unsigned rank_of(const struct strip *s, const struct timeline_absence *a)
{
	for (unsigned i = 0; i < s->t->worsts && i < STRIP_WORST; i++)
		if (s->t->worst[i].v == a->v && s->t->worst[i].a.from == a->a.from)
			return i + 1;
	return 0;
}

/* Who took the CPU, in the middle of the columns that are the absence's alone. false: no room. */
static bool name_taker(struct strip *s, const struct timeline_absence *a)
{
	const struct timeline *t = s->t;
	unsigned first = (a->from - t->from_ns + t->width_ns - 1) / t->width_ns;
	unsigned end = a->to == t->to_ns ? t->columns : (a->to - t->from_ns) / t->width_ns;
	char raw[TAKER_SIZE + 16], text[ESCAPE_SIZE(TAKER_SIZE)], cut[ESCAPE_SIZE(TAKER_SIZE) + 4];
	unsigned width, room, rank = rank_of(s, a), number = rank ? 2 : 0;
	char name[TAKER_SIZE];

	if (end < first + TIMELINE_TEXT_WIDE || a->state != ST_PREEMPTED)
		return false;
	room = end - first - 2;
	taker__in_box(t, s->m, a, room > number ? room - number : 0, name);
	snprintf(raw, sizeof(raw), "%s%s", rank ? "# " : "", name);
	if (rank)
		raw[0] = '0' + rank;
	escape__str(s->term->escape, raw, text, sizeof(text));
	if (escape__width(text) > room && room < number + 3 + (s->term->utf8 ? 1 : 3))
		return false;		       /* less than three letters say nothing */
	if (escape__width(text) + 2 <= room) { /* set off by blanks */
		snprintf(raw, sizeof(raw), " %.300s ", text);
		snprintf(text, sizeof(text), "%s", raw);
		number += rank ? 1 : 0;
	}
	width = escape__squeeze(text, room, s->term->utf8, cut);
	first += 1 + (room - width) / 2;
	if (*name || rank)
		overlay(s, first, cut, pen_name);
	if (rank)
		s->cell[first + number - 2].pen = pen_mark;
	return rank;
}

static bool is_mark(const struct strip *s, unsigned c)
{
	return c < s->t->columns && pen__same(&s->cell[c].pen, &pen_mark);
}

/* Side by side, two numbers would read as one. */
static bool is_apart(const struct strip *s, unsigned c)
{
	return c < s->t->columns && !pen__same(&s->cell[c].pen, &pen_name) && !is_mark(s, c - 1) &&
	       !is_mark(s, c) && !is_mark(s, c + 1);
}

/* c, or the nearest column where a number touches no other and no name; c if there is none. */
static unsigned place(const struct strip *s, unsigned c)
{
	for (unsigned off = 0; off < s->t->columns; off++) {
		if (is_apart(s, c + off))
			return c + off;
		if (is_apart(s, c - off))
			return c - off;
	}
	return c;
}

/* The numbers of the worst, in the middle of the wait. */
static void mark_worst(struct strip *s, unsigned row, const bool *named)
{
	for (unsigned i = 0; i < s->t->worsts && i < STRIP_WORST; i++) {
		const struct timeline_absence *a = &s->t->worst[i];
		__u64 from = a->a.to - a->a.run_delay_ns;
		char number[2] = {'1' + i};

		if (a->row != row || named[i])
			continue;
		from = from > a->from ? from : a->from;
		set(s, place(s, strip__column(s->t, from + (a->to - from) / 2)), number, 1,
		    pen_mark);
	}
}

static void fill(struct strip *s, unsigned row)
{
	const struct timeline_row *r = &s->t->row[row];
	bool named[STRIP_WORST] = {false};

	for (unsigned c = 0; c < s->t->columns; c++)
		s->cell[c] = glyphs__draw(&s->glyphs, &r->column[c]);
	for (unsigned i = 0; i < r->wide; i++) {
		const struct timeline_absence *a = &s->t->wide[r->first_wide + i];

		if (name_taker(s, a))
			named[rank_of(s, a) - 1] = true;
	}
	mark_worst(s, row, named);
}

void strip__put(struct strip *s, unsigned row, FILE *f)
{
	struct pen pen = {0};

	fill(s, row);
	for (unsigned c = 0; c < s->t->columns; c++) {
		if (!pen__same(&pen, &s->cell[c].pen)) {
			pen__off(&pen, s->term, f);
			pen = s->cell[c].pen;
			pen__on(&pen, s->term, f);
		}
		fputs(s->cell[c].text, f);
	}
	pen__off(&pen, s->term, f);
}
