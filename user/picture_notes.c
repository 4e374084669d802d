// SPDX-License-Identifier: BSD-2-Clause
/* What the SVG tells of single absences. See picture.h. */
#include <ctype.h>
#include <limits.h>
#include <string.h>
#include "picture.h"
#include "svg.h"
#include "taker.h"
#include "timeline_svg.h"
#include "units.h"

#define TIPS_MAX 6000 /* absences with a tooltip: the longest */
#define MARK	 17   /* from one mark to the next */

#define MARK_INSIDE 12 /* from a box's edge to a mark's middle */

static bool mark_fits(const struct picture *p, double width)
{
	return width > 60 && p->row_height >= 22;
}

/* ---- absences ----------------------------------------------------------------------------- */

static bool has_tip(const struct picture *p, const struct timeline_absence *a)
{
	return a->to - a->from >= p->tip_ns[a->state != ST_PREEMPTED];
}

/* As many of the longest as TIPS_MAX allows; of those that are nobody's doing, only long ones. */
void picture__choose_tips(struct picture *p)
{
	unsigned n;

	p->tip_ns[0] = TIMELINE_SVG_WIDE * p->t->width_ns;
	p->tip_ns[1] = 4 * p->tip_ns[0];
	do {
		n = 0;
		for (unsigned i = 0; i < p->t->wides; i++)
			n += has_tip(p, &p->t->wide[i]);
		if (n > TIPS_MAX) {
			p->tip_ns[0] += p->tip_ns[0] / 2;
			p->tip_ns[1] += p->tip_ns[1] / 2;
		}
	} while (n > TIPS_MAX);
}

static void who(const struct picture *p, const struct timeline_absence *a, double x, double width)
{
	unsigned size = p->row_height >= 16 ? 11 : 9,
		 room = picture__letters(width - 8, size * 1.12); /* bold */
	char raw[TAKER_SIZE];

	taker__in_box(p->t, p->s->model, a, room, raw);
	if (p->row_height < 12 || room < 3 || (room < 6 && strlen(raw) > room))
		return;
	fprintf(p->f,
		"<svg x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\">"
		"<text class=\"who mid\" style=\"font-size:%upx\" x=\"50%%\" y=\"%u\">",
		x, p->row_y[a->row], width, p->row_height, size,
		(p->row_height + size) / 2 - (size > 10));
	svg__name(p->f, raw, room);
	fputs("</text></svg>", p->f);
}

/* In it, at its beginning? */
static bool has_mark(const struct picture *p, const struct timeline_absence *a)
{
	for (unsigned i = 0; i < picture__waits_shown(p); i++)
		if (p->t->worst[i].row == a->row && p->t->worst[i].a.from == a->a.from)
			return mark_fits(p, picture__x(p, a->to) - picture__x(p, a->from));
	return false;
}

static void tip(const struct picture *p, const struct timeline_absence *a)
{
	double x = picture__x(p, a->from), width = picture__x(p, a->to) - x;
	char raw[TAKER_SIZE], length[UNITS_LEN], moment[AXIS_LEN];

	double mark = has_mark(p, a) ? 2 * MARK_INSIDE : 0;

	if (a->state == ST_PREEMPTED && width > mark)
		who(p, a, x + mark, width - mark);
	fprintf(p->f,
		"<rect class=\"hit\" x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\"><title>", x,
		p->row_y[a->row], width, p->row_height);
	svg__name(p->f, taker__victim(p->s->model, a->v, raw), 60);
	fprintf(p->f, "\n%s %s%s, from %s", state__name(a->state),
		a->a.open || !a->a.whole ? "at least " : "",
		units__own(length, a->a.to - a->a.from),
		axis__moment(&p->axis, picture__since_start(p, a->a.from), moment));
	if (*taker__long(p->s->model, a, raw)) {
		fputs("\nfirst taken by ", p->f);
		svg__text(p->f, raw, 120);
	}
	if (a->a.has_run_delay && a->state != ST_PREEMPTED)
		fprintf(p->f, "\nrun delay %s", units__own(length, a->a.run_delay_ns));
	fputs("</title></rect>\n", p->f);
}

void picture__tips(const struct picture *p)
{
	for (unsigned i = 0; i < p->t->wides; i++)
		if (has_tip(p, &p->t->wide[i]))
			tip(p, &p->t->wide[i]);
}

/* ---- the longest waits -------------------------------------------------------------------- */

static void mark(const struct picture *p, double x, double y, unsigned rank)
{
	fprintf(p->f,
		"<circle class=\"mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"8\"/>"
		"<text class=\"rank\" x=\"%.1f\" y=\"%.1f\">%u</text>\n",
		x, y, x, y + 3.5, rank);
}

