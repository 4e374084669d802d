// SPDX-License-Identifier: BSD-2-Clause
/* The report for people: where the time went, how long absences were, who took the CPU. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "apart.h"
#include "matrix.h"
#include "measure.h"
#include "report_json.h"
#include "sink_report.h"
#include "style.h"
#include "table.h"
#include "units.h"

#define PREEMPTORS_SHOWN 12
#define MATRIX_ROWS	 12
#define MATRIX_COLS	 12
#define MATRIX_NAME	 12 /* columns of the terminal for a taker's name */

struct page {
	const struct summary *s;
	struct term term;
	char text[ESCAPE_SIZE(160)];
};

static const char *vm_name(struct page *p, __u32 vm)
{
	char name[160];

	summary__vm_name(p->s, vm, name, sizeof(name));
	escape__str(p->term.escape, name, p->text, sizeof(p->text));
	return p->text;
}

static void head(struct page *p)
{
	const struct summary *s = p->s;
	char window[UNITS_LEN], iso[UNITS_LEN], text[64];
	unsigned at = 0;

	escape__str(p->term.escape, s->session->host, p->text, sizeof(p->text));
	term__flow(&p->term, stdout, &at, "  ", STYLE_HEADER, p->text);
	escape__str(p->term.escape, s->session->release, p->text, sizeof(p->text));
	term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, p->text);
	snprintf(text, sizeof(text), "from %s",
		 units__iso(iso, s->from_ns, s->session->wall_start_ns, 3));
	term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%s mode", session__mode_name(s->session->mode));
	term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%llu events, %llu lost", (unsigned long long)s->events,
		 (unsigned long long)s->lost);
	term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, text);
	printf("\n%u vCPU%s over %s\n", s->vcpus, s->vcpus == 1 ? "" : "s",
	       units__own(window, s->to_ns - s->from_ns));
}

/* ---- tables of vCPUs ---------------------------------------------------------------------- */

/* Halves of such a table: side by side if the terminal has room for both, else below each other. */
enum { LEFT = 1, RIGHT = 2 };

static void vcpu_header(struct table *t)
{
	table__add_col(t, "VM", TABLE_LEFT, 6, TABLE_KEEP);
	table__add_col(t, "vCPU", TABLE_RIGHT, 0, TABLE_KEEP);
}

static void vcpu_cells(struct page *p, struct table *t, const struct summary_vcpu *v)
{
	char text[UNITS_LEN];

	table__cell(t, vm_name(p, v->v->vm));
	snprintf(text, sizeof(text), "%d", v->v->vcpu_id);
	table__cell(t, v->v->vcpu_id < 0 ? NULL : text);
}

static int show(struct page *p, struct table *t)
{
	int err = table__print(t, &p->term, stdout);

	table__free(t);
	return err < 0 ? err : 0;
}

static int show_halves(struct page *p, struct table *(*make)(struct page *p, int halves))
{
	struct table *t = make(p, LEFT | RIGHT);
	int err;

	puts("");
	if (table__fits(t, &p->term))
		return show(p, t);
	table__free(t);
	err = show(p, make(p, LEFT));
	puts("");
	return err ?: show(p, make(p, RIGHT));
}

/* ---- where the time went ------------------------------------------------------------------ */

static bool state_shown(const struct summary *s, enum state st)
{
	const struct measure *m = measure__find(state__name(st), strlen(state__name(st)));
	__u64 ns;

	return measure__time(m, s, &s->total, &ns) && (st < ST_ABSENT || ns);
}

static void count_cell(struct table *t, __u64 n)
{
	char text[UNITS_LEN];

	table__cell(t, units__count(text, n));
}

static void times_header(struct page *p, struct table *t, int halves)
{
	vcpu_header(t);
	if (halves & RIGHT)
		table__add_col(t, "tid", TABLE_RIGHT, 0, 1);
	for (int i = 0; halves & LEFT && i < ST_CNT; i++)
		if (state_shown(p->s, i))
			table__add_col(t, state__name(i), TABLE_RIGHT, 0, 8);
	if (halves & LEFT)
		table__add_col(t, "run delay", TABLE_RIGHT, 0, TABLE_KEEP);
	if (!(halves & RIGHT))
		return;
	table__add_col(t, "switches", TABLE_RIGHT, 0, 7);
	table__add_col(t, "migr", TABLE_RIGHT, 0, 6);
	table__add_col(t, "reloads", TABLE_RIGHT, 0, 3);
	if (!session__two_hooks(p->s->session->mode))
		table__add_col(t, "loads", TABLE_RIGHT, 0, 2);
	if (p->s->lost)
		table__add_col(t, "lost", TABLE_RIGHT, 0, TABLE_KEEP);
}

