// SPDX-License-Identifier: BSD-2-Clause
/* Metrics as text: which format, numbers, names that their owners chose badly, and what is absent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "metrics.h"
#include "scene.h"

#define T0 SCENE_START
#define MS 1000000ULL

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;
static struct metrics_opts opts;
static char *text;

static int setup(void **state)
{
	struct model_listener l;

	(void)state;
	session = scene_session(MODE_DEFAULT);
	opts = (struct metrics_opts){.max_vms = 100, .version = "1.0-test", .commit = "c0ffee"};
	summary__init(&summary, &session, &filter, 0, ~0ULL, &l);
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	summary__free(&summary);
	model__free(model);
	free(text);
	text = NULL;
	return 0;
}

static void feed(union rec r)
{
	assert_int_equal(model__record(model, &r.h), 0);
}

static void introduce(__u32 vm, const char *name, __u32 vcpu)
{
	struct ks_name n = rec_name(vm, T0, name);

	feed(rec_vm(vm, T0));
	assert_int_equal(model__record(model, &n.h), 0);
	feed(rec_vcpu(vcpu, T0, vm, 0, 0));
}

static void finish(__u64 end)
{
	summary.to_ns = end;
	model__end(model, end);
	assert_int_equal(summary__finish(&summary, model, 3), 0);
}

static void render(enum metrics_format format, const struct self *self)
{
	struct metrics m = {.summary = &summary, .untracked = 7, .self = self};
	size_t size;
	FILE *f;

	free(text);
	text = NULL;
	f = open_memstream(&text, &size);
	assert_int_equal(metrics__write(f, format, &m, &opts), 0);
	fclose(f);
}

static bool has(const char *line)
{
	const char *at = strstr(text, line);
	size_t len = strlen(line);

	while (at && !((at == text || at[-1] == '\n') && at[len] == '\n'))
		at = strstr(at + 1, line);
	return at;
}

static void assert_line(const char *line)
{
	if (!has(line))
		fail_msg("no line %s in:\n%s", line, text);
}

static void assert_no(const char *part)
{
	if (strstr(text, part))
		fail_msg("%s in:\n%s", part, text);
}

/* ---- the format --------------------------------------------------------------------------- */

