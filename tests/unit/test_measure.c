// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of measures, and the outputs that go by it: which mode and kernel gives which measure,
 * and that every --json is what its schema in docs/schema says (skipped without
 * python3-jsonschema).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "measure.h"
#include "report_json.h"
#include "scene.h"
#include "sink_hist.h"
#include "sink_report.h"
#include "sink_timehist.h"
#include "skip.h"

#define T0 SCENE_START

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;

static int on_record(void *ctx, const struct ks_head *r, unsigned stream)
{
	(void)ctx;
	(void)stream;
	return model__record(model, r);
}

/* ---- what is given ------------------------------------------------------------------------ */

static void play(enum session_mode mode, __u32 without_fields, const struct sink *sink);

static int teardown(void **state)
{
	(void)state;
	summary__free(&summary);
	model__free(model);
	model = NULL;
	memset(&filter, 0, sizeof(filter));
	return 0;
}

static const struct measure *find(const char *name)
{
	const struct measure *m = measure__find(name, strlen(name));

	if (!m)
		fail_msg("no measure %s", name);
	return m;
}

static bool given(const char *name)
{
	return !measure__why_absent(find(name), &summary, &summary.total);
}

static void test_table(void **state)
{
	const struct measure *m, *other;

	(void)state;
	for (unsigned at = 0; (m = measure__next(&at));) {
		assert_ptr_equal(find(m->name), m);
		assert_true(m->kinds && m->modes && m->help[0]);
		for (unsigned i = at; (other = measure__next(&i));)
			assert_string_not_equal(m->name, other->name);
	}
	assert_null(measure__find("absences", 8));
	assert_non_null(measure__find("absences", 7)); /* of a list, a part */
	assert_null(measure__find("", 0));
}