static void times_row(struct page *p, struct table *t, const struct summary_vcpu *v, int halves)
{
	__u64 window = p->s->to_ns - p->s->from_ns;
	char text[UNITS_LEN];

	vcpu_cells(p, t, v);
	if (halves & RIGHT)
		count_cell(t, v->v->v.tid);
	for (int i = 0; halves & LEFT && i < ST_CNT; i++)
		if (state_shown(p->s, i))
			table__styled(t, v->state_ns[i] ? style__of_state(i) : STYLE_DIM,
				      units__percent(text, v->state_ns[i], window));
	if (halves & LEFT)
		table__cell(t,
			    v->unmeasured ? NULL : units__percent(text, v->run_delay_ns, window));
	if (!(halves & RIGHT))
		return;
	count_cell(t, v->switches);
	count_cell(t, v->migrations);
	count_cell(t, v->reloads);
	if (!session__two_hooks(p->s->session->mode))
		count_cell(t, v->loads);
	if (p->s->lost)
		count_cell(t, v->v->v.lost);
}

static struct table *times(struct page *p, int halves)
{
	struct table *t = table__new();

	times_header(p, t, halves);
	for (unsigned i = 0; i < p->s->vcpus; i++)
		times_row(p, t, &p->s->vcpu[i], halves);
	return t;
}

/* ---- how long ----------------------------------------------------------------------------- */

static const unsigned quantiles[] = {500, 900, 990, 999, 1000};

/* marked: there is more to be said of the maximum. */
static void quantile_cells(struct table *t, const struct hist *h, enum units_unit unit, bool marked)
{
	char number[UNITS_LEN] = "-", text[UNITS_LEN + 1];

	count_cell(t, h->count);
	for (unsigned i = 0; i < 5; i++) {
		if (h->count)
			units__number(number, hist__quantile(h, quantiles[i]), unit);
		snprintf(text, sizeof(text), "%s%s", marked && i == 4 ? APART_MARK : "", number);
		table__cell(t, text);
	}
}

static void dist_header(struct table *t, const char *what, enum units_unit unit)
{
	static const char *const names[] = {"p50", "p90", "p99", "p99.9", "max"};
	char text[64];

	table__add_col(t, what, TABLE_RIGHT, 0, 5);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "%s %s", names[i], units__name(unit));
		table__add_col(t, text, TABLE_RIGHT, 0, i == 3 ? 3 : 4);
	}
}

static struct table *delays(struct page *p, int halves)
{
	const struct summary *s = p->s;
	enum units_unit a = units__pick(hist__quantile(&s->total.absence, 900));
	enum units_unit d = units__pick(hist__quantile(&s->total.run_delay, 900));
	struct table *t = table__new();

	vcpu_header(t);
	if (halves & LEFT)
		dist_header(t, "absences", a);
	if (halves & RIGHT)
		dist_header(t, "run delays", d);
	for (unsigned i = 0; i < s->vcpus; i++) {
		const struct summary_vcpu *v = &s->vcpu[i];

		vcpu_cells(p, t, v);
		if (halves & LEFT)
			quantile_cells(t, &v->absence, a, false);
		if (halves & RIGHT)
			quantile_cells(t, &v->run_delay, d, apart__is_longest(v));
	}
	return t;
}

/* ---- what loads and puts cost ------------------------------------------------------------- */

static void cost_row(struct table *t, const char *what, const struct cost *c, enum units_unit unit)
{
	char text[UNITS_LEN];

	table__cell(t, what);
	count_cell(t, c->count);
	table__cell(t, units__own(text, c->sum_ns));
	table__cell(t, c->count ? units__number(text, c->sum_ns / c->count, unit) : NULL);
	table__cell(t, c->whole && c->count
			       ? units__number(text, hist__quantile(&c->dist, 500), unit)
			       : NULL);
	table__cell(t, c->whole && c->count
			       ? units__number(text, hist__quantile(&c->dist, 990), unit)
			       : NULL);
	table__cell(t, c->count ? units__number(text, c->max_ns, unit) : NULL);
}

