// SPDX-License-Identifier: BSD-2-Clause
/* A measure that cannot be given has no key; everything is an integer. */
#include <limits.h>
#include "apart.h"
#include "matrix.h"
#include "measure.h"
#include "report_json.h"

const char *const report_class_names[KS_BY_CNT] = {
	[KS_BY_NONE] = "none",	       [KS_BY_OTHER_VM] = "other_vm", [KS_BY_SAME_VM] = "same_vm",
	[KS_BY_EMULATOR] = "emulator", [KS_BY_KERNEL] = "kernel",     [KS_BY_HOST] = "host",
	[KS_BY_QUOTA] = "quota",
};

const char *const report_reason_names[KS_R_CNT] = {
	[KS_R_UNKNOWN] = "unknown", [KS_R_PREEMPTED] = "preempted", [KS_R_IOCTL] = "ioctl",
	[KS_R_HALTED] = "halted",   [KS_R_SLEEPING] = "sleeping",
};

void report_json__head(struct json *j, const struct summary *s)
{
	json__key_u64(j, "schema", 1);
	json__key_u64(j, "events", s->events);
	json__key_u64(j, "lost", s->lost);
	json__key_u64(j, "window_ns", s->to_ns - s->from_ns);
	json__key_str(j, "kernel", s->session->release);
	json__key_str(j, "mode", session__mode_name(s->session->mode));
}

void report_json__dist(struct json *j, const struct hist *h)
{
	json__key_u64(j, "count", h->count);
	json__key_u64(j, "sum_ns", h->sum);
	if (!h->count)
		return;
	json__key_u64(j, "min_ns", h->min);
	json__key_u64(j, "p50_ns", hist__quantile(h, 500));
	json__key_u64(j, "p90_ns", hist__quantile(h, 900));
	json__key_u64(j, "p99_ns", hist__quantile(h, 990));
	json__key_u64(j, "p999_ns", hist__quantile(h, 999));
	json__key_u64(j, "max_ns", h->max);
}

/* Of calls that have no record each. */
static void cost_sums(struct json *j, const struct cost *c)
{
	json__key_u64(j, "count", c->count);
	json__key_u64(j, "sum_ns", c->sum_ns);
	if (c->count)
		json__key_u64(j, "max_ns", c->max_ns);
}

void report_json__identity(struct json *j, const struct summary *s, const struct model_vcpu *v)
{
	char name[160];

	json__key_str(j, "vm", summary__vm_name(s, v->vm, name, sizeof(name)));
	json__key_u64(j, "vm_pid", v->tgid);
	json__key_s64(j, "vcpu", v->vcpu_id);
	json__key_u64(j, "tid", v->v.tid);
}

/* One measure: what it has, under its name; what it has not has no key. */
static void measure(struct json *j, const struct measure *m, const struct summary *s,
		    const struct summary_vcpu *v)
{
	const struct cost *c = measure__cost(m, s, v);
	const struct hist *h = measure__dist(m, s, v);
	char key[40];
	__u64 n;

	if (measure__time(m, s, v, &n)) {
		snprintf(key, sizeof(key), "%s_ns", m->name);
		json__key_u64(j, key, n);
	}
	if (measure__count(m, s, v, &n))
		json__key_u64(j, m->name, n);
	if (!c && !h)
		return;
	json__key_object(j, m->name);
	if (h)
		report_json__dist(j, h);
	else
		cost_sums(j, c);
	json__end_object(j);
}

void report_json__vcpu(struct json *j, const struct summary *s, const struct summary_vcpu *v)
{
	const struct measure *m;

	report_json__identity(j, s, v->v);
	for (unsigned at = 0; (m = measure__next(&at));)
		measure(j, m, s, v);
}

static void task(struct json *j, const struct summary *s, const struct model_task *t)
{
	const struct model_vcpu *v = model__vcpu(s->model, t->vcpu);
	char name[160];

	json__key_str(j, "comm", t->comm[0] || t->tid ? t->comm : "swapper");
	json__key_u64(j, "tid", t->tid);
	json__key(j, "vm");
	if (t->vm && model__vm_known(s->model, t->vm))
		json__str(j, summary__vm_name(s, t->vm, name, sizeof(name)));
	else
		json__null(j);
	if (v && v->vcpu_id >= 0)
		json__key_s64(j, "vcpu", v->vcpu_id);
}