/* The names that design and JSON promise. */
static void test_promised(void **state)
{
	static const char *const names[] = {
		"running",  "user",	"on_or_user", "preempted", "halted",	  "sleeping",
		"absent",   "unknown",	"absence",    "run_delay", "reload_cost", "load_cost",
		"put_cost", "switches", "migrations", "loads",	   "lost",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		find(names[i]);
	assert_int_equal(find("preempted")->kinds, MEASURE_TIME | MEASURE_DIST);
	assert_int_equal(find("absence")->kinds, MEASURE_DIST);
	assert_int_equal(find("lost")->kinds, MEASURE_COUNT);
}

/* Of a vCPU of which nothing is known, 0 is no run delay. */
static void test_unknown(void **state)
{
	struct summary_vcpu v = {.state_ns[ST_UNKNOWN] = 60, .state_ns[ST_ABSENT] = 40};
	const struct measure *delay = find("run_delay");
	__u64 ns;

	(void)state;
	play(MODE_DEFAULT, 0, NULL);
	assert_false(summary__known(&v));
	assert_false(measure__time(delay, &summary, &v, &ns));
	assert_null(measure__dist(delay, &summary, &v));
	assert_true(measure__time(find("unknown"), &summary, &v, &ns));
	v.state_ns[ST_HALTED] = 1;
	assert_true(measure__time(delay, &summary, &v, &ns));
	assert_int_equal(ns, 0);
	v = (struct summary_vcpu){.state_ns[ST_UNKNOWN] = 60, .run_delay_ns = 5}; /* learnt later */
	assert_true(measure__time(delay, &summary, &v, &ns));
}

static void test_modes(void **state)
{
	(void)state;
	play(MODE_DEFAULT, 0, NULL);
	assert_true(given("running") && given("user") && given("loads") && given("run_delay"));
	assert_false(given("on_or_user") || given("reload_cost") || given("elsewhere"));
	teardown(state);
	play(MODE_FULL, 0, NULL);
	assert_true(given("running") && given("reload_cost") && given("load_cost"));
	assert_non_null(measure__dist(find("reload_cost"), &summary, &summary.total));
	assert_null(measure__dist(find("load_cost"), &summary, &summary.total));
	assert_non_null(measure__cost(find("load_cost"), &summary, &summary.total));
	assert_null(measure__cost(find("absence"), &summary, &summary.total));
	teardown(state);
	play(MODE_LIGHT, 0, NULL);
	assert_true(given("on_or_user") && given("preempted") && given("switches"));
	assert_false(given("running") || given("user") || given("loads") || given("puts"));
	assert_false(given("reload_cost"));
}

static void test_fields(void **state)
{
	(void)state;
	play(MODE_DEFAULT, KS_M_BLOCKING | KS_M_RUN_DELAY, NULL);
	assert_false(given("halted") || given("run_delay"));
	assert_true(given("sleeping") && given("absence") && given("preempted"));
	assert_null(measure__dist(find("run_delay"), &summary, &summary.vcpu[0]));
}

static void test_values(void **state)
{
	const struct summary_vcpu *t = &summary.total;
	__u64 n;

	(void)state;
	play(MODE_DEFAULT, 0, NULL);
	assert_true(measure__time(find("preempted"), &summary, t, &n));
	assert_int_equal(n, t->state_ns[ST_PREEMPTED]);
	assert_true(measure__time(find("run_delay"), &summary, t, &n));
	assert_int_equal(n, t->run_delay_ns);
	assert_true(n >= t->run_delay.sum); /* and what is open at the end */
	assert_true(measure__count(find("switches"), &summary, t, &n));
	assert_int_equal(n, t->switches);
	assert_ptr_equal(measure__dist(find("halted"), &summary, t), &t->by_state[ST_HALTED]);
	assert_ptr_equal(measure__dist(find("absence"), &summary, t), &t->absence);
	assert_true(measure__count(find("lost"), &summary, t, &n));
	assert_int_equal(n, 0);
	/* asked for what they are not */
	assert_false(measure__time(find("switches"), &summary, t, &n));
	assert_false(measure__time(find("absence"), &summary, t, &n));
	assert_false(measure__count(find("running"), &summary, t, &n));
	assert_null(measure__dist(find("running"), &summary, t));
}

/* ---- what they print ---------------------------------------------------------------------- */

static int saved, captured;

static void capture(void)
{
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	captured = memfd_create("stdout", 0);
	assert_true(saved >= 0 && captured >= 0);
	dup2(captured, STDOUT_FILENO);
}

/* What was printed, NUL-terminated; the caller frees it. */
static char *release(void)
{
	off_t size;
	char *text;

	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	size = lseek(captured, 0, SEEK_END);
	text = calloc(1, size + 1);
	assert_non_null(text);
	assert_int_equal(pread(captured, text, size, 0), size);
	return text;
}

static void validate(const char *schema)
{
	char cmd[160];
	int status;

	snprintf(cmd, sizeof(cmd), "exec tests/validate-json docs/schema/%s.json /proc/self/fd/%d",
		 schema, captured);
	status = system(cmd);
	if (WEXITSTATUS(status) == 2)
		skip_test("tests/validate-json cannot run here");
	assert_int_equal(status, 0);
}

static const struct sink *playing;

static void absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		    const struct model_task *task)
{
	struct model_listener *l = ctx;

	l->absence(l->ctx, v, a, task);
	if (playing && playing->absence)
		assert_int_equal(playing->absence(playing->ctx, v, a, task), 0);
}

static void span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		 const struct model_task *task)
{
	struct model_listener *l = ctx;

	l->span(l->ctx, v, s, a, task);
}

static void event(void *ctx, struct model_vcpu *v, const struct ks_head *r, const struct step *s)
{
	struct model_listener *l = ctx;

	l->event(l->ctx, v, r, s);
}

/* What the kernel lacks, no record has. */
static int without_fields(void *ctx, const struct ks_head *h, unsigned stream)
{
	union rec r;

	memcpy(&r, h, h->type == KS_NAME ? 0 : record__size(h->type));
	if (h->type == KS_OUT || h->type == KS_IN) {
		r.h.mask &= ~*(__u32 *)ctx;
		if (!(r.h.mask & KS_M_BLOCKING) && h->type == KS_OUT && r.out.reason == KS_R_HALTED)
			r.out.reason = KS_R_SLEEPING;
		return on_record(NULL, &r.h, stream);
	}
	return on_record(NULL, h, stream);
}