static int costs(struct page *p)
{
	const struct summary_vcpu *v = &p->s->total;
	__u64 saved = v->reload.sum_ns + v->sched_put.sum_ns,
	      all = v->state_ns[ST_RUNNING] + v->state_ns[ST_USER];
	struct table *t = table__new();
	char text[UNITS_LEN], share[UNITS_LEN];
	int err;

	puts("");
	table__add_col(t, "inside", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "calls", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "total", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "mean us", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "p50 us", TABLE_RIGHT, 0, 2);
	table__add_col(t, "p99 us", TABLE_RIGHT, 0, 2);
	table__add_col(t, "max us", TABLE_RIGHT, 0, 3);
	cost_row(t, "load by kvm_sched_in", &v->reload, UNIT_US);
	cost_row(t, "put by kvm_sched_out", &v->sched_put, UNIT_US);
	cost_row(t, "load on the ioctl path", &v->load, UNIT_US);
	cost_row(t, "put on the ioctl path", &v->put, UNIT_US);
	err = show(p, t);
	printf("Guest state kept loaded across sched_out/in would save at most %s,%c%s of the time on a CPU.\n",
	       units__own(text, saved), p->term.limit < 100 ? '\n' : ' ',
	       units__percent(share, saved, all));
	return err;
}

/* ---- who took the CPU --------------------------------------------------------------------- */

static void who(struct page *p, const struct summary_preemptor *q, char *out, size_t size)
{
	const struct model_vcpu *v = model__vcpu(p->s->model, q->task.vcpu);
	char comm[ESCAPE_SIZE(KS_COMM_LEN)], vm[ESCAPE_SIZE(160)];

	escape__str(p->term.escape,
		    q->task.comm[0] ? q->task.comm
		    : q->task.tid   ? "?"
				    : "swapper",
		    comm, sizeof(comm));
	if (!q->task.vm || !model__vm_known(p->s->model, q->task.vm)) {
		if (q->task.vm && q->task.tgid)
			snprintf(out, size, "%s (pid %u)", comm, q->task.tgid);
		else
			snprintf(out, size, "%s", comm);
		return;
	}
	snprintf(vm, sizeof(vm), "%s", vm_name(p, q->task.vm));
	if (v && v->vcpu_id >= 0)
		snprintf(out, size, "%s (%s vCPU %d)", comm, vm, v->vcpu_id);
	else
		snprintf(out, size, "%s (%s)", comm, vm);
}

static void preemptor_row(struct page *p, struct table *t, const struct summary_preemptor *q,
			  enum units_unit unit)
{
	char text[UNITS_LEN], name[ESCAPE_SIZE(200)];

	table__cell(t, vm_name(p, q->victim_vm));
	table__cell(t, report_class_names[q->by]);
	who(p, q, name, sizeof(name));
	table__cell(t, name);
	count_cell(t, q->task.tid);
	count_cell(t, q->count);
	table__cell(t, units__number(text, q->time_ns, unit));
	table__cell(t, units__percent(text, q->time_ns, p->s->total.state_ns[ST_PREEMPTED]));
}

static int preemptors(struct page *p)
{
	const struct summary *s = p->s;
	unsigned n =
		s->preemptors < PREEMPTORS_SHOWN || !p->term.tty ? s->preemptors : PREEMPTORS_SHOWN;
	enum units_unit unit = units__pick(s->preemptors ? s->preemptor[0].time_ns : 0);
	struct table *t = table__new();
	char head[32];
	int err;

	if (!n) {
		table__free(t);
		return 0;
	}
	snprintf(head, sizeof(head), "time %s", units__name(unit));
	puts("");
	table__add_col(t, "preempted VM", TABLE_LEFT, 6, TABLE_KEEP);
	table__add_col(t, "class", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "first taken by", TABLE_LEFT, 8, TABLE_KEEP);
	table__add_col(t, "tid", TABLE_RIGHT, 0, 2);
	table__add_col(t, "times", TABLE_RIGHT, 0, 5);
	table__add_col(t, head, TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "share", TABLE_RIGHT, 0, 4);
	for (unsigned i = 0; i < n; i++)
		preemptor_row(p, t, &s->preemptor[i], unit);
	err = show(p, t);
	if (n < s->preemptors)
		printf("(%u more)\n", s->preemptors - n);
	if (!(s->session->fields & KS_M_QUOTA))
		puts("This kernel does not tell whether a CPU quota held a vCPU back.");
	return err;
}

