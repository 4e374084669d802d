// SPDX-License-Identifier: BSD-2-Clause
/*
 * A strip of characters per vCPU, below its VM's name; a time axis; the names of those who took a
 * CPU for long, inside the strips; and the longest waits, marked by their numbers and told below.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "axis.h"
#include "glyph.h"
#include "measure.h"
#include "taker.h"
#include "timeline_text.h"
#include "units.h"

#define WORST	   3  /* waits that are told of */
#define AXIS_AGAIN 20 /* after so many lines the axis is repeated below them */

struct cell {
	char text[12]; /* "" : behind a wide character */
	enum term_style style;
};

struct page {
	FILE *f;
	const struct timeline *t;
	const struct summary *s;
	const struct term *term;
	struct axis axis;
	struct matrix matrix; /* who preempted whom */
	struct cell *cell;    /* one row's */
	unsigned gutter, lines;
	bool share, longest; /* the columns behind the strips */
	bool used[GLYPH_CNT];
};

static unsigned gutter_of(const struct term *term)
{
	return term->columns < 40 ? 5 : 10;
}

static bool has_longest(const struct term *term)
{
	return term->columns >= 50;
}

static bool has_share(const struct term *term)
{
	return term->columns >= 70;
}

unsigned timeline_text__columns(const struct term *term)
{
	unsigned other =
		gutter_of(term) + (has_longest(term) ? 12 : 0) + (has_share(term) ? 10 : 0);

	return term->columns > other + 8 ? term->columns - other : 8;
}

static void styled(const struct page *p, enum term_style style, const char *text)
{
	fprintf(p->f, "%s%s%s", term__on(p->term, style), text, term__off(p->term, style));
}

static void flow(const struct page *p, unsigned *at, enum term_style style, const char *text)
{
	term__flow(p->term, p->f, at, "  ", style, text);
}

/* ---- head --------------------------------------------------------------------------------- */

static void head(const struct page *p)
{
	const struct session *ses = p->s->session;
	char text[ESCAPE_SIZE(80)], window[UNITS_LEN], column[UNITS_LEN];
	unsigned at = 0;

	escape__str(p->term->escape, ses->host, text, sizeof(text));
	flow(p, &at, STYLE_HEADER, text);
	escape__str(p->term->escape, ses->release, text, sizeof(text));
	flow(p, &at, STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "from %s",
		 units__iso(window, p->s->from_ns, ses->wall_start_ns, 3));
	flow(p, &at, STYLE_PLAIN, text);
	fputc('\n', p->f);
	at = 0;
	snprintf(text, sizeof(text), "%u vCPU%s over %s", p->s->vcpus, p->s->vcpus == 1 ? "" : "s",
		 units__own(window, p->s->to_ns - p->s->from_ns));
	flow(p, &at, STYLE_PLAIN, text);
	if (p->t->columns) {
		snprintf(text, sizeof(text), "%s a column", units__own(column, p->t->width_ns));
		flow(p, &at, STYLE_PLAIN, text);
	}
	if (p->s->lost) {
		snprintf(text, sizeof(text), "%llu records lost", (unsigned long long)p->s->lost);
		flow(p, &at, STYLE_WARN, text);
	}
	fputc('\n', p->f);
}

/* ---- the axis ----------------------------------------------------------------------------- */

static unsigned column_at(const struct timeline *t, __u64 ns)
{
	unsigned c = ns > t->from_ns ? (ns - t->from_ns) / t->width_ns : 0;

	return c < t->columns ? c : t->columns - 1;
}

static __u64 since_start(const struct page *p, __u64 ns)
{
	return ns > p->s->session->start_ns ? ns - p->s->session->start_ns : 0;
}

static void axis_labels(const struct page *p)
{
	__u64 start = p->s->session->start_ns;
	char label[AXIS_LEN];
	unsigned at = 0, c;

	fprintf(p->f, "%s%*s ", term__on(p->term, STYLE_DIM), (int)p->gutter - 1,
		axis__unit(&p->axis));
	for (__u64 ns = axis__first(&p->axis); ns < p->axis.to_ns; ns += p->axis.step_ns) {
		c = column_at(p->t, start + ns);
		axis__label(&p->axis, ns, label);
		if (c < at || c + strlen(label) > p->t->columns)
			continue;
		at += fprintf(p->f, "%*s%s", (int)(c - at), "", label);
	}
	fprintf(p->f, "%*s", (int)(p->t->columns - at), "");
	if (p->share)
		fprintf(p->f, " %9s", "run delay");
	if (p->longest)
		fprintf(p->f, "  %10s", "longest");
	fprintf(p->f, "%s\n", term__off(p->term, STYLE_DIM));
}

static void axis_ticks(const struct page *p)
{
	const char *line = p->term->utf8 ? "─" : "-", *tick = p->term->utf8 ? "┬" : "+";
	__u64 start = p->s->session->start_ns, ns = axis__first(&p->axis);

	fprintf(p->f, "%s%*s", term__on(p->term, STYLE_DIM), (int)p->gutter, "");
	for (unsigned c = 0; c < p->t->columns; c++) {
		bool here = ns < p->axis.to_ns && column_at(p->t, start + ns) == c;

		fputs(here ? tick : line, p->f);
		while (ns < p->axis.to_ns && column_at(p->t, start + ns) <= c)
			ns += p->axis.step_ns;
	}
	fprintf(p->f, "%s\n", term__off(p->term, STYLE_DIM));
}