static void test_accept(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format want;
	} cases[] = {
		{NULL, METRICS_PROMETHEUS},
		{"", METRICS_PROMETHEUS},
		{"*/*", METRICS_PROMETHEUS},
		{"text/plain", METRICS_PROMETHEUS},
		{"application/openmetrics-text", METRICS_OPENMETRICS},
		{"Application/OpenMetrics-Text; Version=1.0.0", METRICS_OPENMETRICS},
		{"application/openmetrics-text;version=2.0.0", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=0", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=0.000", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=0.3,text/plain;q=0.4", METRICS_PROMETHEUS},
		{"text/plain;q=0.4 , application/openmetrics-text ; q=0.5", METRICS_OPENMETRICS},
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		 "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 METRICS_OPENMETRICS}, /* Prometheus 2.42 */
		{",,;;q=,=;", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=nan", METRICS_PROMETHEUS},
		{"application/openmetrics-textapplication/openmetrics-textapplication", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (metrics_format__of_accept(cases[i].accept) != cases[i].want)
			fail_msg("%s", cases[i].accept);
}

/* Whatever comes, it is read to its end and no further. */
static void test_accept_random(void **state)
{
	static const char part[] = "application/openmetrics-text;version=1.0.0;q=0.5, text/*\t\"";
	unsigned long long seed = 1;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		char *header = calloc(1, 200), *cut;
		unsigned len = 0;

		while (len < 150 && n % 7 + 1 > len / 30) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			len += snprintf(header + len, 200 - len, "%.*s", (int)(seed >> 59),
					part + (seed >> 33) % (sizeof(part) - 1));
			len += len == 0;
		}
		cut = strdup(header); /* its own size: an overrun is seen */
		assert_in_range(metrics_format__of_accept(cut), 0, METRICS_OPENMETRICS);
		free(cut);
		free(header);
	}
}

static void test_formats(void **state)
{
	(void)state;
	introduce(1, "web", 1);
	finish(T0 + 1000);
	render(METRICS_PROMETHEUS, NULL);
	assert_line("# TYPE kvmsched_switches_total counter");
	assert_line("# TYPE kvmsched_vm_info gauge");
	assert_line("kvmsched_lost_records_total 3");
	assert_line("kvmsched_vcpus_untracked 7");
	assert_line("kvmsched_build_info{version=\"1.0-test\",commit=\"c0ffee\"} 1");
	assert_no("# EOF");
	assert_no("process_");
	render(METRICS_OPENMETRICS,
	       &(struct self){.cpu_ns = 1500000000, .start_ns = 1700000000120000000});
	assert_line("# TYPE kvmsched_switches counter");
	assert_line("# TYPE kvmsched_vm info");
	assert_line("kvmsched_switches_total{vm=\"web\"} 0");
	assert_line("process_cpu_seconds_total 1.5");
	assert_line("process_start_time_seconds 1700000000.12");
	assert_string_equal(text + strlen(text) - strlen("\n# EOF\n"), "\n# EOF\n");
}

static void test_numbers(void **state)
{
	static const struct {
		__u64 ns;
		const char *want;
	} cases[] = {
		{0, "x 0\n"},
		{1, "x 0.000000001\n"},
		{1000000000, "x 1\n"},
		{12340000000, "x 12.34\n"},
		{10000000000, "x 10\n"},
		{~0ULL, "x 18446744073.709551615\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct metrics_text t = {.name = "x", .kind = METRICS_GAUGE};
		size_t size;

		free(text);
		t.f = open_memstream(&text, &size);
		metrics_text__sample(&t, NULL);
		metrics_text__seconds(&t, cases[i].ns);
		metrics_text__end(&t);
		fclose(t.f);
		assert_string_equal(text, cases[i].want);
	}
}

/* ---- what is measured --------------------------------------------------------------------- */

static void test_values(void **state)
{
	(void)state;
	introduce(1, "web", 1);
	feed(rec_out(1, 1, T0 + 100 * MS, KS_R_PREEMPTED));
	feed(rec_in(1, 2, T0 + 104 * MS, 0));
	feed(rec_out(1, 3, T0 + 200 * MS, KS_R_HALTED));
	feed(rec_in(1, 4, T0 + 250 * MS, MS));
	finish(T0 + 300 * MS);
	render(METRICS_PROMETHEUS, NULL);
	assert_line("kvmsched_state_seconds_total{vm=\"web\",state=\"running\"} 0.246");
	assert_line("kvmsched_state_seconds_total{vm=\"web\",state=\"preempted\"} 0.004");
	assert_line("kvmsched_state_seconds_total{vm=\"web\",state=\"halted\"} 0.05");
	assert_no("state=\"absent\"");
	assert_no("state=\"elsewhere\"");
	assert_no("on_or_user");
	assert_line("kvmsched_switches_total{vm=\"web\"} 2");
	/* 1 ms is inside a bucket of hist.h: what the edge may miss is less than 0.8 % below it */
	assert_line("kvmsched_run_delay_seconds_bucket{vm=\"web\",le=\"0.0005\"} 0");
	assert_line("kvmsched_run_delay_seconds_bucket{vm=\"web\",le=\"0.0025\"} 1");
	assert_line("kvmsched_run_delay_seconds_bucket{vm=\"web\",le=\"0.005\"} 2");
	assert_line("kvmsched_run_delay_seconds_bucket{vm=\"web\",le=\"+Inf\"} 2");
	assert_line("kvmsched_run_delay_seconds_sum{vm=\"web\"} 0.005");
	assert_line("kvmsched_run_delay_seconds_count{vm=\"web\"} 2");
	assert_line("kvmsched_preemptions_total{vm=\"web\",by=\"host\"} 1");
	assert_line("kvmsched_preemptions_total{vm=\"web\",by=\"other_vm\"} 0");
	assert_line("kvmsched_preempted_seconds_total{vm=\"web\",by=\"host\"} 0.004");
	assert_line("kvmsched_vm_info{vm=\"web\",uuid=\"\",pid=\"10\",cgroup=\"\"} 1");
}

static void test_absent(void **state)
{
	(void)state;
	session.mode = MODE_LIGHT;
	session.fields = 0;
	introduce(1, "web", 1);
	feed(rec_out(1, 1, T0 + 100, KS_R_SLEEPING));
	union rec in = rec_in(1, 2, T0 + 200, 0);
	in.in.h.mask = KS_M_POINT(0); /* no run delay */
	feed(in);
	finish(T0 + 1000);
	summary.no_classes = true;
	render(METRICS_PROMETHEUS, NULL);
	assert_no("\"running\"");
	assert_no("\"user\"");
	assert_no("\"halted\"");
	assert_no("kvmsched_run_delay_seconds_bucket");
	assert_no("kvmsched_preemp");
	assert_line("kvmsched_state_seconds_total{vm=\"web\",state=\"sleeping\"} 0.0000001");
	summary.no_classes = false;
	render(METRICS_PROMETHEUS, NULL);
	assert_line("kvmsched_preemptions_total{vm=\"web\",by=\"host\"} 0");
	assert_no("by=\"quota\"");
}

/* ---- names -------------------------------------------------------------------------------- */

static void test_hostile(void **state)
{
	(void)state;
	introduce(1, "a\"} 1\nb\\\033[31m", 1);
	introduce(2, "\xff", 2);
	introduce(3, "\xfe", 3);
	introduce(4, "\\xff", 4); /* not what the second becomes */
	finish(T0 + 1000);
	render(METRICS_PROMETHEUS, NULL);
	assert_line("kvmsched_switches_total{vm=\"a\\\"} 1\\\\x0ab\\\\\\\\\\\\x1b[31m\"} 0");
	assert_line("kvmsched_switches_total{vm=\"\\\\xff\"} 0");
	assert_line("kvmsched_switches_total{vm=\"\\\\xfe\"} 0");
	assert_line("kvmsched_switches_total{vm=\"\\\\\\\\xff\"} 0");
}

static void test_namesakes(void **state)
{
	(void)state;
	introduce(1, "web", 1);
	introduce(2, "db", 2);
	introduce(3, "db", 3);
	feed(rec_gone(1, 1, T0 + 10));
	introduce(4, "web", 4); /* started again */
	finish(T0 + 1000);
	render(METRICS_PROMETHEUS, NULL);
	assert_line("kvmsched_switches_total{vm=\"db#20\"} 0");
	assert_line("kvmsched_switches_total{vm=\"db#30\"} 0");
	assert_line("kvmsched_switches_total{vm=\"web\"} 0");
	assert_line("kvmsched_switches_total{vm=\"web#10\"} 0");
	assert_line("kvmsched_vm_info{vm=\"web\",uuid=\"\",pid=\"40\",cgroup=\"\"} 1");
}

static void test_max_vms(void **state)
{
	(void)state;
	introduce(1, "z", 1);
	introduce(2, "y", 2);
	introduce(3, "a", 3);
	opts.max_vms = 2;
	finish(T0 + 1000);
	render(METRICS_PROMETHEUS, NULL);
	assert_line("kvmsched_vms_omitted 1");
	assert_line("kvmsched_switches_total{vm=\"z\"} 0");
	assert_line("kvmsched_switches_total{vm=\"y\"} 0");
	assert_no("vm=\"a\"");
}

static void test_max_live_first(void **state)
{
	(void)state;
	introduce(1, "z", 1);
	introduce(2, "y", 2);
	introduce(3, "a", 3);
	feed(rec_gone(1, 0, T0 + 10));
	opts.max_vms = 2;
	finish(T0 + 1000);
	render(METRICS_PROMETHEUS, NULL);
	assert_no("vm=\"z\"");
	assert_line("kvmsched_switches_total{vm=\"y\"} 0");
	assert_line("kvmsched_switches_total{vm=\"a\"} 0");
}

/* ---- vCPUs -------------------------------------------------------------------------------- */

static void test_per_vcpu(void **state)
{
	struct model_vcpu past = {.vm = 1, .tgid = 10, .vcpu_id = -1};
	struct summary_vcpu folded = {.v = &past, .folded = true, .switches = 1000};

	(void)state;
	introduce(1, "web", 1);
	feed(rec_vcpu(2, T0, 1, 1, 0));
	feed(rec_vcpu(3, T0, 1, 2, 0));
	for (__u32 v = 1; v <= 3; v++) {
		feed(rec_out(v, 1, T0 + 100 * v, KS_R_PREEMPTED));
		feed(rec_in(v, 2, T0 + 100 * v + 50, 0));
	}
	finish(T0 + 1000);
	summary.vcpu = realloc(summary.vcpu, 4 * sizeof(folded));
	summary.vcpu[summary.vcpus++] = folded;
	render(METRICS_PROMETHEUS, NULL);
	assert_line("kvmsched_switches_total{vm=\"web\"} 1003");
	assert_no("vcpu=");
	opts.per_vcpu = true;
	render(METRICS_PROMETHEUS, NULL);
	assert_line("kvmsched_switches_total{vm=\"web\",vcpu=\"0\"} 1");
	assert_line("kvmsched_switches_total{vm=\"web\",vcpu=\"1\"} 1");
	assert_line("kvmsched_switches_total{vm=\"web\",vcpu=\"2\"} 1");
	assert_no("vcpu=\"-1\"");
	assert_no("kvmsched_switches_total{vm=\"web\"}");
	assert_line("kvmsched_run_delay_seconds_count{vm=\"web\"} 3");
}

/* Two of one number: the younger one has the series. */
static void test_same_number(void **state)
{
	(void)state;
	introduce(1, "web", 1);
	feed(rec_vcpu(2, T0, 1, 0, 0));
	feed(rec_out(2, 1, T0 + 100, KS_R_HALTED));
	finish(T0 + 1000);
	opts.per_vcpu = true;
	render(METRICS_PROMETHEUS, NULL);
	assert_line("kvmsched_switches_total{vm=\"web\",vcpu=\"0\"} 1");
	assert_null(strstr(strstr(text, "switches_total{") + 1, "switches_total{"));
}

static void test_self(void **state)
{
	struct self s, again;

	(void)state;
	assert_int_equal(self__read(&s), 0);
	assert_true(s.rss_bytes > 1000000 && s.rss_bytes < s.vsize_bytes);
	assert_true(s.fds >= 3 && s.fds < s.fds_max);
	assert_true(s.start_ns > 1600000000 * 1000000000ULL);
	assert_int_equal(self__read(&again), 0);
	assert_int_equal(s.fds, again.fds);
	assert_true(again.cpu_ns >= s.cpu_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_accept_random),
		cmocka_unit_test_setup_teardown(test_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namesakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_max_vms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_max_live_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_per_vcpu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_number, setup, teardown),
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
