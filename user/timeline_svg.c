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
#include "axis.h"
#include "measure.h"
#include "svg.h"
#include "taker.h"
#include "timeline_svg.h"
#include "units.h"

#define USUAL_WIDTH 1200
#define LEAST_WIDTH 360
#define MARGIN	    16
#define GUTTER	    64	   /* left of the strips */
#define FIGURES	    156	   /* right of them */
#define TIPS_MAX    6000   /* absences with a tooltip: the longest */
#define CELLS_MAX   300000 /* columns times rows: a few MB */
#define WORST	    5

struct picture {
	FILE *f;
	const struct timeline *t;
	const struct summary *s;
	struct axis axis;
	unsigned width, strip_width;
	unsigned row_height, gap, unit; /* a strip; pixels per step of a state's height */
	unsigned strips_top, height;
	unsigned legend_lines;
	unsigned *row_y;
	__u64 tip_ns[2]; /* tooltips for absences of that length: preempted, others */
	double mark_x[WORST];
};

/* From the bottom of a pile to its top. */
static const unsigned pile[] = {ST_PREEMPTED, TIMELINE_WOKEN, ST_UNKNOWN,
				ST_RUNNING,   ST_ON_OR_USER,  ST_USER,
				ST_SLEEPING,  ST_HALTED,      ST_ELSEWHERE};
#define PILE (sizeof(pile) / sizeof(*pile))

static const char *const meaning[TIMELINE_SHADES] = {
	[ST_RUNNING] = "running",
	[ST_USER] = "user: in the VMM",
	[ST_ON_OR_USER] = "running or in the VMM",
	[ST_PREEMPTED] = "preempted: waits for a CPU",
	[TIMELINE_WOKEN] = "woken: waits for a CPU",
	[ST_HALTED] = "halted: guest idle",
	[ST_SLEEPING] = "sleeping in the host kernel",
	[ST_ABSENT] = "absent",
	[ST_UNKNOWN] = "unknown: records lost",
	[ST_ELSEWHERE] = "on another CPU",
};

static unsigned strip_of(unsigned width)
{
	unsigned w = width ? width : USUAL_WIDTH;

	return (w > LEAST_WIDTH ? w : LEAST_WIDTH) - 2 * MARGIN - GUTTER - FIGURES;
}

unsigned timeline_svg__columns(unsigned width)
{
	return strip_of(width);
}

/* ---- geometry ----------------------------------------------------------------------------- */

static double x_of(const struct picture *p, __u64 ns)
{
	__u64 length = p->t->to_ns - p->t->from_ns;

	if (ns < p->t->from_ns)
		ns = p->t->from_ns;
	return MARGIN + GUTTER +
	       (length ? (double)(ns - p->t->from_ns) / length * p->strip_width : 0);
}

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
	unsigned n;

	for (unsigned i = 0; i < p->t->rows; i += n) {
		n = summary__group(p->s, SUMMARY_BY_VM, i);
		y += 28;
		for (unsigned k = i; k < i + n; k++) {
			p->row_y[k] = y;
			y += p->row_height + p->gap;
		}
	}
	return y;
}

static const char *class_of(unsigned shade)
{
	return shade == TIMELINE_WOKEN ? "woken" : state__name(shade);
}

/* Of run delay, what was not spent preempted was spent woken. */
static bool occurs(const struct picture *p, unsigned shade)
{
	const struct summary_vcpu *all = &p->s->total;

	if (shade == TIMELINE_WOKEN)
		return all->run_delay_ns > all->state_ns[ST_PREEMPTED];
	return all->state_ns[shade] > 0;
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
		class_of(st), x, y - 10, x + 18, y, meaning[st]);
	return width;
}