/* ---- a strip ------------------------------------------------------------------------------ */

static void put_cell(struct page *p, unsigned c, const char *text, size_t len,
		     enum term_style style)
{
	struct cell *cell = &p->cell[c];

	if (len >= sizeof(cell->text))
		len = 0;
	memcpy(cell->text, text, len);
	cell->text[len] = '\0';
	cell->style = style;
}

/* Writes escaped text over the cells from c on; there is room for it. What combines with a
 * character before it is left out. */
static void overlay(struct page *p, unsigned c, const char *text)
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
			put_cell(p, c, one, len, STYLE_BAD);
		if (width == 2)
			put_cell(p, c + 1, "", 0, STYLE_BAD);
		c += width;
		text += len;
	}
}

/* Its number, if it is one of the worst; else 0. */
static unsigned rank_of(const struct page *p, const struct timeline_absence *a)
{
	for (unsigned i = 0; i < p->t->worsts && i < WORST; i++)
		if (p->t->worst[i].v == a->v && p->t->worst[i].a.from == a->a.from)
			return i + 1;
	return 0;
}

/* Who took the CPU, in the middle of the columns that are the absence's alone. false: no room. */
static bool name_taker(struct page *p, const struct timeline_absence *a)
{
	unsigned first = (a->from - p->t->from_ns + p->t->width_ns - 1) / p->t->width_ns;
	unsigned end =
		a->to == p->t->to_ns ? p->t->columns : (a->to - p->t->from_ns) / p->t->width_ns;
	char raw[TAKER_SIZE + 16], text[ESCAPE_SIZE(TAKER_SIZE)], cut[ESCAPE_SIZE(TAKER_SIZE) + 4];
	unsigned width, room, rank = rank_of(p, a);
	char name[TAKER_SIZE];

	if (end < first + TIMELINE_TEXT_WIDE || a->state != ST_PREEMPTED)
		return false;
	room = end - first - 2;
	taker__short(p->s->model, a, name);
	if (rank)
		snprintf(raw, sizeof(raw), "%u%s%s", rank, *name ? " " : "", name);
	else
		snprintf(raw, sizeof(raw), "%s", name);
	escape__str(p->term->escape, raw, text, sizeof(text));
	if (escape__width(text) > room && room < (rank ? 2U : 0) + 3 + (p->term->utf8 ? 1 : 3))
		return false;		       /* less than three letters say nothing */
	if (escape__width(text) + 2 <= room) { /* set off by blanks */
		snprintf(raw, sizeof(raw), " %.300s ", text);
		snprintf(text, sizeof(text), "%s", raw);
	}
	width = escape__shorten(text, room, p->term->utf8, cut);
	if (*name || rank)
		overlay(p, first + 1 + (room - width) / 2, cut);
	return rank;
}

/* The numbers of the worst, in the middle of the wait; where there is room for one, it is the worst
 * one's. */
static void mark_worst(struct page *p, unsigned row, const bool *named)
{
	for (unsigned i = p->t->worsts < WORST ? p->t->worsts : WORST; i-- > 0;) {
		const struct timeline_absence *a = &p->t->worst[i];
		__u64 from = a->a.to - a->a.run_delay_ns;
		char number[2] = {'1' + i};

		if (a->row != row || named[i])
			continue;
		from = from > a->from ? from : a->from;
		put_cell(p, column_at(p->t, from + (a->to - from) / 2), number, 1, STYLE_BAD);
	}
}

static void fill_cells(struct page *p, unsigned row)
{
	const struct timeline_row *r = &p->t->row[row];
	bool named[WORST] = {false};

	for (unsigned c = 0; c < p->t->columns; c++) {
		enum glyph g = glyph__of(p->term, &r->column[c]);
		const char *text = glyph__text(p->term, g, &r->column[c]);

		p->used[g] = true;
		put_cell(p, c, text, strlen(text), glyph__style(g));
	}
	for (unsigned i = 0; i < r->wide; i++) {
		const struct timeline_absence *a = &p->t->wide[r->first_wide + i];

		if (name_taker(p, a))
			named[rank_of(p, a) - 1] = true;
	}
	mark_worst(p, row, named);
}

static void put_cells(const struct page *p)
{
	enum term_style style = STYLE_PLAIN;

	for (unsigned c = 0; c < p->t->columns; c++) {
		if (p->cell[c].style != style) {
			fputs(term__off(p->term, style), p->f);
			style = p->cell[c].style;
			fputs(term__on(p->term, style), p->f);
		}
		fputs(p->cell[c].text, p->f);
	}
	fputs(term__off(p->term, style), p->f);
}