/* A scene through model, summary and sink, as run() does it. */
static void play(enum session_mode mode, __u32 without, const struct sink *sink)
{
	struct scene sc = {.mode = mode, .seed = 3, .fn = without_fields, .ctx = &without};
	static struct model_listener to_summary;
	struct model_listener l = {
		.event = event, .span = span, .absence = absence, .ctx = &to_summary};

	session = scene_session(mode);
	session.fields &= ~without;
	playing = sink;
	summary__init(&summary, &session, &filter, 0, ~0ULL, &to_summary);
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
	if (sink && sink->begin)
		assert_int_equal(sink->begin(sink->ctx, &session, model), 0);
	assert_int_equal(scene_play(&sc, 2000), 0);
	session.end_ns = summary.to_ns = sc.now;
	model__end(model, sc.now);
	assert_int_equal(summary__finish(&summary, model, 0), 0);
	if (sink)
		assert_int_equal(sink->end(sink->ctx, &summary), 0);
}

static const struct {
	enum session_mode mode;
	__u32 without;
} kernels[] = {
	{MODE_DEFAULT, 0},
	{MODE_FULL, 0},
	{MODE_LIGHT, 0},
	{MODE_DEFAULT, KS_M_BLOCKING | KS_M_RUN_DELAY | KS_M_QUOTA},
};

static void check_json(const char *schema, const struct sink *sink)
{
	for (unsigned i = 0; i < 4; i++) {
		capture();
		play(kernels[i].mode, kernels[i].without, sink);
		free(release());
		teardown(NULL);
		validate(schema);
		close(captured);
	}
}

static void test_report_json(void **state)
{
	struct sink_report r;
	struct sink sink;

	(void)state;
	sink_report__init(&sink, &r, true, COLOR_NEVER);
	check_json("report", &sink);
}

static void test_hist_json(void **state)
{
	struct sink_hist h = {.json = true};
	struct sink sink;
	const char *bad;
	size_t len;

	(void)state;
	assert_int_equal(
		sink_hist__parse(&h, "absence,reload_cost,load_cost," HIST_DEFAULT, &bad, &len), 0);
	sink_hist__init(&sink, &h);
	for (h.by = SUMMARY_BY_ALL; h.by <= SUMMARY_BY_VCPU; h.by++)
		check_json("hist", &sink);
}

static void test_timehist_json(void **state)
{
	struct timehist_opts o = {.json = true};
	struct sink_timehist t;
	struct sink sink;

	(void)state;
	sink_timehist__init(&sink, &t, &o);
	check_json("timehist", &sink);
}

/* Names are harmless, and tell two VMs of one name apart. */
static void test_timehist_text(void **state)
{
	struct timehist_opts o = {.color = COLOR_NEVER};
	struct sink_timehist t;
	unsigned lines = 0;
	struct sink sink;
	char *text;

	(void)state;
	sink_timehist__init(&sink, &t, &o);
	capture();
	play(MODE_DEFAULT, 0, &sink);
	text = release();
	close(captured);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "web\\x1b[31m#10"));
	assert_non_null(strstr(text, "of web\\x1b[31m#20 vCPU 2"));
	assert_non_null(strstr(text, "preempted(ioctl)"));
	assert_non_null(strstr(text, "still absent"));
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 1 + t.shown);
	assert_true(t.shown > 500 && t.shown_open > 0);
	assert_int_equal(t.shown, summary.total.absence.count + t.shown_open);
	free(text);
}

static void test_timehist_which(void **state)
{
	struct timehist_opts o = {.min_ns = 5000, .json = true};
	struct sink_timehist t;
	struct sink sink;
	char *text;

	(void)state;
	assert_int_equal(timehist__parse_states("sleeping,ioctl", &o.reasons), 0);
	sink_timehist__init(&sink, &t, &o);
	capture();
	play(MODE_DEFAULT, 0, &sink);
	text = release();
	close(captured);
	assert_null(strstr(text, "\"reason\":\"halted\""));
	assert_null(strstr(text, "\"reason\":\"preempted\""));
	assert_non_null(strstr(text, "\"reason\":\"ioctl\""));
	assert_non_null(strstr(text, "\"reason\":\"sleeping\""));
	for (const char *p = text; (p = strstr(p, "\"absence_ns\":")); p++)
		assert_true(strtoull(p + 13, NULL, 10) >= 5000);
	free(text);
}