/* Returns how many lines it takes; p->f NULL: only that. */
static unsigned legend(const struct picture *p, unsigned y)
{
	static const unsigned order[] = {ST_PREEMPTED, TIMELINE_WOKEN, ST_RUNNING,  ST_ON_OR_USER,
					 ST_USER,      ST_HALTED,      ST_SLEEPING, ST_UNKNOWN,
					 ST_ABSENT,    ST_ELSEWHERE};
	struct picture quiet = {0};
	unsigned lines = 1;
	double x = MARGIN;

	for (unsigned i = 0; i < sizeof(order) / sizeof(*order); i++) {
		double width = legend_item(&quiet, 0, 0, order[i]);

		if (!occurs(p, order[i]))
			continue;
		if (x + width > p->width && x > MARGIN) {
			x = MARGIN;
			lines++;
		}
		x += legend_item(p, x, y + 20 * (lines - 1), order[i]);
	}
	return lines;
}

static unsigned letters(double pixels, double size)
{
	return pixels > 0 ? pixels / (size * SVG_LETTER) : 0;
}

static void title_of(const struct picture *p, char *out, size_t size)
{
	char window[UNITS_LEN];

	snprintf(out, size, "%s: %u vCPU%s over %s", p->s->session->host, p->s->vcpus,
		 p->s->vcpus == 1 ? "" : "s", units__own(window, p->s->to_ns - p->s->from_ns));
}

static void head(const struct picture *p)
{
	const struct session *ses = p->s->session;
	char text[400], iso[UNITS_LEN], lost[64] = "", column[UNITS_LEN] = "-";

	title_of(p, text, sizeof(text));
	fprintf(p->f, "<text class=\"title\" x=\"%d\" y=\"32\">", MARGIN);
	svg__text(p->f, text, letters(p->width - 2 * MARGIN, 18));
	if (p->s->lost)
		snprintf(lost, sizeof(lost), "  ·  %llu records were lost",
			 (unsigned long long)p->s->lost);
	if (p->t->columns)
		units__own(column, p->t->width_ns);
	snprintf(text, sizeof(text),
		 "Linux %s  ·  from %s%s  ·  %s a column, in which heights are shares",
		 ses->release, units__iso(iso, p->s->from_ns, ses->wall_start_ns, 3), lost, column);
	fprintf(p->f, "</text>\n<text class=\"dim\" x=\"%d\" y=\"50\">", MARGIN);
	svg__text(p->f, text, letters(p->width - 2 * MARGIN, 11));
	fputs("</text>\n", p->f);
}

/* ---- axis --------------------------------------------------------------------------------- */

static void axis_labels(const struct picture *p, unsigned y)
{
	__u64 start = p->s->session->start_ns;
	char label[AXIS_LEN];

	fprintf(p->f, "<text class=\"dim\" x=\"%d\" y=\"%u\">time, %s</text>\n", MARGIN, y,
		axis__unit(&p->axis));
	for (__u64 ns = axis__first(&p->axis); ns <= p->axis.to_ns; ns += p->axis.step_ns)
		fprintf(p->f, "<text class=\"dim num mid\" x=\"%.1f\" y=\"%u\">%s</text>\n",
			x_of(p, start + ns), y, axis__label(&p->axis, ns, label));
}

static void grid(const struct picture *p, unsigned top, unsigned bottom)
{
	__u64 start = p->s->session->start_ns;

	fputs("<path class=\"grid\" d=\"", p->f);
	for (__u64 ns = axis__first(&p->axis); ns <= p->axis.to_ns; ns += p->axis.step_ns)
		fprintf(p->f, "M%.1f %uV%u", x_of(p, start + ns), top, bottom);
	fputs("\"/>\n", p->f);
}

static void figures_head(const struct picture *p, unsigned y)
{
	unsigned right = p->width - MARGIN;

	fprintf(p->f,
		"<text class=\"dim end\" x=\"%u\" y=\"%u\">run delay</text>"
		"<text class=\"dim end\" x=\"%u\" y=\"%u\">longest</text>\n",
		right - 80, y, right, y);
}

/* ---- a strip ------------------------------------------------------------------------------ */

/* The outline of all states up to pile[k], filled down to the bottom: what lies above is drawn
 * first. */