static void put_figures(const struct page *p, unsigned row)
{
	const struct measure *m = measure__find("run_delay", strlen("run_delay"));
	const struct timeline_absence *d = &p->t->row[row].delay;
	char text[UNITS_LEN];
	__u64 ns;

	if (p->share)
		fprintf(p->f, " %9s",
			measure__time(m, p->s, &p->s->vcpu[row], &ns)
				? units__percent(text, ns, p->s->to_ns - p->s->from_ns)
				: "-");
	if (p->longest)
		fprintf(p->f, "  %10s", d->v ? units__own(text, d->a.run_delay_ns) : "-");
}

static void put_row(struct page *p, unsigned row)
{
	const struct model_vcpu *v = p->t->row[row].v;
	char number[16] = "?", label[32];

	if (v->vcpu_id >= 0)
		snprintf(number, sizeof(number), "%d", v->vcpu_id);
	snprintf(label, sizeof(label), p->gutter < 10 ? "%4s " : "vCPU %-4s ", number);
	fputs(label, p->f);
	fill_cells(p, row);
	put_cells(p);
	put_figures(p, row);
	fputc('\n', p->f);
	p->lines++;
}

/* ---- VMs ---------------------------------------------------------------------------------- */

static void put_vm(struct page *p, const struct model_vcpu *v)
{
	char name[TAKER_SIZE], text[ESCAPE_SIZE(TAKER_SIZE)];
	unsigned at = 0;

	model__vm_name(p->s->model, v->vm, name, sizeof(name));
	escape__str(p->term->escape, name, text, sizeof(text));
	flow(p, &at, STYLE_HEADER, text);
	escape__str(p->term->escape, taker__of_vm(&p->matrix, p->s, v->vm, name), text,
		    sizeof(text));
	if (*text)
		flow(p, &at, STYLE_DIM, text);
	fputc('\n', p->f);
	p->lines++;
}

static void put_rows(struct page *p)
{
	unsigned n;

	for (unsigned i = 0; i < p->t->rows; i += n) {
		n = summary__group(p->s, SUMMARY_BY_VM, i);
		put_vm(p, p->t->row[i].v);
		for (unsigned k = i; k < i + n; k++)
			put_row(p, k);
	}
}

/* ---- below -------------------------------------------------------------------------------- */

static void legend(const struct page *p)
{
	char words[GLYPH_WORDS];
	unsigned at = 0;

	for (enum glyph g = 0; g < GLYPH_CNT; g++)
		if (p->used[g])
			flow(p, &at, glyph__style(g), glyph__words(p->term, g, words));
	if (at)
		fputc('\n', p->f);
}

static void tell_wait(const struct page *p, unsigned i)
{
	const struct timeline_absence *a = &p->t->worst[i];
	char raw[TAKER_SIZE], text[ESCAPE_SIZE(TAKER_SIZE)], time[UNITS_LEN], moment[AXIS_LEN];
	unsigned at = 0;

	snprintf(text, sizeof(text), "%u", i + 1);
	flow(p, &at, STYLE_BAD, text);
	escape__str(p->term->escape, taker__victim(p->s->model, a->v, raw), text, sizeof(text));
	flow(p, &at, STYLE_HEADER, text);
	snprintf(text, sizeof(text), "%s%s%s", a->a.open ? "has waited " : "waited ",
		 a->a.whole ? "" : "at least ", units__own(time, a->a.run_delay_ns));
	flow(p, &at, STYLE_PREEMPTED, text);
	snprintf(text, sizeof(text), "from %s",
		 axis__moment(&p->axis, since_start(p, a->a.to - a->a.run_delay_ns), moment));
	flow(p, &at, STYLE_PLAIN, text);
	escape__str(p->term->escape, taker__why(p->s->model, a, raw), text, sizeof(text));
	flow(p, &at, STYLE_PLAIN, text);
	fputc('\n', p->f);
}

static void waits(const struct page *p)
{
	fputc('\n', p->f);
	if (!p->t->worsts) {
		fputs("no vCPU waited for a CPU\n", p->f);
		return;
	}
	styled(p, STYLE_HEADER, "longest run delays");
	fputc('\n', p->f);
	for (unsigned i = 0; i < p->t->worsts && i < WORST; i++)
		tell_wait(p, i);
}

int timeline_text__print(FILE *f, const struct timeline *t, const struct summary *s,
			 const struct term *term)
{
	struct page p = {.f = f, .t = t, .s = s, .term = term, .gutter = gutter_of(term)};

	p.share = has_share(term);
	p.longest = has_longest(term);
	p.cell = calloc(t->columns + 1, sizeof(*p.cell));
	if (!p.cell || matrix__init(&p.matrix, s, MATRIX_BY_NAME, ~0U)) {
		free(p.cell);
		return -ENOMEM;
	}
	axis__init(&p.axis, since_start(&p, s->from_ns), since_start(&p, s->to_ns), t->columns);
	head(&p);
	if (t->rows && t->columns) {
		fputc('\n', f);
		axis_labels(&p);
		axis_ticks(&p);
		put_rows(&p);
		if (p.lines > AXIS_AGAIN) {
			axis_ticks(&p);
			axis_labels(&p);
		}
		fputc('\n', f);
		legend(&p);
		waits(&p);
	}
	matrix__free(&p.matrix);
	free(p.cell);
	return 0;
}