static void preemptor(struct json *j, const struct summary *s, const struct summary_preemptor *p)
{
	const struct model_vcpu *victim = p->victim ? model__vcpu(s->model, p->victim) : NULL;
	char name[160];

	json__object(j);
	json__key_str(j, "class", report_class_names[p->by]);
	if (session__names_takers(s->session->mode))
		task(j, s, &p->task);
	json__key_str(j, "victim", summary__vm_name(s, p->victim_vm, name, sizeof(name)));
	if (victim)
		json__key_s64(j, "victim_vcpu", victim->vcpu_id);
	json__key_u64(j, "time_ns", p->time_ns);
	json__key_u64(j, "count", p->count);
	json__end_object(j);
}

void report_json__preemptors(struct json *j, const struct summary *s)
{
	json__key_array(j, "preemptors");
	for (unsigned i = 0; i < s->preemptors; i++)
		preemptor(j, s, &s->preemptor[i]);
	json__end_array(j);
}

static void taken(struct json *j, __u64 time_ns, __u64 count)
{
	json__key_u64(j, "time_ns", time_ns);
	json__key_u64(j, "count", count);
}

static void by_class(struct json *j, const struct matrix *m, unsigned row)
{
	const struct matrix_row *r = &m->row[row];

	json__key_object(j, "by_class");
	for (unsigned i = r->first; i < r->first + r->cells; i++) {
		json__key_object(j, report_class_names[m->col[m->cell[i].col].id]);
		taken(j, m->cell[i].time_ns, m->cell[i].count);
		json__end_object(j);
	}
	json__end_object(j);
}

static void by_name(struct json *j, const struct summary *s, const struct matrix *m, unsigned row)
{
	static const char *const kinds[] = {
		[MATRIX_VM] = "vm",
		[MATRIX_PID] = "pid",
		[MATRIX_TASK] = "task",
		[MATRIX_QUOTA] = "quota",
	};
	const struct matrix_row *r = &m->row[row];
	char name[160];

	json__key_array(j, "by_name");
	for (unsigned i = r->first; i < r->first + r->cells; i++) {
		const struct matrix_col *c = &m->col[m->cell[i].col];

		json__object(j);
		json__key_str(j, "kind", kinds[c->kind]);
		json__key_str(j, "name", matrix__col_name(s, c, name, sizeof(name)));
		taken(j, m->cell[i].time_ns, m->cell[i].count);
		json__end_object(j);
	}
	json__end_array(j);
}

/* Both have the same rows in the same order. */
int report_json__matrix(struct json *j, const struct summary *s)
{
	struct matrix class, name;
	char text[160];
	int err = matrix__init(&class, s, MATRIX_BY_CLASS, UINT_MAX);

	if (err)
		return err;
	err = matrix__init(&name, s, MATRIX_BY_NAME, UINT_MAX);
	json__key_array(j, "matrix");
	for (unsigned i = 0; !err && i < class.rows; i++) {
		json__object(j);
		json__key_str(j, "victim",
			      summary__vm_name(s, class.row[i].vm, text, sizeof(text)));
		taken(j, class.row[i].time_ns, class.row[i].count);
		by_class(j, &class, i);
		if (session__names_takers(s->session->mode))
			by_name(j, s, &name, i);
		json__end_object(j);
	}
	json__end_array(j);
	matrix__free(&class);
	matrix__free(&name);
	return err;
}

int report_json__body(struct json *j, const struct summary *s)
{
	report_json__head(j, s);
	json__key_bool(j, "quota_known", s->session->fields & KS_M_QUOTA);
	json__key_array(j, "vcpus");
	for (unsigned i = 0; i < s->vcpus; i++) {
		json__object(j);
		report_json__vcpu(j, s, &s->vcpu[i]);
		apart__json(j, &s->vcpu[i]);
		json__end_object(j);
	}
	json__end_array(j);
	report_json__preemptors(j, s);
	return report_json__matrix(j, s);
}

int report_json__write(FILE *f, const struct summary *s)
{
	struct json *j = json__new(f, JSON_PRETTY);
	int err, closed;

	json__object(j);
	err = report_json__body(j, s);
	json__end_object(j);
	closed = json__close(j);
	return err ?: closed;
}