static void outline(const struct picture *p, const unsigned char *top, unsigned k)
{
	unsigned n = p->t->columns, run = 0, high = 0;

	fprintf(p->f, "<path class=\"%s\" d=\"M0 %u", class_of(pile[k]), p->row_height);
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
		MARGIN + GUTTER, p->row_y[row], p->strip_width, p->row_height, length,
		p->row_height);
	for (unsigned k = PILE; k-- > 0;)
		if (has[k])
			outline(p, top, k);
	fputs("</svg>\n", p->f);
}

static void row_label(const struct picture *p, unsigned row)
{
	const struct summary_vcpu *v = &p->s->vcpu[row];
	unsigned size = p->row_height < 12 ? 8 : 12;
	unsigned y = p->row_y[row] + (p->row_height + size) / 2 - 1;
	char number[16] = "?", text[UNITS_LEN];

	if (v->v->vcpu_id >= 0)
		snprintf(number, sizeof(number), "%d", v->v->vcpu_id);
	fprintf(p->f,
		"<text class=\"end\" style=\"font-size:%upx\" x=\"%d\" y=\"%u\">vCPU %s<title>",
		size, MARGIN + GUTTER - 8, y, number);
	fprintf(p->f, "vCPU %s, thread %u", number, v->v->v.tid);
	for (int st = 0; st < ST_CNT; st++)
		if (v->state_ns[st])
			fprintf(p->f, "\n%s %s", state__name(st),
				units__percent(text, v->state_ns[st], p->s->to_ns - p->s->from_ns));
	fputs("</title></text>", p->f);
}

static void row_figures(const struct picture *p, unsigned row)
{
	const struct measure *m = measure__find("run_delay", strlen("run_delay"));
	const struct timeline_absence *d = &p->t->row[row].delay;
	unsigned size = p->row_height < 12 ? 8 : 12, right = p->width - MARGIN;
	unsigned y = p->row_y[row] + (p->row_height + size) / 2 - 1;
	char share[UNITS_LEN] = "-", longest[UNITS_LEN] = "-";
	__u64 ns;

	if (measure__time(m, p->s, &p->s->vcpu[row], &ns))
		units__percent(share, ns, p->s->to_ns - p->s->from_ns);
	if (d->v)
		units__own(longest, d->a.run_delay_ns);
	fprintf(p->f,
		"<g class=\"num end\"><text style=\"font-size:%upx\" x=\"%u\" y=\"%u\">%s</text>"
		"<text style=\"font-size:%upx\" x=\"%u\" y=\"%u\">%s</text></g>\n",
		size, right - 80, y, share, size, right, y, longest);
}

/* ---- absences ----------------------------------------------------------------------------- */

static bool has_tip(const struct picture *p, const struct timeline_absence *a)
{
	return a->to - a->from >= p->tip_ns[a->state != ST_PREEMPTED];
}

/* As many of the longest as TIPS_MAX allows; of those that are nobody's doing, only long ones. */
static void choose_tips(struct picture *p)
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
		 room = letters(width - 8, size * 1.12); /* bold */
	char raw[TAKER_SIZE];

	taker__short(p->s->model, a, raw);
	if (p->row_height < 12 || room < 3 || (room < 6 && strlen(raw) > room))
		return;
	fprintf(p->f,
		"<svg x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\">"
		"<text class=\"who mid\" style=\"font-size:%upx\" x=\"50%%\" y=\"%u\">",
		x, p->row_y[a->row], width, p->row_height, size,
		(p->row_height + size) / 2 - (size > 10));
	svg__text(p->f, raw, room);
	fputs("</text></svg>", p->f);
}

static __u64 since_start(const struct picture *p, __u64 ns)
{
	return ns > p->s->session->start_ns ? ns - p->s->session->start_ns : 0;
}

