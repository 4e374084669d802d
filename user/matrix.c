// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each preemptor becomes an entry with its row and its column. Sorting by key finds what is equal;
 * sorting by time gives the order; the rank by key leads from an entry to its place in that order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "matrix.h"
#include "report_json.h"

struct entry {
	unsigned row, col;
	__u64 time_ns, count;
};

/* What makes a column another one. */
static int by_key(const void *a, const void *b)
{
	const struct matrix_col *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return strcmp(x->comm, y->comm);
}

static int by_time(const void *a, const void *b)
{
	const struct matrix_col *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns > y->time_ns ? -1 : 1;
	return by_key(a, b);
}

static int row_by_key(const void *a, const void *b)
{
	const struct matrix_row *x = a, *y = b;

	return x->vm < y->vm ? -1 : x->vm > y->vm;
}

static int row_by_time(const void *a, const void *b)
{
	const struct matrix_row *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns > y->time_ns ? -1 : 1;
	return row_by_key(a, b);
}

/* Row after row, each one's columns together. */
static int entry_by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->col < y->col ? -1 : x->col > y->col;
}

static int cell_by_time(const void *a, const void *b)
{
	const struct matrix_cell *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns > y->time_ns ? -1 : 1;
	return x->col < y->col ? -1 : x->col > y->col;
}

static struct matrix_col col_of(const struct summary *s, const struct summary_preemptor *p,
				enum matrix_by by)
{
	struct matrix_col c = {.time_ns = p->time_ns, .count = p->count};

	if (by == MATRIX_BY_CLASS) {
		c.kind = MATRIX_CLASS;
		c.id = p->by;
	} else if (p->by == KS_BY_QUOTA) {
		c.kind = MATRIX_QUOTA;
	} else if (p->task.vm && model__vm_known(s->model, p->task.vm)) {
		c.kind = MATRIX_VM;
		c.id = p->task.vm;
	} else if (p->task.vm && p->task.tgid) {
		c.kind = MATRIX_PID;
		c.id = p->task.tgid;
	} else {
		c.kind = MATRIX_TASK;
		strcpy(c.comm, p->task.comm[0] ? p->task.comm : p->task.tid ? "?" : "swapper");
	}
	return c;
}

/* Equal ones in a sorted list become one. Returns how many are left. */
static unsigned join_cols(struct matrix_col *c, unsigned n)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		if (left && !by_key(&c[left - 1], &c[i])) {
			c[left - 1].time_ns += c[i].time_ns;
			c[left - 1].count += c[i].count;
		} else {
			c[left++] = c[i];
		}
	}
	return left;
}

static unsigned join_rows(struct matrix_row *r, unsigned n)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		if (left && !row_by_key(&r[left - 1], &r[i])) {
			r[left - 1].time_ns += r[i].time_ns;
			r[left - 1].count += r[i].count;
		} else {
			r[left++] = r[i];
		}
	}
	return left;
}

/* The columns behind the first max - 1 become the others, if there are more than max. */
static void merge_cols(struct matrix *m, unsigned max)
{
	struct matrix_col others = {.kind = MATRIX_OTHERS};

	if (m->cols <= max)
		return;
	for (unsigned i = max - 1; i < m->cols; i++) {
		others.time_ns += m->col[i].time_ns;
		others.count += m->col[i].count;
		others.merged++;
	}
	m->col[max - 1] = others;
	m->cols = max;
}

/* What is being sorted, for looking up the place of a key in the order of time. */
struct ranks {
	struct matrix_col *col; /* by key; merged: the place by time */
	struct matrix_row *row; /* by key; first: the place by time */
	unsigned cols, rows;
};

static void rank(struct ranks *r, const struct matrix *m, unsigned max_cols)
{
	struct matrix_col *c;
	struct matrix_row *row;

	for (unsigned i = 0; i < r->cols; i++) {
		c = bsearch(&m->col[i], r->col, r->cols, sizeof(*c), by_key);
		c->merged = i < max_cols - 1 || r->cols <= max_cols ? i : max_cols - 1;
	}
	for (unsigned i = 0; i < m->rows; i++) {
		row = bsearch(&m->row[i], r->row, r->rows, sizeof(*row), row_by_key);
		row->first = i;
	}
}

