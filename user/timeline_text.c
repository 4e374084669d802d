// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page: a time axis, below each VM's name a strip per vCPU, a legend, and the longest waits in
 * words. Where the terminal is narrow, what is beside the strips is left out, and words are
 * wrapped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include "axis.h"
#include "taker.h"
#include "timeline_strip.h"
#include "timeline_text.h"
#include "units.h"

#define AXIS_AGAIN 20 /* after so many lines the axis is repeated below them */

struct page {
	FILE *f;
	const struct timeline *t;
	const struct summary *s;
	const struct term *term;
	struct axis axis;
	struct matrix matrix; /* who preempted whom */
	struct strip strip;
	unsigned gutter, lines;
	bool figures; /* stand behind the strips, else below each */
};

static unsigned gutter_of(const struct term *term)
{
	return term->columns < 40 ? 5 : 10;
}

static bool has_figures(const struct term *term)
{
	return term->columns >= 56;
}

unsigned timeline_text__columns(const struct term *term)
{
	unsigned other = gutter_of(term) + (has_figures(term) ? 23 : 0);

	return term->columns > other + 8 ? term->columns - other : 8;
}

static void flow(const struct page *p, unsigned *at, enum term_style style, const char *text)
{
	term__words(p->term, p->f, at, style, text);
}

/* Where nothing may be dropped a long name is left alone; on a terminal its middle goes. */
static void name(const struct page *p, unsigned *at, const char *raw, unsigned most)
{
	char text[ESCAPE_SIZE(TAKER_SIZE)], brief[sizeof(text) + 4];
	unsigned room = p->term->tty ? p->term->limit - *at - (*at ? 2 : 0) : ~0U;

	escape__str(p->term->escape, raw, text, sizeof(text));
	if (p->term->tty && room > most)
		room = most;
	escape__squeeze(text, room, p->term->utf8, brief);
	flow(p, at, STYLE_HEADER, brief);
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
		c = strip__column(p->t, start + ns);
		axis__label(&p->axis, ns, label);
		if (c < at || c + strlen(label) > p->t->columns)
			continue;
		at += fprintf(p->f, "%*s%s", (int)(c - at), "", label);
	}
	fprintf(p->f, "%*s", (int)(p->t->columns - at), "");
	if (p->figures)
		fprintf(p->f, "%10s%13s", "run delay", "longest");
	fprintf(p->f, "%s\n", term__off(p->term, STYLE_DIM));
}

static void axis_ticks(const struct page *p)
{
	const char *line = p->term->utf8 ? "─" : "-", *tick = p->term->utf8 ? "┬" : "+";
	__u64 start = p->s->session->start_ns, ns = axis__first(&p->axis);

	fprintf(p->f, "%s%*s", term__on(p->term, STYLE_DIM), (int)p->gutter, "");
	for (unsigned c = 0; c < p->t->columns; c++) {
		bool here = ns < p->axis.to_ns && strip__column(p->t, start + ns) == c;

		fputs(here ? tick : line, p->f);
		while (ns < p->axis.to_ns && strip__column(p->t, start + ns) <= c)
			ns += p->axis.step_ns;
	}
	fprintf(p->f, "%s\n", term__off(p->term, STYLE_DIM));
}

/* ---- rows --------------------------------------------------------------------------------- */

static const char *at_least(const struct page *p)
{
	return p->term->utf8 ? "≥" : ">=";
}

/* These say "-" where it is not known. */
static const char *share_of(const struct page *p, const struct timeline_known *k, char *out,
			    size_t size)
{
	char share[UNITS_LEN];

	units__percent(share, k->run_delay_ns, p->s->to_ns - p->s->from_ns);
	snprintf(out, size, "%s%s", k->how == KNOWN_PART ? at_least(p) : "",
		 k->how == KNOWN_NOTHING ? "-" : share);
	return out;
}

static const char *longest_of(const struct page *p, const struct timeline_row *r, char *out,
			      size_t size)
{
	const struct absence *a = &r->delay.a;
	char time[UNITS_LEN];

	snprintf(out, size, "%s", r->known.how == KNOWN_ALL ? "none" : "-");
	if (r->delay.v)
		snprintf(out, size, "%s%s", a->open || !a->whole ? at_least(p) : "",
			 units__own(time, a->run_delay_ns));
	return out;
}

/* Right-aligned, in so many columns or what it needs. */
static void figure(const struct page *p, unsigned columns, const char *text)
{
	unsigned width = escape__width(text);

	fprintf(p->f, "%*s%s", width < columns ? (int)(columns - width) : 1, "", text);
}

static void put_below(struct page *p, const struct timeline_row *r, const char *share,
		      const char *longest)
{
	unsigned indent = p->gutter < 10 ? 3 : p->gutter;
	unsigned width = strlen("delay   max ") + escape__width(share) + escape__width(longest);

	if (r->known.how == KNOWN_ALL && !r->delay.v)
		return;
	fprintf(p->f, "%*s%sdelay %s", (int)indent, "", term__on(p->term, STYLE_DIM), share);
	if (indent + width > p->term->columns)
		fprintf(p->f, "\n%*s", (int)indent - 2, "");
	fprintf(p->f, "  max %s%s\n", longest, term__off(p->term, STYLE_DIM));
	p->lines++;
}