/* ---- who takes whose CPU ------------------------------------------------------------------ */

static void matrix_header(struct page *p, struct table *t, const struct matrix *m,
			  enum units_unit unit)
{
	char name[160], text[ESCAPE_SIZE(160)], brief[ESCAPE_SIZE(160) + 4], head[32];

	snprintf(head, sizeof(head), "total %s", units__name(unit));
	table__add_col(t, "first taken from", TABLE_LEFT, 6, TABLE_KEEP);
	table__add_col(t, head, TABLE_RIGHT, 0, TABLE_KEEP);
	for (unsigned i = 0; i < m->cols; i++) {
		escape__str(p->term.escape, matrix__col_name(p->s, &m->col[i], name, sizeof(name)),
			    text, sizeof(text));
		escape__shorten(text, p->term.tty ? MATRIX_NAME : ~0U, p->term.utf8, brief);
		table__add_col(t, brief, TABLE_RIGHT, 0, i < 100 ? 100 - i : 0);
	}
}

static void matrix_row(struct page *p, struct table *t, const struct matrix *m, unsigned row,
		       enum units_unit unit)
{
	char text[UNITS_LEN];

	table__cell(t, vm_name(p, m->row[row].vm));
	table__cell(t, units__number(text, m->row[row].time_ns, unit));
	for (unsigned i = 0; i < m->cols; i++) {
		const struct matrix_cell *c = matrix__at(m, row, i);

		table__styled(t, c ? STYLE_PLAIN : STYLE_DIM,
			      c ? units__number(text, c->time_ns, unit) : "0");
	}
}

static struct table *matrix_table(struct page *p, const struct matrix *m, unsigned rows)
{
	enum units_unit unit = units__pick(m->row[0].time_ns);
	struct table *t = table__new();

	matrix_header(p, t, m, unit);
	for (unsigned i = 0; i < rows; i++)
		matrix_row(p, t, m, i, unit);
	return t;
}

/* By name: as many takers as the terminal has room for, the others are one column. */
static int matrix(struct page *p, enum matrix_by by)
{
	unsigned cols = by == MATRIX_BY_CLASS ? KS_BY_CNT : MATRIX_COLS, rows;
	struct table *t = NULL;
	struct matrix m;
	int err = matrix__init(&m, p->s, by, cols);

	if (err || !m.rows)
		return err;
	rows = p->term.tty && m.rows > MATRIX_ROWS ? MATRIX_ROWS : m.rows;
	t = matrix_table(p, &m, rows);
	while (by == MATRIX_BY_NAME && cols > 2 && !table__fits(t, &p->term)) {
		table__free(t);
		matrix__free(&m);
		err = matrix__init(&m, p->s, by, --cols);
		if (err)
			return err;
		t = matrix_table(p, &m, rows);
	}
	puts("");
	err = show(p, t);
	if (rows < m.rows)
		printf("(%u more)\n", m.rows - rows);
	matrix__free(&m);
	return err;
}

static int end(void *ctx, const struct summary *s)
{
	const struct sink_report *r = ctx;
	struct page p = {.s = s};
	int err;

	if (r->json)
		return report_json__write(stdout, s);
	term__look(&p.term, STDOUT_FILENO, r->color);
	head(&p);
	if (!s->vcpus)
		return 0;
	err = show_halves(&p, times);
	if (!err)
		err = show_halves(&p, delays);
	if (!err)
		apart__print(s, &p.term, stdout);
	if (!err && s->session->mode == MODE_FULL)
		err = costs(&p);
	if (!err)
		err = preemptors(&p);
	if (!err)
		err = matrix(&p, MATRIX_BY_CLASS);
	return err ?: matrix(&p, MATRIX_BY_NAME);
}

void sink_report__init(struct sink *sink, struct sink_report *r, bool json, enum term_color color)
{
	*r = (struct sink_report){.json = json, .color = color};
	*sink = (struct sink){.end = end, .ctx = r};
}
