// SPDX-License-Identifier: BSD-2-Clause
/* Names on every page, and the pages but list and help: a vCPU's details, the matrix. */
#include <string.h>
#include "report_json.h"
#include "style.h"
#include "top.h"
#include "units.h"

#define TEXT ESCAPE_SIZE(160) + 4

const char *top__brief(char *out, size_t size, __u64 ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	__u64 scale = 1;
	unsigned u = 0;

	while (u < 3 && ns >= 1000 * scale - scale / 2)
		scale *= 1000, u++;
	if (u == 3 && ns >= 1000 * scale)
		snprintf(out, size, ns < 100000 * scale ? "%llus" : ">1day",
			 (unsigned long long)(ns / scale));
	else if (!u || ns >= 100 * scale - scale / 20)
		snprintf(out, size, "%llu%s", (unsigned long long)((ns + scale / 2) / scale),
			 units[u]);
	else if (ns >= 10 * scale - scale / 200)
		snprintf(out, size, "%.1f%s", (double)ns / scale, units[u]);
	else
		snprintf(out, size, "%.2f%s", (double)ns / scale, units[u]);
	return out;
}

void top__vm_name(const struct top *t, const struct term *term, __u32 vm, char *out, size_t size)
{
	char name[160];

	summary__vm_name(&t->sum, vm, name, sizeof(name));
	escape__str(term->escape, name, out, size);
}

/* A task that took a CPU in the role `by` from a vCPU of the VM victim_vm, which is not named
 * again. */
static void taker_of(const struct top *t, const struct term *term, const struct model_task *task,
		     __u8 by, __u32 victim_vm, char *out, size_t size)
{
	const struct model_vcpu *v = model__vcpu(t->sum.model, task->vcpu);
	const char *comm = *task->comm ? task->comm : task->tid ? "?" : "swapper";
	char text[ESCAPE_SIZE(KS_COMM_LEN)], name[TEXT] = "own";

	escape__str(term->escape, comm, text, sizeof(text));
	if (task->vm != victim_vm)
		top__vm_name(t, term, task->vm, name, sizeof(name));
	if (by == KS_BY_QUOTA)
		snprintf(out, size, "its CPU quota");
	else if (!t->named)
		snprintf(out, size, "%s", report_class_names[by]);
	else if (task->vm && model__vm_known(t->sum.model, task->vm) && v && v->vcpu_id >= 0)
		snprintf(out, size, "%s vCPU %d", name, v->vcpu_id);
	else if (task->vm && model__vm_known(t->sum.model, task->vm))
		snprintf(out, size, "%s: %s", name, text);
	else if (task->vm && task->tgid)
		snprintf(out, size, "pid %u: %s", task->tgid, text);
	else
		snprintf(out, size, "%s", text);
}

void top__taker(const struct top *t, const struct term *term, const struct summary_preemptor *p,
		char *out, size_t size)
{
	taker_of(t, term, &p->task, p->by, p->victim_vm, out, size);
}

/* ---- a vCPU's details --------------------------------------------------------------------- */

static const struct summary_vcpu *find(const struct top *t, unsigned *i)
{
	for (*i = 0; *i < t->sum.vcpus; (*i)++)
		if (t->sum.vcpu[*i].v->id == t->vcpu)
			return &t->sum.vcpu[*i];
	return NULL;
}

static void who_it_is(const struct top *t, struct canvas *c, const struct term *term, unsigned i)
{
	const struct model_vcpu *v = t->sum.vcpu[i].v;
	const struct model_vm *vm = model__vm(t->sum.model, v->vm);
	char name[TEXT], text[TEXT + 64], brief[16];

	top__vm_name(t, term, v->vm, name, sizeof(name));
	snprintf(text, sizeof(text), "%s vCPU %d", name, v->vcpu_id);
	canvas__flow(c, STYLE_HEADER, text);
	snprintf(text, sizeof(text), "tid %u of pid %u", v->v.tid, v->tgid);
	canvas__flow(c, STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%s for %s", state__name(t->now[i].state),
		 top__brief(brief, sizeof(brief), t->sum.to_ns - t->now[i].since_ns));
	canvas__flow(c, style__of_state(t->now[i].state), text);
	snprintf(text, sizeof(text), "CPU %u", t->now[i].cpu);
	if (t->now[i].cpu != VCPU_NO_CPU)
		canvas__flow(c, style__of_state(t->now[i].state), text);
	if (vm && vm->cgroup[0]) {
		strcpy(text, "cgroup ");
		escape__str(term->escape, vm->cgroup, text + strlen(text),
			    sizeof(text) - strlen("cgroup "));
		canvas__flow(c, STYLE_DIM, text);
	}
	canvas__newline(c);
}

