// SPDX-License-Identifier: BSD-2-Clause
/*
 * The picture from top to bottom: title, legend, axis, a strip per vCPU below its VM's name, the
 * axis again, and the longest run delays. In a strip each column is a pile of its states, as high
 * as their shares: preemption at the bottom, on one line, what is calm above it. An outline per
 * state and row is all that is written, so its size depends on columns times rows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "picture.h"
#include "svg.h"
#include "taker.h"
#include "timeline_svg.h"
#include "units.h"

#define USUAL_WIDTH 1200
#define LEAST_WIDTH 640
#define CELLS_MAX   300000 /* columns times rows: a few MB */
#define VM_HEAD	    33	   /* above a VM's strips: its name, and room for marks */

/* From the bottom of a pile to its top. */
static const unsigned pile[] = {ST_PREEMPTED, TIMELINE_WOKEN, ST_UNKNOWN,
				ST_RUNNING,   ST_ON_OR_USER,  ST_USER,
				ST_SLEEPING,  ST_HALTED,      ST_ELSEWHERE};
#define PILE (sizeof(pile) / sizeof(*pile))

static unsigned strip_of(unsigned width)
{
	unsigned w = width ? width : USUAL_WIDTH;

	return (w > LEAST_WIDTH ? w : LEAST_WIDTH) - 2 * PICTURE_MARGIN - PICTURE_GUTTER -
	       PICTURE_FIGURES;
}

unsigned timeline_svg__columns(unsigned width)
{
	return strip_of(width);
}

/* ---- geometry ----------------------------------------------------------------------------- */

static void choose_heights(struct picture *p)
{
	static const struct {
		unsigned rows, height, gap, unit;
	} sizes[] = {
		{12, 28, 6, 2}, {40, 22, 4, 2}, {100, 16, 3, 2}, {300, 12, 2, 1}, {~0U, 8, 1, 1}};
	unsigned i = 0;

	while (p->t->rows > sizes[i].rows)
		i++;
	p->row_height = sizes[i].height;
	p->gap = sizes[i].gap;
	p->unit = sizes[i].unit;
}

static unsigned place_rows(struct picture *p, unsigned y)
{
	for (unsigned i = 0; i < p->t->vms; i++) {
		const struct timeline_vm *v = &p->t->vm[i];

		y += VM_HEAD;
		for (unsigned k = v->first; k < v->first + v->rows; k++) {
			p->row_y[k] = y;
			y += p->row_height + p->gap;
		}
	}
	return y;
}

/* ---- a strip ------------------------------------------------------------------------------ */

/* The outline of all states up to pile[k], filled down to the bottom: what lies above is drawn
 * first. */
static void outline(const struct picture *p, const unsigned char *top, unsigned k)
{
	unsigned n = p->t->columns, run = 0, high = 0;

	fprintf(p->f, "<path class=\"%s\" d=\"M0 %u", picture__class(pile[k]), p->row_height);
	for (unsigned c = 0; c <= n; c++) {
		unsigned now = c < n ? top[c * PILE + k] * p->unit : 0;

		if (c < n && now == high) {
			run++;
			continue;
		}
		if (run)
			fprintf(p->f, "h%u", run);
		if (now != high)
			fprintf(p->f, "v%d", (int)high - (int)now);
		high = now;
		run = 1;
	}
	fputs("z\"/>", p->f);
}

static void strip(const struct picture *p, unsigned row, unsigned char *top)
{
	const struct timeline_column *column = p->t->row[row].column;
	double length = (double)(p->t->to_ns - p->t->from_ns) / p->t->width_ns;
	unsigned share[TIMELINE_SHADES];
	bool has[PILE] = {false};

	for (unsigned c = 0; c < p->t->columns; c++) {
		unsigned sum = 0;

		timeline__shares(&column[c], p->row_height / p->unit, share);
		for (unsigned k = 0; k < PILE; k++) {
			has[k] |= share[pile[k]] > 0;
			sum += share[pile[k]];
			top[c * PILE + k] = sum;
		}
	}
	fprintf(p->f,
		"<svg x=\"%d\" y=\"%u\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %.4f %u\" "
		"preserveAspectRatio=\"none\">",
		PICTURE_MARGIN + PICTURE_GUTTER, p->row_y[row], p->strip_width, p->row_height,
		length, p->row_height);
	for (unsigned k = PILE; k-- > 0;)
		if (has[k])
			outline(p, top, k);
	fputs("</svg>\n", p->f);
}

static unsigned text_size(const struct picture *p)
{
	return p->row_height < 12 ? 8 : p->row_height < 16 ? 11 : 12;
}

static void row_label(const struct picture *p, unsigned row)
{
	const struct summary_vcpu *v = &p->s->vcpu[row];
	unsigned size = text_size(p);
	unsigned y = p->row_y[row] + (p->row_height + size) / 2 - 1;
	char number[16] = "?", text[UNITS_LEN];

	if (v->v->vcpu_id >= 0)
		snprintf(number, sizeof(number), "%d", v->v->vcpu_id);
	fprintf(p->f,
		"<text class=\"end\" style=\"font-size:%upx\" x=\"%d\" y=\"%u\">vCPU %s<title>",
		size, PICTURE_MARGIN + PICTURE_GUTTER - 8, y, number);
	fprintf(p->f, "vCPU %s, thread %u", number, v->v->v.tid);
	for (int st = 0; st < ST_CNT; st++)
		if (v->state_ns[st])
			fprintf(p->f, "\n%s %s", state__name(st),
				units__percent(text, v->state_ns[st], p->s->to_ns - p->s->from_ns));
	fputs("</title></text>", p->f);
}