/* Fills the rows and columns of m, and the ranks. */
static void order(struct matrix *m, struct ranks *r, const struct summary *s, enum matrix_by by,
		  unsigned max_cols)
{
	unsigned n = s->preemptors;

	for (unsigned i = 0; i < n; i++) {
		const struct summary_preemptor *p = &s->preemptor[i];

		m->col[i] = col_of(s, p, by);
		m->row[i] = (struct matrix_row){
			.vm = p->victim_vm, .time_ns = p->time_ns, .count = p->count};
	}
	qsort(m->col, n, sizeof(*m->col), by_key);
	qsort(m->row, n, sizeof(*m->row), row_by_key);
	m->cols = r->cols = join_cols(m->col, n);
	m->rows = r->rows = join_rows(m->row, n);
	memcpy(r->col, m->col, r->cols * sizeof(*r->col));
	memcpy(r->row, m->row, r->rows * sizeof(*r->row));
	qsort(m->col, m->cols, sizeof(*m->col), by_time);
	qsort(m->row, m->rows, sizeof(*m->row), row_by_time);
	rank(r, m, max_cols);
	merge_cols(m, max_cols);
}

static void fill(struct matrix *m, const struct ranks *r, struct entry *e, const struct summary *s,
		 enum matrix_by by)
{
	unsigned n = s->preemptors;

	for (unsigned i = 0; i < n; i++) {
		const struct summary_preemptor *p = &s->preemptor[i];
		struct matrix_col key = col_of(s, p, by), *c;
		struct matrix_row row = {.vm = p->victim_vm}, *w;

		c = bsearch(&key, r->col, r->cols, sizeof(key), by_key);
		w = bsearch(&row, r->row, r->rows, sizeof(row), row_by_key);
		e[i] = (struct entry){w->first, c->merged, p->time_ns, p->count};
	}
	qsort(e, n, sizeof(*e), entry_by_place);
	for (unsigned i = 0; i < n; i++) {
		struct matrix_row *row = &m->row[e[i].row];

		if (!i || entry_by_place(&e[i - 1], &e[i])) {
			if (!row->cells++)
				row->first = m->cells;
			m->cell[m->cells++] = (struct matrix_cell){.col = e[i].col};
		}
		m->cell[m->cells - 1].time_ns += e[i].time_ns;
		m->cell[m->cells - 1].count += e[i].count;
	}
	for (unsigned i = 0; i < m->rows; i++) {
		qsort(m->cell + m->row[i].first, m->row[i].cells, sizeof(*m->cell), cell_by_time);
		m->time_ns += m->row[i].time_ns;
		m->count += m->row[i].count;
	}
}

int matrix__init(struct matrix *m, const struct summary *s, enum matrix_by by, unsigned max_cols)
{
	unsigned n = s->preemptors;
	struct ranks r = {0};
	struct entry *e;
	bool sound;

	memset(m, 0, sizeof(*m));
	if (!n)
		return 0;
	m->row = calloc(n, sizeof(*m->row));
	m->col = calloc(n, sizeof(*m->col));
	m->cell = calloc(n, sizeof(*m->cell));
	r.row = calloc(n, sizeof(*r.row));
	r.col = calloc(n, sizeof(*r.col));
	e = calloc(n, sizeof(*e));
	sound = m->row && m->col && m->cell && r.row && r.col && e;
	if (sound) {
		order(m, &r, s, by, max_cols);
		fill(m, &r, e, s, by);
	} else {
		matrix__free(m);
	}
	free(r.row);
	free(r.col);
	free(e);
	return sound ? 0 : -ENOMEM;
}

void matrix__free(struct matrix *m)
{
	free(m->row);
	free(m->col);
	free(m->cell);
	memset(m, 0, sizeof(*m));
}

const struct matrix_cell *matrix__at(const struct matrix *m, unsigned row, unsigned col)
{
	const struct matrix_row *r = &m->row[row];

	for (unsigned i = r->first; i < r->first + r->cells; i++)
		if (m->cell[i].col == col)
			return &m->cell[i];
	return NULL;
}

const char *matrix__col_name(const struct summary *s, const struct matrix_col *c, char *out,
			     size_t size)
{
	switch (c->kind) {
	case MATRIX_CLASS:
		snprintf(out, size, "%s", report_class_names[c->id]);
		break;
	case MATRIX_VM:
		return summary__vm_name(s, c->id, out, size);
	case MATRIX_PID:
		snprintf(out, size, "pid %u", c->id);
		break;
	case MATRIX_TASK:
		snprintf(out, size, "%s", c->comm);
		break;
	case MATRIX_QUOTA:
		snprintf(out, size, "quota");
		break;
	case MATRIX_OTHERS:
		snprintf(out, size, "%u others", c->merged);
	}
	return out;
}