static void test_parse_states(void **state)
{
	unsigned bits = 77;

	(void)state;
	assert_int_equal(timehist__parse_states("", &bits), -EINVAL);
	assert_int_equal(timehist__parse_states("halted,", &bits), -EINVAL);
	assert_int_equal(timehist__parse_states("halted,nap", &bits), -EINVAL);
	assert_int_equal(bits, 77);
	assert_int_equal(timehist__parse_states("preempted", &bits), 0);
	assert_int_equal(bits, 1 << KS_R_PREEMPTED | 1 << KS_R_IOCTL);
	assert_int_equal(timehist__parse_states("halted,ioctl", &bits), 0);
	assert_int_equal(bits, 1 << KS_R_HALTED | 1 << KS_R_IOCTL);
}

static void test_parse_measures(void **state)
{
	struct sink_hist h = {0};
	const char *bad, *list = "absence,switches";
	size_t len;

	(void)state;
	assert_int_equal(sink_hist__parse(&h, list, &bad, &len), -EINVAL);
	assert_ptr_equal(bad, list + 8);
	assert_int_equal(sink_hist__parse(&h, "nap,absence", &bad, &len), -ENOENT);
	assert_int_equal(len, 3);
	h.measures = HIST_MEASURES;
	assert_int_equal(sink_hist__parse(&h, "absence", &bad, &len), -E2BIG);
}

/* The last number of the drawn rows is all of them. */
static void test_hist_text(void **state)
{
	struct sink_hist h = {.color = COLOR_NEVER};
	char *text, want[40];
	struct sink sink;
	const char *bad;
	size_t len;

	(void)state;
	assert_int_equal(sink_hist__parse(&h, "absence,reload_cost", &bad, &len), 0);
	sink_hist__init(&sink, &h);
	capture();
	play(MODE_DEFAULT, 0, &sink);
	text = release();
	close(captured);
	snprintf(want, sizeof(want), "\ncount %llu, mean ", summary.total.absence.count);
	assert_non_null(strstr(text, want));
	assert_non_null(strstr(text, "100.0%"));
	assert_non_null(strstr(text, "not known: needs --full\n"));
	free(text);
}

static void test_hist_nothing(void **state)
{
	struct sink_hist h = {.color = COLOR_NEVER};
	struct sink sink;
	const char *bad;
	size_t len;
	char *text;

	(void)state;
	assert_int_equal(sink_hist__parse(&h, "halted", &bad, &len), 0);
	sink_hist__init(&sink, &h);
	play(MODE_DEFAULT, 0, NULL);
	hist__free(&summary.vcpu[0].by_state[ST_HALTED]);
	h.by = SUMMARY_BY_VCPU;
	capture();
	assert_int_equal(sink.end(sink.ctx, &summary), 0);
	text = release();
	close(captured);
	assert_non_null(strstr(text, "\nnone\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_table, teardown),
		cmocka_unit_test_teardown(test_promised, teardown),
		cmocka_unit_test_teardown(test_unknown, teardown),
		cmocka_unit_test_teardown(test_modes, teardown),
		cmocka_unit_test_teardown(test_fields, teardown),
		cmocka_unit_test_teardown(test_values, teardown),
		cmocka_unit_test_teardown(test_report_json, teardown),
		cmocka_unit_test_teardown(test_hist_json, teardown),
		cmocka_unit_test_teardown(test_timehist_json, teardown),
		cmocka_unit_test_teardown(test_timehist_text, teardown),
		cmocka_unit_test_teardown(test_timehist_which, teardown),
		cmocka_unit_test_teardown(test_parse_states, teardown),
		cmocka_unit_test_teardown(test_parse_measures, teardown),
		cmocka_unit_test_teardown(test_hist_text, teardown),
		cmocka_unit_test_teardown(test_hist_nothing, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