static void row_figures(const struct picture *p, unsigned row)
{
	const struct timeline_row *r = &p->t->row[row];
	const struct absence *a = &r->delay.a;
	unsigned size = text_size(p), right = p->width - PICTURE_MARGIN;
	unsigned y = p->row_y[row] + (p->row_height + size) / 2 - 1;
	char share[UNITS_LEN] = "-", longest[UNITS_LEN] = "none";

	if (r->known.how != KNOWN_NOTHING)
		units__percent(share, r->known.run_delay_ns, p->s->to_ns - p->s->from_ns);
	if (r->delay.v)
		units__own(longest, a->run_delay_ns);
	else if (r->known.how != KNOWN_ALL)
		strcpy(longest, "-");
	fprintf(p->f,
		"<g class=\"num end\"><text style=\"font-size:%upx\" x=\"%u\" y=\"%u\">%s%s</text>"
		"<text style=\"font-size:%upx\" x=\"%u\" y=\"%u\">%s%s</text></g>\n",
		size, right - 80, y, r->known.how == KNOWN_PART ? "≥" : "", share, size, right, y,
		r->delay.v && (a->open || !a->whole) ? "≥" : "", longest);
}

/* ---- VMs ---------------------------------------------------------------------------------- */

static void vm(const struct picture *p, const struct timeline_vm *vm)
{
	unsigned width = p->width - 2 * PICTURE_MARGIN, letters;
	__u32 id = p->t->row[vm->first].v->vm;
	char raw[2 * TAKER_SIZE], unknown[TAKER_SIZE];

	fprintf(p->f, "<text class=\"vm\" x=\"%d\" y=\"%u\">", PICTURE_MARGIN,
		p->row_y[vm->first] - 12);
	svg__name(p->f, model__vm_name(p->s->model, id, raw, sizeof(raw)),
		  picture__letters(width / 3, 13));
	letters = strlen(raw);
	if (letters * 13 * SVG_LETTER < width / 3)
		width -= letters * 13 * SVG_LETTER + 12;
	else
		width = width * 2 / 3;
	fputs("<tspan class=\"dim\" dx=\"12\">", p->f);
	taker__of_vm(&p->matrix, p->s, id, raw);
	if (*taker__unknown(&vm->known, unknown))
		snprintf(raw + strlen(raw), sizeof(raw) - strlen(raw), "%s%s", *raw ? "; " : "",
			 unknown);
	svg__text(p->f, raw, picture__letters(width, 11));
	fputs("</tspan></text>\n", p->f);
}

static int rows(const struct picture *p)
{
	unsigned char *top = calloc(p->t->columns + 1, PILE);

	if (!top)
		return -ENOMEM;
	for (unsigned i = 0; i < p->t->vms; i++) {
		const struct timeline_vm *v = &p->t->vm[i];

		vm(p, v);
		for (unsigned k = v->first; k < v->first + v->rows; k++) {
			row_label(p, k);
			strip(p, k, top);
			row_figures(p, k);
		}
	}
	free(top);
	return 0;
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* Where a picture is longer than a page, the waits come first. */
static int draw(struct picture *p)
{
	unsigned told = 32 + 22 * picture__waits_shown(p), legend_bottom = p->strips_top, bottom;
	bool first = p->t->rows > 40;
	char title[200];
	int err;

	p->strips_top += first ? told + 12 : 0;
	bottom = place_rows(p, p->strips_top);
	p->height = bottom + 24 + (first ? 0 : told) + PICTURE_MARGIN;
	picture__title(p, title, sizeof(title));
	svg__begin(p->f, p->width, p->height, title);
	picture__head(p);
	picture__legend(p, 76);
	picture__axis(p, p->strips_top);
	picture__figures_head(p, p->strips_top);
	err = rows(p);
	if (err)
		return err;
	picture__grid(p, p->strips_top + 6, bottom + 2);
	picture__tips(p);
	picture__marks(p);
	picture__axis(p, bottom + 14);
	picture__waits(p, first ? legend_bottom : bottom + 44);
	svg__end(p->f);
	return 0;
}

int timeline_svg__write(FILE *f, struct timeline *t, const struct summary *s, unsigned width)
{
	struct picture p = {.f = f, .t = t, .s = s, .strip_width = strip_of(width)};
	int err = -ENOMEM;

	p.width = p.strip_width + 2 * PICTURE_MARGIN + PICTURE_GUTTER + PICTURE_FIGURES;
	if (t->rows && t->columns > CELLS_MAX / t->rows)
		timeline__coarsen(t, CELLS_MAX / t->rows > 100 ? CELLS_MAX / t->rows : 100);
	axis__init(&p.axis, picture__since_start(&p, s->from_ns),
		   picture__since_start(&p, s->to_ns), p.strip_width / (2 * 11 * SVG_LETTER));
	choose_heights(&p);
	picture__choose_tips(&p);
	p.legend_lines = picture__legend(&(struct picture){.s = s, .width = p.width}, 0);
	p.strips_top = 84 + 20 * p.legend_lines;
	p.row_y = calloc(t->rows + 1, sizeof(*p.row_y));
	if (p.row_y && !matrix__init(&p.matrix, s, MATRIX_BY_NAME, ~0U))
		err = draw(&p);
	matrix__free(&p.matrix);
	free(p.row_y);
	return err;
}
