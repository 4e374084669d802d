// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names first: a scraper refuses or drops what comes twice, and a VM's owner chooses its name. So
 * no two labels are the same, whatever the names are, also where they only became the same by
 * being escaped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "escape.h"
#include "matrix.h"
#include "measure.h"
#include "metrics_vms.h"

#define NAME_SIZE 160

const struct metrics_edge metrics_edges[METRICS_EDGES] = {
	{"5e-05", 50000},      {"0.0001", 100000},  {"0.00025", 250000},  {"0.0005", 500000},
	{"0.001", 1000000},    {"0.0025", 2500000}, {"0.005", 5000000},	  {"0.01", 10000000},
	{"0.025", 25000000},   {"0.05", 50000000},  {"0.1", 100000000},	  {"0.25", 250000000},
	{"0.5", 500000000},    {"1.0", 1000000000}, {"2.5", 2500000000U}, {"5.0", 5000000000U},
	{"10.0", 10000000000},
};

/* ---- which VMs, and their names ----------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	const struct metrics_vm *x = a, *y = b;

	return x->vm < y->vm ? -1 : x->vm > y->vm;
}

static int by_label(const void *a, const void *b)
{
	const struct metrics_vm *x = a, *y = b;

	return strcmp(x->label, y->label) ?: by_id(a, b);
}

static int by_claim(const void *a, const void *b)
{
	const struct metrics_vm *x = a, *y = b;

	return x->dead - y->dead ?: by_id(a, b);
}

static int find_vms(struct metrics_vms *v, const struct summary *s)
{
	const struct model_vm *m;

	v->vm = calloc(s->vcpus + 1, sizeof(*v->vm));
	if (!v->vm)
		return -ENOMEM;
	for (unsigned i = 0, n; i < s->vcpus; i += n) {
		n = summary__group(s, SUMMARY_BY_VM, i);
		m = model__vm(s->model, s->vcpu[i].v->vm);
		v->vm[v->vms++] = (struct metrics_vm){
			.vm = s->vcpu[i].v->vm, .first = i, .count = n, .dead = m && m->dead};
	}
	return 0;
}

static int name_vm(const struct summary *s, struct metrics_vm *vm)
{
	char name[NAME_SIZE], text[ESCAPE_SIZE(NAME_SIZE)];

	summary__vm_name(s, vm->vm, name, sizeof(name));
	escape__str(ESCAPE_LABEL, name, text, sizeof(text));
	vm->label = strdup(text);
	return vm->label ? 0 : -ENOMEM;
}

/* "web" -> "web#123" */
static int add_number(struct metrics_vm *vm, __u32 number)
{
	char *label;

	if (asprintf(&label, "%s#%u", vm->label, number) < 0)
		return -ENOMEM;
	free(vm->label);
	vm->label = label;
	return 0;
}

/* Of those with one name (sorted: adjacent), which keeps it? The one that lives, if it is one. */
static unsigned keeper(const struct metrics_vms *v, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		if (!v->vm[i].dead)
			return i;
	return from;
}

/* One pass; *changed: there were namesakes, whose new names may be others' too. */
static int part_namesakes(struct metrics_vms *v, const struct summary *s, bool first, bool *changed)
{
	unsigned n, keep;
	int err = 0;

	qsort(v->vm, v->vms, sizeof(*v->vm), by_label);
	*changed = false;
	for (unsigned i = 0; i < v->vms && !err; i += n) {
		for (n = 1; i + n < v->vms && !strcmp(v->vm[i].label, v->vm[i + n].label);)
			n++;
		keep = keeper(v, i, n);
		for (unsigned k = i; k < i + n && n > 1 && !err; k++) {
			if (k == keep)
				continue;
			*changed = true;
			err = add_number(&v->vm[k],
					 first ? s->vcpu[v->vm[k].first].v->tgid : v->vm[k].vm);
		}
	}
	return err;
}

