/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who takes whose CPU: the preemptors of a finished summary, put together into a matrix of victim
 * VMs times takers, by class or by name. It only regroups the summary's sums. Pure: knows no
 * output.
 *
 * Sparse: a row has the cells that are not empty. Rows, columns and a row's cells come in order of
 * time, the longest first; only the column of the others is always the last.
 */
#ifndef KVMSCHED_MATRIX_H
#define KVMSCHED_MATRIX_H

#include "summary.h"

enum matrix_by { MATRIX_BY_CLASS, MATRIX_BY_NAME };

enum matrix_kind {
	MATRIX_CLASS, /* by class: KS_BY_* */
	MATRIX_VM,   /* by name: a VM, its vCPUs and its VMM's other threads; the victim itself, too
		      */
	MATRIX_PID,  /* a VMM whose VM's name is not known */
	MATRIX_TASK, /* any other task, by its comm */
	MATRIX_QUOTA,  /* the victim's own CPU quota */
	MATRIX_OTHERS, /* what found no column of its own */
};

struct matrix_col {
	enum matrix_kind kind;
	__u32 id; /* KS_BY_*, the VM's id, or the process's */
	char comm[KS_COMM_LEN + 1];
	__u64 time_ns, count;
	unsigned merged; /* MATRIX_OTHERS: how many are in it */
};

struct matrix_cell {
	unsigned col;
	__u64 time_ns, count;
};

struct matrix_row {
	__u32 vm; /* the victim */
	__u64 time_ns, count;
	unsigned first, cells; /* in matrix.cell */
};

struct matrix {
	struct matrix_row *row;
	struct matrix_col *col;
	struct matrix_cell *cell;
	unsigned rows, cols, cells;
	__u64 time_ns, count;
};

/* At most max_cols (>= 1) columns, the others' included. 0, or -ENOMEM with an empty m. */
int matrix__init(struct matrix *m, const struct summary *s, enum matrix_by by, unsigned max_cols);
void matrix__free(struct matrix *m);

/* NULL: empty. */
const struct matrix_cell *matrix__at(const struct matrix *m, unsigned row, unsigned col);

/* "other_vm", a VM's name, "pid 42", "kworker/0:1" ("?" where not known), "quota" or "3 others".
 * Not escaped. Returns out. */
const char *matrix__col_name(const struct summary *s, const struct matrix_col *c, char *out,
			     size_t size);

#endif
