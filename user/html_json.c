// SPDX-License-Identifier: BSD-2-Clause
/* See html_json.h. VMs, vCPUs and tasks are told once, and referred to by their place in the lists.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "apart.h"
#include "base64.h"
#include "html_json.h"
#include "matrix.h"
#include "measure.h"
#include "report_json.h"

#define NAME_SIZE   160
#define MATRIX_COLS 10
#define BUCKETS	    48 /* of a histogram: as fine as the page draws it */

__u64 html_json__since(const struct html_json *h, __u64 ns)
{
	__u64 start = h->summary->session->start_ns;

	return ns > start ? ns - start : 0;
}

/* JSON's readers have 53 bits; a clock may have more. */
static void key_digits(struct json *j, const char *key, __s64 ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, (int64_t)ns);
	json__key_str(j, key, text);
}

static void put_session(struct json *j, const struct html_json *h)
{
	const struct session *s = h->summary->session;

	json__key_object(j, "session");
	json__key_str(j, "host", s->host);
	json__key_str(j, "kernel", s->release);
	json__key_str(j, "arch", s->arch);
	json__key_str(j, "filter", s->filter);
	json__key_bool(j, "light", session__two_hooks(s->mode));
	key_digits(j, "start_ns", s->start_ns);
	key_digits(j, "wall_ns", s->start_ns + s->wall_start_ns);
	json__key_u64(j, "from", html_json__since(h, h->summary->from_ns));
	json__key_u64(j, "to", html_json__since(h, h->summary->to_ns));
	json__key_bool(j, "damaged", h->summary->damaged || h->summary->odd);
	json__key_bool(j, "unfinished", h->summary->unfinished);
	json__key_u64(j, "untracked", s->untracked);
	json__end_object(j);
}

static void put_words(struct json *j, const char *key, const char *const *word, unsigned count)
{
	json__key_array(j, key);
	for (unsigned i = 0; i < count; i++)
		json__str(j, word[i]);
	json__end_array(j);
}

static void put_all_words(struct json *j)
{
	const char *state[ST_CNT];

	for (enum state st = 0; st < ST_CNT; st++)
		state[st] = state__name(st);
	put_words(j, "states", state, ST_CNT);
	put_words(j, "classes", report_class_names, KS_BY_CNT);
	put_words(j, "reasons", report_reason_names, KS_R_CNT);
}

/* ---- who is who --------------------------------------------------------------------------- */

/* Its vCPUs are `count` from summary->vcpu[first]. 0 or -ENOMEM. */
static int put_vm(struct json *j, const struct html_json *h, unsigned first, unsigned count)
{
	__u32 id = h->summary->vcpu[first].v->vm;
	const struct model_vm *vm = model__vm(h->summary->model, id);
	char name[NAME_SIZE];
	int err;

	json__object(j);
	json__key_u64(j, "id", id);
	json__key_str(j, "name", summary__vm_name(h->summary, id, name, sizeof(name)));
	if (vm) {
		json__key_u64(j, "pid", vm->tgid);
		json__key_str(j, "uuid", vm->uuid);
		json__key_str(j, "cgroup", vm->cgroup);
	}
	err = html_json__put_known(j, h, first, count);
	json__end_object(j);
	return err;
}

/* And all of them together. 0 or -ENOMEM. */
static int put_vms(struct json *j, const struct html_json *h)
{
	const struct summary *s = h->summary;
	int err;

	json__key_object(j, "all");
	err = html_json__put_known(j, h, 0, s->vcpus);
	json__end_object(j);
	json__key_array(j, "vms");
	for (unsigned i = 0, n; !err && i < s->vcpus; i += n) {
		n = summary__group(s, SUMMARY_BY_VM, i);
		err = put_vm(j, h, i, n);
	}
	json__end_array(j);
	return err;
}

static void put_vcpus(struct json *j, const struct html_json *h)
{
	const struct summary *s = h->summary;

	json__key_array(j, "vcpus");
	for (unsigned i = 0; i < s->vcpus; i++) {
		const struct model_vcpu *v = s->vcpu[i].v;

		json__object(j);
		json__key_u64(j, "id", v->id);
		json__key_u64(j, "vm", v->vm);
		json__key_s64(j, "vcpu", v->vcpu_id);
		json__key_u64(j, "tid", v->v.tid);
		json__key_bool(j, "known", html_json__known(&s->vcpu[i]));
		json__key_bool(j, "apart", apart__is_longest(&s->vcpu[i]));
		json__end_object(j);
	}
	json__end_array(j);
}