static int name_vms(struct metrics_vms *v, const struct summary *s)
{
	bool changed = true;
	int err = 0;

	for (unsigned i = 0; i < v->vms && !err; i++)
		err = name_vm(s, &v->vm[i]);
	for (bool first = true; !err && changed; first = false)
		err = part_namesakes(v, s, first, &changed);
	return err;
}

/* ---- what each has ------------------------------------------------------------------------ */

void metrics_row__fill(struct metrics_row *r, const struct summary *s, const struct summary_vcpu *v)
{
	const struct measure *m;

	*r = (struct metrics_row){.switches = v->switches, .migrations = v->migrations};
	for (unsigned st = 0; st < ST_CNT; st++) {
		m = measure__find(state__name(st), strlen(state__name(st)));
		/* absent: when it did not exist is nobody's time */
		if (st != ST_ABSENT && m && measure__time(m, s, v, &r->state_ns[st]))
			r->states |= 1U << st;
	}
}

static void fill_delay(struct metrics_vm *vm, const struct summary *s, const struct summary_vcpu *v)
{
	const struct measure *m = measure__find("run_delay", strlen("run_delay"));
	const struct hist *h = measure__dist(m, s, v);

	if (!h)
		return;
	vm->has_delay = true;
	for (unsigned i = 0; i < METRICS_EDGES; i++)
		vm->bucket[i] = hist__count_le(h, metrics_edges[i].ns);
	vm->delays = h->count;
	vm->delay_sum_ns = h->sum;
}

static void fill_from(struct metrics_vm *vm, const struct summary *s, const struct summary_vcpu *v)
{
	metrics_row__fill(&vm->row, s, v);
	fill_delay(vm, s, v);
}

static int fill_vm(struct metrics_vm *vm, const struct summary *s)
{
	struct summary_vcpu sum = {0};
	int err = 0;

	if (vm->count == 1) {
		fill_from(vm, s, &s->vcpu[vm->first]);
		return 0;
	}
	for (unsigned i = vm->first; i < vm->first + vm->count && !err; i++)
		err = summary__add_lean(&sum, &s->vcpu[i]);
	if (!err)
		fill_from(vm, s, &sum);
	summary__free_vcpu(&sum);
	return err;
}

/* v->vm is sorted by id here. */
static int fill_preemptors(struct metrics_vms *v, const struct summary *s)
{
	struct metrics_vm key, *vm;
	struct matrix m;
	int err = matrix__init(&m, s, MATRIX_BY_CLASS, KS_BY_CNT);

	if (err)
		return err;
	for (unsigned i = 0; i < m.rows; i++) {
		const struct matrix_row *r = &m.row[i];

		key.vm = r->vm;
		vm = bsearch(&key, v->vm, v->vms, sizeof(*vm), by_id);
		for (unsigned k = r->first; vm && k < r->first + r->cells; k++) {
			vm->by_cnt[m.col[m.cell[k].col].id] = m.cell[k].count;
			vm->by_ns[m.col[m.cell[k].col].id] = m.cell[k].time_ns;
		}
	}
	matrix__free(&m);
	return 0;
}

int metrics_vms__init(struct metrics_vms *v, const struct summary *s, unsigned max)
{
	int err;

	*v = (struct metrics_vms){0};
	err = find_vms(v, s);
	if (!err) {
		qsort(v->vm, v->vms, sizeof(*v->vm), by_claim);
		v->omitted = v->vms > max ? v->vms - max : 0;
		v->vms -= v->omitted;
		qsort(v->vm, v->vms, sizeof(*v->vm), by_id);
	}
	for (unsigned i = 0; i < v->vms && !err; i++)
		err = fill_vm(&v->vm[i], s);
	if (!err)
		err = fill_preemptors(v, s);
	if (!err)
		err = name_vms(v, s);
	if (err)
		metrics_vms__free(v);
	return err;
}

void metrics_vms__free(struct metrics_vms *v)
{
	for (unsigned i = 0; i < v->vms; i++)
		free(v->vm[i].label);
	free(v->vm);
	*v = (struct metrics_vms){0};
}
