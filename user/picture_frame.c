// SPDX-License-Identifier: BSD-2-Clause
/* The SVG around the strips: title, legend, axes. See picture.h. */
#include <string.h>
#include "picture.h"
#include "svg.h"
#include "units.h"

static const char *const meaning[TIMELINE_SHADES] = {
	[ST_RUNNING] = "running",
	[ST_USER] = "user: in the VMM",
	[ST_ON_OR_USER] = "running or in the VMM",
	[ST_PREEMPTED] = "preempted: waits for a CPU",
	[TIMELINE_WOKEN] = "woken: waits for a CPU",
	[ST_HALTED] = "halted: guest idle",
	[ST_SLEEPING] = "sleeping in the host kernel",
	[ST_ABSENT] = "absent",
	[ST_UNKNOWN] = "unknown: records lost, or none yet",
	[ST_ELSEWHERE] = "on another CPU",
};

const char *picture__class(unsigned shade)
{
	return shade == TIMELINE_WOKEN ? "woken" : state__name(shade);
}

/* Of run delay, what was not spent preempted was spent woken. */
bool picture__has(const struct picture *p, unsigned shade)
{
	const struct summary_vcpu *all = &p->s->total;

	if (shade == TIMELINE_WOKEN)
		return all->run_delay_ns > all->state_ns[ST_PREEMPTED];
	return all->state_ns[shade] > 0;
}

double picture__x(const struct picture *p, __u64 ns)
{
	__u64 length = p->t->to_ns - p->t->from_ns;

	if (ns < p->t->from_ns)
		ns = p->t->from_ns;
	return PICTURE_MARGIN + PICTURE_GUTTER +
	       (length ? (double)(ns - p->t->from_ns) / length * p->strip_width : 0);
}

__u64 picture__since_start(const struct picture *p, __u64 ns)
{
	return ns > p->s->session->start_ns ? ns - p->s->session->start_ns : 0;
}

unsigned picture__letters(double pixels, double size)
{
	return pixels > 0 ? pixels / (size * SVG_LETTER) : 0;
}

/* ---- head --------------------------------------------------------------------------------- */

static double legend_item(const struct picture *p, double x, double y, unsigned st)
{
	double width = 18 + strlen(meaning[st]) * 12 * SVG_LETTER + 18;

	if (!p->f)
		return width;
	fprintf(p->f,
		"<rect class=\"%s\" x=\"%.0f\" y=\"%.0f\" width=\"12\" height=\"12\"/>"
		"<text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
		picture__class(st), x, y - 10, x + 18, y, meaning[st]);
	return width;
}

unsigned picture__legend(const struct picture *p, unsigned y)
{
	static const unsigned order[] = {ST_PREEMPTED, TIMELINE_WOKEN, ST_RUNNING,  ST_ON_OR_USER,
					 ST_USER,      ST_HALTED,      ST_SLEEPING, ST_UNKNOWN,
					 ST_ABSENT,    ST_ELSEWHERE};
	struct picture quiet = {0};
	unsigned lines = 1;
	double x = PICTURE_MARGIN;

	for (unsigned i = 0; i < sizeof(order) / sizeof(*order); i++) {
		double width = legend_item(&quiet, 0, 0, order[i]);

		if (!picture__has(p, order[i]))
			continue;
		if (x + width > p->width && x > PICTURE_MARGIN) {
			x = PICTURE_MARGIN;
			lines++;
		}
		x += legend_item(p, x, y + 20 * (lines - 1), order[i]);
	}
	return lines;
}

void picture__title(const struct picture *p, char *out, size_t size)
{
	char window[UNITS_LEN];

	snprintf(out, size, "%s: %u vCPU%s over %s", p->s->session->host, p->s->vcpus,
		 p->s->vcpus == 1 ? "" : "s", units__own(window, p->s->to_ns - p->s->from_ns));
}

void picture__head(const struct picture *p)
{
	const struct session *ses = p->s->session;
	char text[400], iso[UNITS_LEN], lost[64] = "", column[UNITS_LEN] = "-";

	picture__title(p, text, sizeof(text));
	fprintf(p->f, "<text class=\"title\" x=\"%d\" y=\"32\">", PICTURE_MARGIN);
	svg__text(p->f, text, picture__letters(p->width - 2 * PICTURE_MARGIN, 18));
	if (p->s->lost)
		snprintf(lost, sizeof(lost), "  ·  %llu records were lost",
			 (unsigned long long)p->s->lost);
	if (p->t->columns)
		units__own(column, p->t->width_ns);
	snprintf(text, sizeof(text),
		 "Linux %s  ·  from %s%s  ·  %s a column, in which heights are shares",
		 ses->release, units__iso(iso, p->s->from_ns, ses->wall_start_ns, 3), lost, column);
	fprintf(p->f, "</text>\n<text class=\"dim\" x=\"%d\" y=\"50\">", PICTURE_MARGIN);
	svg__text(p->f, text, picture__letters(p->width - 2 * PICTURE_MARGIN, 11));
	fputs("</text>\n", p->f);
}

/* ---- axis --------------------------------------------------------------------------------- */

void picture__axis(const struct picture *p, unsigned y)
{
	__u64 start = p->s->session->start_ns;
	char label[AXIS_LEN];

	fprintf(p->f, "<text class=\"dim\" x=\"%d\" y=\"%u\">%s%s</text>\n", PICTURE_MARGIN, y,
		p->axis.minutes ? "" : "time, ", axis__unit(&p->axis));
	for (__u64 ns = axis__first(&p->axis); ns <= p->axis.to_ns; ns += p->axis.step_ns)
		fprintf(p->f, "<text class=\"dim num mid\" x=\"%.1f\" y=\"%u\">%s</text>\n",
			picture__x(p, start + ns), y, axis__label(&p->axis, ns, label));
}

void picture__grid(const struct picture *p, unsigned top, unsigned bottom)
{
	__u64 start = p->s->session->start_ns;

	fputs("<path class=\"grid\" d=\"", p->f);
	for (__u64 ns = axis__first(&p->axis); ns <= p->axis.to_ns; ns += p->axis.step_ns)
		fprintf(p->f, "M%.1f %uV%u", picture__x(p, start + ns), top, bottom);
	fputs("\"/>\n", p->f);
}

void picture__figures_head(const struct picture *p, unsigned y)
{
	unsigned right = p->width - PICTURE_MARGIN;

	fprintf(p->f,
		"<text class=\"dim end\" x=\"%u\" y=\"%u\">run delay</text>"
		"<text class=\"dim end\" x=\"%u\" y=\"%u\">longest</text>\n",
		right - 80, y, right, y);
}