static void shares(const struct top *t, struct canvas *c, const struct term *term,
		   const struct summary_vcpu *v)
{
	__u64 window = t->sum.to_ns - t->sum.from_ns, ns;
	char text[64], number[UNITS_LEN];

	top__bar(c, term, v, window, c->columns < 80 ? c->columns : 80);
	canvas__newline(c);
	for (int i = 0; i < ST_CNT; i++) {
		ns = v->state_ns[i];
		if (!ns)
			continue;
		snprintf(text, sizeof(text), "%s %s", state__name(i),
			 units__percent(number, ns, window));
		canvas__flow(c, style__of_state(i), text);
	}
	if (!top__delay(t, v, &ns)) {
		canvas__flow(c, STYLE_DIM, "run delay -");
	} else {
		snprintf(text, sizeof(text), "run delay %s%s",
			 units__percent(number, ns < window ? ns : window, window),
			 ns > window ? ", and from before" : "");
		canvas__flow(c, STYLE_HEADER, text);
	}
	snprintf(text, sizeof(text), "%llu switches, %llu migrations",
		 (unsigned long long)v->switches, (unsigned long long)v->migrations);
	if (summary__known(v))
		canvas__flow(c, STYLE_PLAIN, text);
	canvas__newline(c);
}

static void histogram(const struct top *t, struct canvas *c, const struct term *term, unsigned vcpu,
		      unsigned rows)
{
	const struct summary_vcpu *v = &t->sum.vcpu[vcpu];
	__u64 max_at_ns = t->now[vcpu].max_at_ns;
	const struct hist *h = &v->run_delay;
	struct hist_bucket b[16];
	unsigned n = hist__coarsen(h, b, rows > 16 ? 16 : rows), bar;
	char text[128], low[16], high[16], at[UNITS_LEN], drawn[TERM_BAR_SIZE(40)];
	__u64 most = 0;

	snprintf(text, sizeof(text), "Run delay of %llu absence%s", (unsigned long long)h->count,
		 h->count == 1 ? "" : "s");
	canvas__flow(c, STYLE_HEADER, text);
	if (h->count) {
		snprintf(text, sizeof(text), "p50 %s  p99 %s",
			 top__brief(low, sizeof(low), hist__quantile(h, 500)),
			 top__brief(high, sizeof(high), hist__quantile(h, 990)));
		canvas__flow(c, STYLE_PLAIN, text);
		snprintf(text, sizeof(text), "max %s%s%s", top__brief(high, sizeof(high), h->max),
			 max_at_ns ? " at " : "",
			 max_at_ns ? units__clock(at, max_at_ns, t->sum.session->wall_start_ns, 6)
				   : "");
		canvas__flow(c, STYLE_PLAIN, text);
	}
	canvas__newline(c);
	for (unsigned i = 0; i < n; i++)
		most = b[i].count > most ? b[i].count : most;
	bar = c->columns > 24 ? c->columns - 24 : 1;
	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%6s-%-6s %8llu ",
			 top__brief(low, sizeof(low), b[i].low),
			 top__brief(high, sizeof(high), b[i].high), (unsigned long long)b[i].count);
		canvas__put(c, STYLE_PLAIN, text);
		term__bar(term, drawn, b[i].count, most, bar > 40 ? 40 : bar);
		canvas__put(c, STYLE_PREEMPTED, drawn);
		canvas__newline(c);
	}
}

/* Of those who took the CPU of the vCPU that is shown, the one who comes after p; NULL: the first.
 * A few of many thousands: not worth sorting. */