static void put_row(struct page *p, unsigned row)
{
	const struct timeline_row *r = &p->t->row[row];
	char number[16] = "?", label[32], share[UNITS_LEN + 4], longest[UNITS_LEN + 4];

	if (r->v->vcpu_id >= 0)
		snprintf(number, sizeof(number), "%d", r->v->vcpu_id);
	snprintf(label, sizeof(label), p->gutter < 10 ? "%4s " : "vCPU %-4s ", number);
	fputs(label, p->f);
	strip__put(&p->strip, row, p->f);
	share_of(p, &r->known, share, sizeof(share));
	longest_of(p, r, longest, sizeof(longest));
	if (p->figures) {
		figure(p, 10, share);
		figure(p, 13, longest);
	}
	fputc('\n', p->f);
	p->lines++;
	if (!p->figures)
		put_below(p, r, share, longest);
}

/* ---- VMs ---------------------------------------------------------------------------------- */

static void put_vm(struct page *p, const struct timeline_vm *vm)
{
	__u32 id = p->t->row[vm->first].v->vm;
	char raw[TAKER_SIZE], text[ESCAPE_SIZE(TAKER_SIZE)];
	unsigned at = 0;

	name(p, &at, model__vm_name(p->s->model, id, raw, sizeof(raw)), ~0U);
	escape__str(p->term->escape, taker__of_vm(&p->matrix, p->s, id, raw), text, sizeof(text));
	if (*text)
		flow(p, &at, STYLE_DIM, text);
	if (*taker__unknown(&vm->known, text))
		flow(p, &at, STYLE_UNKNOWN, text);
	fputc('\n', p->f);
	p->lines++;
}

static void put_rows(struct page *p)
{
	for (unsigned i = 0; i < p->t->vms; i++) {
		const struct timeline_vm *vm = &p->t->vm[i];

		put_vm(p, vm);
		for (unsigned k = vm->first; k < vm->first + vm->rows; k++)
			put_row(p, k);
	}
}

/* ---- below -------------------------------------------------------------------------------- */

/* The sign in its colours, then what it means. */
static void legend(const struct page *p)
{
	unsigned at = 0, width;
	const char *words;
	struct glyph g;

	for (unsigned i = 0; glyphs__legend(&p->strip.glyphs, &i, &g, &words);) {
		width = escape__width(g.text) + 1 + escape__width(words);
		if (at && (unsigned long)at + 2 + width > p->term->limit) {
			fputc('\n', p->f);
			at = 0;
		}
		at += fprintf(p->f, "%s", at ? "  " : "");
		pen__on(&g.pen, p->term, p->f);
		fputs(g.text, p->f);
		pen__off(&g.pen, p->term, p->f);
		fprintf(p->f, " %s", words);
		at += width;
	}
	if (at)
		fputc('\n', p->f);
}

static void tell_wait(const struct page *p, unsigned i)
{
	const struct timeline_absence *a = &p->t->worst[i];
	char raw[TAKER_LONG], text[ESCAPE_SIZE(TAKER_LONG)];
	char time[UNITS_LEN], moment[AXIS_LEN];
	unsigned at = 0;

	pen__on(&pen_mark, p->term, p->f);
	at += fprintf(p->f, "%u", i + 1);
	pen__off(&pen_mark, p->term, p->f);
	name(p, &at, taker__victim(p->s->model, a->v, raw), TAKER_NAME + 8);
	snprintf(text, sizeof(text), "waited %s%s%s", a->a.whole ? "" : "at least ",
		 units__own(time, a->a.run_delay_ns), taker__apart(p->s, a, raw));
	flow(p, &at, STYLE_PREEMPTED, text);
	snprintf(text, sizeof(text), "from %s",
		 axis__moment(&p->axis, since_start(p, a->a.to - a->a.run_delay_ns), moment));
	flow(p, &at, STYLE_PLAIN, text);
	escape__str(p->term->escape, taker__why(p->t, p->s->model, a, raw), text, sizeof(text));
	flow(p, &at, STYLE_PLAIN, text);
	fputc('\n', p->f);
}

static void waits(const struct page *p)
{
	char text[TAKER_SIZE];
	unsigned at = 0;

	fputc('\n', p->f);
	flow(p, &at, p->t->worsts ? STYLE_HEADER : STYLE_PLAIN,
	     taker__waits(&p->t->known, p->t->worsts));
	if (*taker__waits_unknown(p->t, text))
		flow(p, &at, STYLE_UNKNOWN, text);
	fputc('\n', p->f);
	for (unsigned i = 0; i < p->t->worsts && i < STRIP_WORST; i++)
		tell_wait(p, i);
}

int timeline_text__print(FILE *f, const struct timeline *t, const struct summary *s,
			 const struct term *term)
{
	struct page p = {.f = f, .t = t, .s = s, .term = term, .gutter = gutter_of(term)};

	p.figures = has_figures(term);
	if (strip__init(&p.strip, t, s->model, term) ||
	    matrix__init(&p.matrix, s, MATRIX_BY_NAME, ~0U)) {
		strip__free(&p.strip);
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
	strip__free(&p.strip);
	return 0;
}