/* Its VM may be one that the filter left out: told by its name. */
static void put_task(struct json *j, const struct html_json *h, const struct html_task *t)
{
	const struct model_vcpu *v = model__vcpu(h->summary->model, t->task.vcpu);
	char name[NAME_SIZE];

	json__object(j);
	if (t->task.comm[0] || !t->task.tid)
		json__key_str(j, "comm", t->task.comm[0] ? t->task.comm : "swapper");
	json__key_u64(j, "tid", t->task.tid);
	if (t->introduced)
		json__key_u64(j, "pid", t->task.tgid);
	if (t->task.vm && model__vm_known(h->summary->model, t->task.vm)) {
		json__key_u64(j, "vm", t->task.vm);
		json__key_str(j, "vm_name",
			      summary__vm_name(h->summary, t->task.vm, name, sizeof(name)));
	}
	if (v && v->vcpu_id >= 0) {
		json__key_u64(j, "vcpu_id", v->id);
		json__key_s64(j, "vcpu", v->vcpu_id);
	}
	json__end_object(j);
}

static void put_tasks(struct json *j, const struct html_json *h)
{
	json__key_array(j, "tasks");
	for (unsigned i = 0; i < h->tasks->count; i++)
		put_task(j, h, h->tasks->at[i]);
	json__end_array(j);
}

/* ---- histograms --------------------------------------------------------------------------- */

static void put_hist(struct json *j, const char *name, const struct hist *h)
{
	struct hist_bucket bucket[BUCKETS];
	unsigned n = hist__coarsen(h, bucket, BUCKETS);

	json__key_object(j, name);
	report_json__dist(j, h);
	json__key_array(j, "buckets");
	for (unsigned i = 0; i < n; i++) {
		if (!bucket[i].count)
			continue;
		json__array(j);
		json__u64(j, bucket[i].low);
		json__u64(j, bucket[i].high);
		json__u64(j, bucket[i].count);
		json__end_array(j);
	}
	json__end_array(j);
	json__end_object(j);
}

/* Of a group of vCPUs, where all of them have it. 0 or -ENOMEM. */
static int put_group_hist(struct json *j, const struct html_json *h, const char *name, size_t len,
			  unsigned first, unsigned count)
{
	const struct measure *m = measure__find(name, len);
	struct hist sum = {0};
	bool all = true;
	int err = 0;

	for (unsigned i = first; all && !err && i < first + count; i++) {
		const struct hist *one = measure__dist(m, h->summary, &h->summary->vcpu[i]);

		all = one;
		err = one ? hist__merge(&sum, one) : 0;
	}
	if (all && !err)
		put_hist(j, name, &sum);
	hist__free(&sum);
	return err;
}

static int put_hists(struct json *j, const struct html_json *h, const char *key, enum summary_by by)
{
	const struct summary *s = h->summary;
	int err = 0;

	json__key_array(j, key);
	for (unsigned i = 0, n; !err && i < s->vcpus; i += n) {
		n = summary__group(s, by, i);
		json__object(j);
		err = put_group_hist(j, h, "run_delay", 9, i, n)
			      ?: put_group_hist(j, h, "absence", 7, i, n);
		json__end_object(j);
	}
	json__end_array(j);
	return err;
}

/* ---- the timeline ------------------------------------------------------------------------- */

/* A shade's share of each column, in 255ths; one that does not occur is left out. */
static void put_shade(struct json *j, const struct timeline *t, const struct timeline_row *row,
		      unsigned shade, __u8 *bytes, char *text)
{
	bool any = false;

	for (unsigned c = 0; c < t->columns; c++) {
		unsigned share[TIMELINE_SHADES];

		timeline__shares(&row->column[c], 255, share);
		bytes[c] = share[shade];
		any |= bytes[c];
	}
	if (!any)
		return;
	json__key(j, shade == TIMELINE_WOKEN ? "woken" : state__name(shade));
	json__mem(j, text, base64__encode(bytes, t->columns, text));
}

static int put_strips(struct json *j, const struct html_json *h)
{
	const struct timeline *t = h->timeline;
	__u8 *bytes = malloc(t->columns + 1);
	char *text = malloc(BASE64_SIZE(t->columns) + 1);
	int err = bytes && text ? 0 : -ENOMEM;

	json__key_object(j, "strips");
	json__key_u64(j, "columns", t->columns);
	json__key_u64(j, "width_ns", t->width_ns);
	json__key_array(j, "rows");
	for (unsigned r = 0; !err && r < t->rows; r++) {
		json__object(j);
		for (unsigned shade = 0; shade < TIMELINE_SHADES; shade++)
			put_shade(j, t, &t->row[r], shade, bytes, text);
		json__end_object(j);
	}
	json__end_array(j);
	json__end_object(j);
	free(bytes);
	free(text);
	return err;
}