static const struct summary_preemptor *next_taker(const struct top *t,
						  const struct summary_preemptor *p)
{
	const struct summary_preemptor *next = NULL;

	for (unsigned i = 0; i < t->sum.preemptors; i++) {
		const struct summary_preemptor *q = &t->sum.preemptor[i];

		if (q->victim == t->vcpu && (!p || summary__by_time(p, q) < 0) &&
		    (!next || summary__by_time(q, next) < 0))
			next = q;
	}
	return next;
}

static void taker_line(struct canvas *c, __u64 ns, __u64 wait, const char *what)
{
	char text[TEXT + 96], brief[16], part[TOP_PART];

	snprintf(text, sizeof(text), "%6s  %4s  %s", top__brief(brief, sizeof(brief), ns),
		 top__part(part, ns, wait), what);
	canvas__put(c, STYLE_PLAIN, text);
	canvas__newline(c);
}

/* What is not known has its place among the others. */
static void takers(const struct top *t, struct canvas *c, const struct term *term,
		   const struct summary_vcpu *v, unsigned rows)
{
	const struct summary_preemptor *p = next_taker(t, NULL);
	__u64 woken = top__woken(t, v), wait = v->state_ns[ST_PREEMPTED] + woken;
	char text[TEXT + 64], name[TEXT];
	bool quota = false;

	for (const struct summary_preemptor *q = p; q && !quota; q = next_taker(t, q))
		quota = q->by == KS_BY_QUOTA;
	canvas__put(c, STYLE_HEADER, "Who took its CPU, in the interval");
	canvas__newline(c);
	if (!p && !woken) {
		canvas__put(c, STYLE_DIM, "nobody");
		canvas__newline(c);
	}
	while ((p || woken) && rows--) {
		if (!p || woken > p->time_ns) {
			taker_line(
				c, woken, wait,
				quota ? "            ?         not known: it had been woken; its CPU quota, too, may have held it back"
				      : "            ?         not known: it had been woken");
			woken = 0;
			continue;
		}
		top__taker(t, term, p, name, sizeof(name));
		snprintf(text, sizeof(text), "%4llu times  %-8s  %s", (unsigned long long)p->count,
			 report_class_names[p->by], name);
		taker_line(c, p->time_ns, wait, text);
		p = next_taker(t, p);
	}
	if (wait && !(t->sum.session->fields & KS_M_QUOTA)) {
		canvas__put(c, STYLE_DIM,
			    "This kernel does not tell whether a CPU quota held it back.");
		canvas__newline(c);
	}
}

static void past_line(const struct top *t, struct canvas *c, const struct term *term,
		      const struct top_absence *l)
{
	char text[TEXT + 96], name[TEXT] = "", at[UNITS_LEN], brief[16], delay[16] = "-";
	enum state state = state__of_reason(l->a.reason);
	const struct model_task *now = model__task(t->sum.model, l->a.next_tid);
	const struct model_vcpu *v = model__vcpu(t->sum.model, t->vcpu);
	struct model_task task = {.tid = l->a.next_tid, .tgid = l->tgid, .vm = l->vm};

	task.vcpu = now && now->vm == l->vm ? now->vcpu : 0;
	memcpy(task.comm, l->comm, sizeof(task.comm));
	units__clock(at, l->a.to, t->sum.session->wall_start_ns, 6);
	if (l->a.has_run_delay)
		top__brief(delay, sizeof(delay), l->a.run_delay_ns);
	if (l->a.by != KS_BY_NONE)
		taker_of(t, term, &task, l->a.by, v ? v->vm : 0, name, sizeof(name));
	else if (l->a.has_run_delay && l->a.run_delay_ns && state != ST_PREEMPTED)
		strcpy(name, "? (woken)");
	snprintf(text, sizeof(text), "%s  %-9s %6s  ", at, state__name(state),
		 top__brief(brief, sizeof(brief), l->a.to - l->a.from));
	canvas__put(c, style__of_state(state), text);
	snprintf(text, sizeof(text), "delay %6s  %s", delay, name);
	canvas__put(c, STYLE_PLAIN, text);
	canvas__newline(c);
}