/* Is there a mark already that one at x, in that row, would touch? */
static bool taken(const struct picture *p, unsigned i, double x)
{
	for (unsigned k = 0; k < i; k++) {
		double dx = x - p->mark_x[k];
		int dy = (int)p->row_y[p->t->worst[i].row] - (int)p->row_y[p->t->worst[k].row];

		if (dx < MARK && dx > -MARK && dy < MARK && dy > -MARK)
			return true;
	}
	return false;
}

/* Marks of one place move aside, to the nearest that is free. */
static double free_place(const struct picture *p, unsigned i, double x)
{
	double right = PICTURE_MARGIN + PICTURE_GUTTER + p->strip_width;

	for (unsigned n = 0; n <= 2 * PICTURE_WAITS; n++) {
		double to = x + (n % 2 ? 1 : -1) * (int)((n + 1) / 2) * MARK;

		if (to > PICTURE_MARGIN + PICTURE_GUTTER && to < right && !taken(p, i, to))
			return to;
	}
	return x;
}

/* From a mark that had to move to what it marks. */
static void leader(const struct picture *p, double mark_x, double x, double y)
{
	if (mark_x - x < 1 && x - mark_x < 1)
		return;
	fprintf(p->f,
		"<path class=\"lead\" d=\"M%.1f %.1fL%.1f %.1f\"/>"
		"<circle class=\"foot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>\n",
		mark_x, y, x, y + p->row_height / 2.0, x, y + p->row_height / 2.0);
}

unsigned picture__waits_shown(const struct picture *p)
{
	return p->t->worsts < PICTURE_WAITS ? p->t->worsts : PICTURE_WAITS;
}

/* A mark stands on the edge of its box's middle, or in it where that is wide. All that lies below
 * the marks comes first. */
void picture__marks(struct picture *p)
{
	bool inside[PICTURE_WAITS];

	for (unsigned i = 0; i < picture__waits_shown(p); i++) {
		const struct timeline_absence *a = &p->t->worst[i];
		__u64 begin = a->a.to - a->a.run_delay_ns;
		double from = picture__x(p, begin > a->from ? begin : a->from),
		       to = picture__x(p, a->to), middle = (from + to) / 2;

		if (to - from > 3)
			fprintf(p->f,
				"<rect class=\"wait\" x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\"/>",
				from, p->row_y[a->row], to - from, p->row_height);
		inside[i] = mark_fits(p, to - from);
		p->mark_x[i] = free_place(p, i, inside[i] ? from + MARK_INSIDE : middle);
		if (!inside[i])
			leader(p, p->mark_x[i], middle, p->row_y[a->row]);
	}
	for (unsigned i = 0; i < picture__waits_shown(p); i++)
		mark(p, p->mark_x[i],
		     p->row_y[p->t->worst[i].row] + (inside[i] ? p->row_height / 2 : 0), i + 1);
}

/* What is least important stands last, and is cut if need be. */
static void wait_line(const struct picture *p, unsigned i, unsigned y)
{
	const struct timeline_absence *a = &p->t->worst[i];
	unsigned room = picture__letters(p->width - 2 * PICTURE_MARGIN - 30, 12), used;
	char raw[TAKER_LONG], text[200], length[UNITS_LEN], moment[AXIS_LEN], apart[TAKER_SIZE];

	mark(p, PICTURE_MARGIN + 8, y - 4, i + 1);
	taker__victim(p->s->model, a->v, raw);
	snprintf(text, sizeof(text), " waited %s%s%s, from %s, ", a->a.whole ? "" : "at least ",
		 units__own(length, a->a.run_delay_ns), taker__apart(p->s, a, apart),
		 axis__moment(&p->axis, picture__since_start(p, a->a.to - a->a.run_delay_ns),
			      moment));
	used = strlen(text) + (strlen(raw) < room / 4 ? strlen(raw) : room / 4);
	fprintf(p->f, "<text x=\"%d\" y=\"%u\"><tspan style=\"font-weight:600\">",
		PICTURE_MARGIN + 26, y);
	svg__name(p->f, raw, room / 4);
	fprintf(p->f, "</tspan>%s", text);
	svg__text(p->f, taker__why(p->t, p->s->model, a, raw), room > used + 8 ? room - used : 8);
	fputs("<title>", p->f); /* the whole, for the pointer */
	svg__text(p->f, raw, UINT_MAX);
	fputs("</title></text>\n", p->f);
}

void picture__waits(const struct picture *p, unsigned y)
{
	const char *head = taker__waits(&p->t->known, p->t->worsts);
	char unknown[TAKER_SIZE];

	fprintf(p->f,
		"<text class=\"vm\" x=\"%d\" y=\"%u\">%c%s<tspan class=\"dim\" dx=\"12\">%s</tspan>"
		"</text>\n",
		PICTURE_MARGIN, y, toupper(*head), head + 1, taker__waits_unknown(p->t, unknown));
	for (unsigned i = 0; i < picture__waits_shown(p); i++)
		wait_line(p, i, y + 24 + 22 * i);
}
