// SPDX-License-Identifier: BSD-2-Clause
/* What report says of who took the CPU: for people and for machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>
#include "report_json.h"
#include "scene.h"
#include "sink_report.h"

#define T0 SCENE_START

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;

static void feed(union rec r)
{
	assert_int_equal(model__record(model, &r.h), 0);
}

static void taken(__u32 seq, __u64 from, __u32 tid, __u32 vm)
{
	union rec out = rec_out(1, seq, from, KS_R_PREEMPTED);

	out.h.what = KS_BY_OTHER_VM;
	out.out.next_tid = tid;
	out.out.next_vm = vm;
	feed(out);
	feed(rec_in(1, seq + 1, from + 10, 0));
}

/* VM 1 is wanted, VM 2 is not, and VM 3 was never introduced. */
static void trace(void)
{
	struct ks_name web = rec_name(1, T0, "web"), db = rec_name(2, T0, "db");
	struct model_listener l;

	assert_int_equal(filter__add(&filter, 'v', "w*"), 0);
	session = scene_session(MODE_DEFAULT);
	session.end_ns = T0 + 1000;
	summary__init(&summary, &session, &filter, 0, session.end_ns, &l);
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
	feed(rec_vm(1, T0));
	feed(rec_vm(2, T0));
	assert_int_equal(model__record(model, &web.h) | model__record(model, &db.h), 0);
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_vcpu(2, T0, 2, 4, 0));
	feed(rec_task(7, T0, KS_K_VCPU, "CPU 4/KVM", 2, 2));
	feed(rec_task(8, T0, KS_K_VMM, "meddler", 3, 0));
	feed(rec_task(9, T0, KS_K_VCPU, "CPU 0/KVM", 3, 9));
	taken(1, T0 + 100, 7, 2);
	taken(3, T0 + 200, 8, 3);
	taken(5, T0 + 300, 9, 3);
	taken(7, T0 + 400, 10, 3); /* not introduced */
	model__end(model, session.end_ns);
	assert_int_equal(summary__finish(&summary, model, 0), 0);
	assert_int_equal(summary.vcpus, 1);
}

static int teardown(void **state)
{
	(void)state;
	summary__free(&summary);
	model__free(model);
	memset(&filter, 0, sizeof(filter));
	return 0;
}

/* What the sink writes to standard output. */
static char *shown(bool json)
{
	static char text[16384];
	FILE *f = tmpfile();
	struct sink_report out;
	struct sink sink;
	int was = dup(1);
	size_t n;

	assert_non_null(f);
	fflush(stdout);
	dup2(fileno(f), 1);
	sink_report__init(&sink, &out, json, COLOR_NEVER);
	assert_int_equal(sink.end(sink.ctx, &summary), 0);
	fflush(stdout);
	dup2(was, 1);
	close(was);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	return text;
}

/* A preemptor keeps its name where the filter leaves its VM out; none is invented. */
static void test_takers(void **state)
{
	const char *text;

	(void)state;
	trace();
	text = shown(false);
	assert_non_null(strstr(text, "CPU 4/KVM (db vCPU 4) "));
	assert_non_null(strstr(text, "meddler (pid 8) "));
	assert_non_null(strstr(text, "CPU 0/KVM (pid 9) "));
	assert_non_null(strstr(text, "other_vm  ? "));
	assert_null(strstr(text, "vm3"));
	assert_non_null(strstr(text, "\n1 vCPU over"));
}

static void test_takers_json(void **state)
{
	const char *text;

	(void)state;
	trace();
	text = shown(true);
	assert_non_null(strstr(text, "\"db\""));
	assert_non_null(strstr(text, "\"vcpu\": 4"));
	assert_null(strstr(text, "vm3"));
	assert_non_null(strstr(text, "\"vm\": null"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_takers, teardown),
		cmocka_unit_test_teardown(test_takers_json, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