static void last_absences(const struct top *t, struct canvas *c, const struct term *term)
{
	const struct top_past *p = t->vcpu < t->past_room ? t->past[t->vcpu] : NULL;

	if (t->sum.session->mode == MODE_AGGREGATES) {
		canvas__put(c, STYLE_DIM, "One by one, absences are only there with --ring.");
		canvas__newline(c);
		return;
	}
	if (!p || !p->absences)
		return;
	canvas__put(c, STYLE_HEADER, "Its last absences");
	canvas__newline(c);
	for (unsigned i = 0; i < TOP_LAST && i < p->absences; i++)
		past_line(t, c, term, &p->last[(p->absences - 1 - i) % TOP_LAST]);
}

#define LEAST 4 /* rows of each part: if there is no room, it scrolls */

void top__detail(struct top *t, struct canvas *c, const struct term *term)
{
	const struct summary_vcpu *v;
	unsigned i, lines, room, third;

	v = find(t, &i);
	if (!v) {
		canvas__put(c, STYLE_WARN, "The vCPU is not there.");
		canvas__newline(c);
		return;
	}
	who_it_is(t, c, term, i);
	shares(t, c, term, v);
	lines = c->line + t->scroll - c->skip; /* also those that are scrolled away */
	room = term->rows > lines + 4 ? term->rows - lines - 4 : 0;
	third = room > 3 * LEAST ? room / 3 : LEAST;
	if (summary__known(v)) {
		histogram(t, c, term, i, third);
		takers(t, c, term, v, third);
	} else {
		canvas__put(c, STYLE_WARN, "Nothing is known of it in the interval.");
		canvas__newline(c);
	}
	last_absences(t, c, term);
}

/* ---- the matrix --------------------------------------------------------------------------- */

static void matrix(struct top *t, struct canvas *c, const struct term *term, enum matrix_by by,
		   unsigned rows)
{
	unsigned width = by == MATRIX_BY_CLASS ? 8 : 11, name = 12;
	unsigned room = c->columns > name + 8 ? (c->columns - name - 8) / (width + 1) : 1;
	char text[TEXT], raw[160], brief[16];
	struct matrix m;

	c->err = matrix__init(&m, &t->sum, by, room < 2 ? 2 : room > 24 ? 24 : room) ?: c->err;
	canvas__field(c, STYLE_HEADER, "taken from", name, false);
	canvas__put(c, STYLE_HEADER, "   total");
	for (unsigned k = 0; k < m.cols; k++) {
		escape__str(term->escape, matrix__col_name(&t->sum, &m.col[k], raw, sizeof(raw)),
			    text, sizeof(text));
		canvas__put(c, STYLE_PLAIN, " ");
		canvas__field(c, STYLE_HEADER, text, width, true);
	}
	canvas__newline(c);
	if (t->scroll + rows > m.rows)
		t->scroll = m.rows > rows ? m.rows - rows : 0;
	t->page_rows = rows;
	for (unsigned i = t->scroll; i < m.rows && rows--; i++) {
		top__vm_name(t, term, m.row[i].vm, text, sizeof(text));
		canvas__field(c, STYLE_PLAIN, text, name, false);
		canvas__field(c, STYLE_PREEMPTED,
			      top__brief(brief, sizeof(brief), m.row[i].time_ns), 8, true);
		for (unsigned k = 0; k < m.cols; k++) {
			const struct matrix_cell *cell = matrix__at(&m, i, k);

			canvas__put(c, STYLE_PLAIN, " ");
			canvas__field(c, cell ? STYLE_PLAIN : STYLE_DIM,
				      cell ? top__brief(brief, sizeof(brief), cell->time_ns) : "0",
				      width, true);
		}
		canvas__newline(c);
	}
	if (!m.rows) {
		canvas__put(c, STYLE_DIM, "Nobody was preempted in the interval.");
		canvas__newline(c);
	}
	matrix__free(&m);
}

void top__matrix(struct top *t, struct canvas *c, const struct term *term)
{
	unsigned half = term->rows > c->line + 6 ? (term->rows - c->line - 4) / 2 : 1;

	canvas__put(c, STYLE_HEADER, "Who takes whose CPU, in the interval");
	canvas__put(c, STYLE_DIM, "  (while woken: not known)");
	canvas__newline(c);
	matrix(t, c, term, MATRIX_BY_CLASS, half);
	if (t->named)
		matrix(t, c, term, MATRIX_BY_NAME, half);
}