static void tip(const struct picture *p, const struct timeline_absence *a)
{
	double x = x_of(p, a->from), width = x_of(p, a->to) - x;
	char raw[TAKER_SIZE], length[UNITS_LEN], moment[AXIS_LEN];

	if (a->state == ST_PREEMPTED)
		who(p, a, x, width);
	fprintf(p->f,
		"<rect class=\"hit\" x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\"><title>", x,
		p->row_y[a->row], width, p->row_height);
	svg__text(p->f, taker__victim(p->s->model, a->v, raw), 60);
	fprintf(p->f, "\n%s %s%s, from %s", state__name(a->state),
		a->a.open || !a->a.whole ? "at least " : "",
		units__own(length, a->a.to - a->a.from),
		axis__moment(&p->axis, since_start(p, a->a.from), moment));
	if (*taker__long(p->s->model, a, raw)) {
		fputs("\ntaken by ", p->f);
		svg__text(p->f, raw, 120);
	}
	if (a->a.has_run_delay && a->state != ST_PREEMPTED)
		fprintf(p->f, "\nrun delay %s", units__own(length, a->a.run_delay_ns));
	fputs("</title></rect>\n", p->f);
}

static void tips(const struct picture *p)
{
	for (unsigned i = 0; i < p->t->wides; i++)
		if (has_tip(p, &p->t->wide[i]))
			tip(p, &p->t->wide[i]);
}

/* ---- VMs ---------------------------------------------------------------------------------- */

static void vm(const struct picture *p, unsigned row)
{
	__u32 id = p->t->row[row].v->vm;
	char raw[TAKER_SIZE], time[UNITS_LEN];
	unsigned room = letters(p->width - 2 * MARGIN, 13);

	fprintf(p->f, "<text class=\"vm\" x=\"%d\" y=\"%u\">", MARGIN, p->row_y[row] - 7);
	svg__text(p->f, model__vm_name(p->s->model, id, raw, sizeof(raw)), room / 2);
	for (unsigned i = 0; i < p->s->preemptors; i++) {
		const struct summary_preemptor *w = &p->s->preemptor[i];
		struct timeline_absence a = {.a = {.by = w->by, .next_tid = w->task.tid},
					     .introduced = true,
					     .task = w->task};

		if (w->victim_vm != id)
			continue;
		fputs("<tspan class=\"dim\" dx=\"12\">preempted most by ", p->f);
		svg__text(p->f, taker__long(p->s->model, &a, raw), room / 2);
		fprintf(p->f, ", %s</tspan>", units__own(time, w->time_ns));
		break;
	}
	fputs("</text>\n", p->f);
}

static int rows(const struct picture *p)
{
	unsigned char *top = calloc(p->t->columns + 1, PILE);
	unsigned n;

	if (!top)
		return -ENOMEM;
	for (unsigned i = 0; i < p->t->rows; i += n) {
		n = summary__group(p->s, SUMMARY_BY_VM, i);
		vm(p, i);
		for (unsigned k = i; k < i + n; k++) {
			row_label(p, k);
			strip(p, k, top);
			row_figures(p, k);
		}
	}
	free(top);
	return 0;
}

/* ---- the longest waits -------------------------------------------------------------------- */

static void mark(const struct picture *p, double x, double y, unsigned rank)
{
	fprintf(p->f,
		"<circle class=\"mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"8\"/>"
		"<text class=\"rank\" x=\"%.1f\" y=\"%.1f\">%u</text>\n",
		x, y, x, y + 3.5, rank);
}

/* Marks of one place move aside. */
static double free_place(const struct picture *p, unsigned i, double x)
{
	for (unsigned k = 0; k < i; k++) {
		double dx = x - p->mark_x[k];
		int dy = (int)p->row_y[p->t->worst[i].row] - (int)p->row_y[p->t->worst[k].row];

		if (dx < 17 && dx > -17 && dy < 17 && dy > -17) {
			x = p->mark_x[k] + 17;
			k = -1;
		}
	}
	return x;
}

static unsigned worst_shown(const struct picture *p)
{
	return p->t->worsts < WORST ? p->t->worsts : WORST;
}