/* Which absences were waited for longest: the page knows them by row and beginning. apart: why one
 * is in no distribution; the note is of those vCPUs that are. */
static void put_worst(struct json *j, const struct html_json *h)
{
	char note[APART_SIZE];

	json__key_str(j, "apart_note", apart__note(h->summary, note));
	json__key_array(j, "worst");
	for (unsigned i = 0; i < h->timeline->worsts; i++) {
		const struct timeline_absence *w = &h->timeline->worst[i];

		json__object(j);
		json__key_u64(j, "row", w->row);
		json__key_u64(j, "from", html_json__since(h, w->from));
		json__key_u64(j, "run_delay_ns", w->a.run_delay_ns);
		json__key_str(j, "apart", apart__words(summary__apart(h->summary, &w->a)));
		json__end_object(j);
	}
	json__end_array(j);
}

/* ---- who took whose CPU ------------------------------------------------------------------- */

static void put_col(struct json *j, const struct summary *s, const struct matrix_col *c)
{
	static const char *const kinds[] = {
		[MATRIX_CLASS] = "class", [MATRIX_VM] = "vm",	    [MATRIX_PID] = "pid",
		[MATRIX_TASK] = "task",	  [MATRIX_QUOTA] = "quota", [MATRIX_OTHERS] = "others"};
	char name[NAME_SIZE];

	json__object(j);
	json__key_str(j, "name", matrix__col_name(s, c, name, sizeof(name)));
	json__key_str(j, "kind", kinds[c->kind]);
	if (c->kind == MATRIX_VM)
		json__key_u64(j, "vm", c->id);
	json__key_u64(j, "time_ns", c->time_ns);
	json__key_u64(j, "count", c->count);
	json__end_object(j);
}

static void put_matrix_row(struct json *j, const struct matrix *m, const struct matrix_row *row)
{
	json__object(j);
	json__key_u64(j, "vm", row->vm);
	json__key_u64(j, "time_ns", row->time_ns);
	json__key_u64(j, "count", row->count);
	json__key_array(j, "cells");
	for (unsigned i = 0; i < row->cells; i++) {
		const struct matrix_cell *c = &m->cell[row->first + i];

		json__array(j);
		json__u64(j, c->col);
		json__u64(j, c->time_ns);
		json__u64(j, c->count);
		json__end_array(j);
	}
	json__end_array(j);
	json__end_object(j);
}

static int put_matrix(struct json *j, const struct html_json *h, const char *key, enum matrix_by by)
{
	struct matrix m;
	int err = matrix__init(&m, h->summary, by, MATRIX_COLS);

	if (err)
		return err;
	json__key_object(j, key);
	json__key_array(j, "columns");
	for (unsigned i = 0; i < m.cols; i++)
		put_col(j, h->summary, &m.col[i]);
	json__end_array(j);
	json__key_array(j, "rows");
	for (unsigned i = 0; i < m.rows; i++)
		put_matrix_row(j, &m, &m.row[i]);
	json__end_array(j);
	json__end_object(j);
	matrix__free(&m);
	return 0;
}

static int put_matrices(struct json *j, const struct html_json *h)
{
	int err;

	json__key_object(j, "matrix");
	err = put_matrix(j, h, "by_name", MATRIX_BY_NAME)
		      ?: put_matrix(j, h, "by_class", MATRIX_BY_CLASS);
	json__end_object(j);
	return err;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static int put_all(struct json *j, const struct html_json *h)
{
	int err;

	put_session(j, h);
	put_all_words(j);
	html_json__hidden(j);
	err = put_vms(j, h);
	put_vcpus(j, h);
	put_tasks(j, h);
	json__key_object(j, "report");
	err = err ?: report_json__body(j, h->summary);
	json__end_object(j);
	put_worst(j, h);
	if (err)
		return err;
	return put_hists(j, h, "hist_all", SUMMARY_BY_ALL) ?:
	       put_hists(j, h, "hist_vms", SUMMARY_BY_VM) ?:
	       put_hists(j, h, "hist_vcpus", SUMMARY_BY_VCPU) ?:
	       put_strips(j, h) ?:
	       put_matrices(j, h) ?:
	       html_json__check(j, h);
}

int html_json__write(FILE *f, const struct html_json *h)
{
	struct json *j = json__new(f, JSON_IN_HTML);
	int err, closed;

	json__object(j);
	err = put_all(j, h);
	json__end_object(j);
	closed = json__close(j);
	return err ?: closed;
}
