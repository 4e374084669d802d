// SPDX-License-Identifier: BSD-2-Clause
/* Preemptors regrouped: what is put together, the order, the others, and that nothing gets lost. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "matrix.h"
#include "scene.h"

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;
static struct summary_preemptor preemptors[4000];
static struct matrix m;

static int setup(void **state)
{
	struct ks_name web = rec_name(1, SCENE_START, "web"), db = rec_name(2, SCENE_START, "db");
	union rec first = rec_vm(1, SCENE_START), second = rec_vm(2, SCENE_START);

	(void)state;
	session = scene_session(MODE_DEFAULT);
	model = model__new(&session, &filter, &(struct model_listener){0});
	assert_non_null(model);
	assert_int_equal(model__record(model, &first.h) | model__record(model, &second.h), 0);
	assert_int_equal(model__record(model, &web.h) | model__record(model, &db.h), 0);
	summary = (struct summary){.model = model, .session = &session, .preemptor = preemptors};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	matrix__free(&m);
	model__free(model);
	return 0;
}

static void took(__u32 victim, __u8 by, __u32 tid, __u32 vm, const char *comm, __u64 ns)
{
	struct summary_preemptor *p = &preemptors[summary.preemptors++];

	*p = (struct summary_preemptor){.victim_vm = victim, .by = by, .time_ns = ns, .count = 1};
	p->task = (struct model_task){.tid = tid, .tgid = tid, .vm = vm};
	strcpy(p->task.comm, comm);
}

static const char *name(unsigned col)
{
	static char text[160];

	return matrix__col_name(&summary, &m.col[col], text, sizeof(text));
}

static void assert_cell(unsigned row, unsigned col, __u64 ns, __u64 count)
{
	const struct matrix_cell *c = matrix__at(&m, row, col);

	assert_non_null(c);
	assert_int_equal(c->time_ns, ns);
	assert_int_equal(c->count, count);
}

static void some(void)
{
	took(1, KS_BY_OTHER_VM, 20, 2, "CPU 0/KVM", 100);
	took(1, KS_BY_OTHER_VM, 21, 2, "qemu", 50);
	took(1, KS_BY_KERNEL, 9, 0, "kworker/0:1", 30);
	took(2, KS_BY_KERNEL, 9, 0, "kworker/0:1", 300);
	took(2, KS_BY_KERNEL, 10, 0, "kworker/0:1", 1); /* another one of this name */
	took(2, KS_BY_EMULATOR, 22, 2, "qemu", 5);
	took(1, KS_BY_QUOTA, 20, 2, "CPU 0/KVM", 7); /* its own quota, whoever came after it */
	took(1, KS_BY_HOST, 30, 0, "", 2);
	took(1, KS_BY_OTHER_VM, 40, 3, "stranger", 3); /* of a VM that is not known */
}

static void test_by_class(void **state)
{
	(void)state;
	some();
	assert_int_equal(matrix__init(&m, &summary, MATRIX_BY_CLASS, KS_BY_CNT), 0);
	assert_int_equal(m.rows, 2);
	assert_int_equal(m.cols, 5);
	assert_int_equal(m.row[0].vm, 2);
	assert_int_equal(m.row[0].time_ns, 306);
	assert_int_equal(m.row[1].time_ns, 192);
	assert_string_equal(name(0), "kernel");
	assert_string_equal(name(1), "other_vm");
	assert_string_equal(name(2), "quota");
	assert_cell(0, 0, 301, 2);
	assert_cell(1, 0, 30, 1);
	assert_cell(1, 1, 153, 3);
	assert_cell(1, 2, 7, 1);
	assert_null(matrix__at(&m, 0, 1));
	assert_int_equal(m.time_ns, 498);
	assert_int_equal(m.count, 9);
}

static void test_by_name(void **state)
{
	(void)state;
	some();
	assert_int_equal(matrix__init(&m, &summary, MATRIX_BY_NAME, UINT_MAX), 0);
	assert_int_equal(m.cols, 5);
	assert_string_equal(name(0), "kworker/0:1");
	assert_string_equal(name(1), "db");
	assert_string_equal(name(2), "quota");
	assert_string_equal(name(3), "pid 40");
	assert_string_equal(name(4), "?");
	assert_cell(0, 0, 301, 2);
	assert_cell(0, 1, 5, 1); /* the VM itself */
	assert_cell(1, 1, 150, 2);
	assert_int_equal(m.cell[m.row[1].first].col, 1); /* a row's longest first */
}

static void test_others(void **state)
{
	(void)state;
	some();
	assert_int_equal(matrix__init(&m, &summary, MATRIX_BY_NAME, 3), 0);
	assert_int_equal(m.cols, 3);
	assert_string_equal(name(1), "db");
	assert_string_equal(name(2), "3 others");
	assert_int_equal(m.col[2].time_ns, 12);
	assert_cell(1, 2, 12, 3);
	assert_null(matrix__at(&m, 0, 2));
	matrix__free(&m);
	assert_int_equal(matrix__init(&m, &summary, MATRIX_BY_NAME, 1), 0);
	assert_int_equal(m.cols, 1);
	assert_cell(0, 0, 306, 3);
	matrix__free(&m);
	assert_int_equal(matrix__init(&m, &summary, MATRIX_BY_NAME, 5), 0); /* exactly enough */
	assert_string_equal(name(4), "?");
}

static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(matrix__init(&m, &summary, MATRIX_BY_NAME, 3), 0);
	assert_int_equal(m.rows + m.cols + m.cells, 0);
}

/* Rows, columns and cells each add up to what the summary has, whatever is cut. */
static void test_sums(void **state)
{
	static const unsigned cuts[] = {1, 2, 7, 100, UINT_MAX};
	__u64 time_ns = 0, seed = 1;
	char comm[17];

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		snprintf(comm, sizeof(comm), "task%u", (unsigned)(seed >> 40) % 300);
		took(1 + (seed >> 33) % 90, 1 + (seed >> 50) % (KS_BY_CNT - 1), i, (seed >> 55) % 3,
		     comm, seed >> 44);
		time_ns += seed >> 44;
	}
	for (unsigned i = 0; i < 2 * sizeof(cuts) / sizeof(*cuts); i++) {
		__u64 rows = 0, cols = 0, cells = 0, counts = 0;

		assert_int_equal(matrix__init(&m, &summary, i % 2, cuts[i / 2]), 0);
		assert_true(m.cols <= cuts[i / 2]);
		assert_int_equal(m.rows, 90);
		for (unsigned r = 0; r < m.rows; r++) {
			__u64 own = 0;

			for (unsigned c = 0; c < m.row[r].cells; c++)
				own += m.cell[m.row[r].first + c].time_ns;
			assert_int_equal(own, m.row[r].time_ns);
			assert_true(!r || m.row[r - 1].time_ns >= m.row[r].time_ns);
			rows += own;
		}
		for (unsigned c = 0; c < m.cols; c++)
			cols += m.col[c].time_ns;
		for (unsigned c = 0; c < m.cells; c++)
			cells += m.cell[c].time_ns, counts += m.cell[c].count;
		assert_int_equal(rows, time_ns);
		assert_int_equal(cols, time_ns);
		assert_int_equal(cells, time_ns);
		assert_int_equal(m.time_ns, time_ns);
		assert_int_equal(counts, 4000);
		matrix__free(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_by_class, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sums, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