static void marks(struct picture *p)
{
	for (unsigned i = 0; i < worst_shown(p); i++) {
		const struct timeline_absence *a = &p->t->worst[i];
		__u64 begin = a->a.to - a->a.run_delay_ns;
		double from = x_of(p, begin > a->from ? begin : a->from), to = x_of(p, a->to);
		bool inside;

		if (to - from > 3)
			fprintf(p->f,
				"<rect class=\"wait\" x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\"/>",
				from, p->row_y[a->row], to - from, p->row_height);
		inside = to - from > 60 && p->row_height >= 22;
		p->mark_x[i] = free_place(p, i, inside ? from + 14 : (from + to) / 2);
		mark(p, p->mark_x[i], p->row_y[a->row] + (inside ? p->row_height / 2 : 0), i + 1);
	}
}

static void wait_line(const struct picture *p, unsigned i, unsigned y)
{
	const struct timeline_absence *a = &p->t->worst[i];
	unsigned room = letters(p->width - 2 * MARGIN - 30, 12);
	char raw[TAKER_SIZE], length[UNITS_LEN], moment[AXIS_LEN];

	mark(p, MARGIN + 8, y - 4, i + 1);
	fprintf(p->f, "<text x=\"%d\" y=\"%u\"><tspan style=\"font-weight:600\">", MARGIN + 26, y);
	svg__text(p->f, taker__victim(p->s->model, a->v, raw), room / 3);
	fprintf(p->f, "</tspan> %s %s%s from %s, ", a->a.open ? "has waited" : "waited",
		a->a.whole ? "" : "at least ", units__own(length, a->a.run_delay_ns),
		axis__moment(&p->axis, since_start(p, a->a.to - a->a.run_delay_ns), moment));
	svg__text(p->f, taker__why(p->s->model, a, raw), room / 2);
	fputs("</text>\n", p->f);
}

static void waits(const struct picture *p, unsigned y)
{
	fprintf(p->f, "<text class=\"vm\" x=\"%d\" y=\"%u\">%s</text>\n", MARGIN, y,
		p->t->worsts ? "Longest run delays" : "No vCPU waited for a CPU");
	for (unsigned i = 0; i < worst_shown(p); i++)
		wait_line(p, i, y + 24 + 22 * i);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static int draw(struct picture *p)
{
	unsigned bottom = place_rows(p, p->strips_top);
	int err;
	char title[200];

	p->height = bottom + 32 + 24 + 22 * worst_shown(p) + MARGIN;
	title_of(p, title, sizeof(title));
	svg__begin(p->f, p->width, p->height, title);
	head(p);
	legend(p, 76);
	axis_labels(p, p->strips_top);
	figures_head(p, p->strips_top);
	err = rows(p);
	if (err)
		return err;
	grid(p, p->strips_top + 6, bottom + 2);
	tips(p);
	marks(p);
	axis_labels(p, bottom + 14);
	waits(p, bottom + 44);
	svg__end(p->f);
	return 0;
}

int timeline_svg__write(FILE *f, struct timeline *t, const struct summary *s, unsigned width)
{
	struct picture p = {.f = f, .t = t, .s = s, .strip_width = strip_of(width)};
	int err = -ENOMEM;

	p.width = p.strip_width + 2 * MARGIN + GUTTER + FIGURES;
	if (t->rows && t->columns > CELLS_MAX / t->rows)
		timeline__coarsen(t, CELLS_MAX / t->rows > 100 ? CELLS_MAX / t->rows : 100);
	axis__init(&p.axis, since_start(&p, s->from_ns), since_start(&p, s->to_ns),
		   p.strip_width / (2 * 11 * SVG_LETTER));
	choose_heights(&p);
	choose_tips(&p);
	p.legend_lines = legend(&(struct picture){.s = s, .width = p.width}, 0);
	p.strips_top = 84 + 20 * p.legend_lines;
	p.row_y = calloc(t->rows + 1, sizeof(*p.row_y));
	if (p.row_y)
		err = draw(&p);
	free(p.row_y);
	return err;
}
