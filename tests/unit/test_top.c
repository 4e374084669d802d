// SPDX-License-Identifier: BSD-2-Clause
/*
 * top without a terminal: rows, their order, groups, filter, keys, and the screen as text at any
 * size, from made-up records.
 */
#include <limits.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "report_json.h"
#include "scene.h"
#include "sink_top.h"
#include "top.h"

#define T0 SCENE_START
#define MS 1000000ULL

static struct session session;
static struct filter filter;
static struct model *model;
static struct intervals intervals;
static struct top top;
static struct canvas canvas;
static struct term term;
static char text[1 << 20];

static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *r, const struct step *s)
{
	(void)ctx;
	intervals.to.event(intervals.to.ctx, v, r, s);
}

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	(void)ctx;
	intervals.to.span(intervals.to.ctx, v, s, a, task);
	assert_int_equal(top__span(&top, v, s), 0);
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	(void)ctx;
	intervals.to.absence(intervals.to.ctx, v, a, task);
	assert_int_equal(top__absence(&top, v, a, task), 0);
}

static int setup(void **state)
{
	static const struct model_listener l = {
		.event = on_event, .span = on_span, .absence = on_absence};

	(void)state;
	session = scene_session(MODE_DEFAULT);
	intervals__init(&intervals, &session, &filter, 0, ~0ULL, 100 * MS, true);
	model = model__new(&session, &filter, &l);
	top__init(&top);
	top.keep_past = true;
	canvas__init(&canvas, 80, true);
	term = (struct term){.utf8 = true, .rows = 24, .columns = 80, .limit = 80};
	return model ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	top__free(&top);
	canvas__free(&canvas);
	intervals__free(&intervals);
	model__free(model);
	return 0;
}

static void feed(union rec r)
{
	assert_int_equal(model__record(model, &r.h), 0);
}

static void vm(__u32 id, const char *name)
{
	struct ks_name n = rec_name(id, T0, name);

	feed(rec_vm(id, T0));
	assert_int_equal(model__record(model, &n.h), 0);
}

static void tick(__u64 lost)
{
	struct tick t;

	assert_int_equal(intervals__cut(&intervals, model, lost, &t), 0);
	assert_int_equal(top__tick(&top, &t), 0);
	intervals__next(&intervals);
}

/* The screen, a line per line; fails if one is too wide or there are too many. */
static const char *screen(bool whole)
{
	FILE *f = fmemopen(text, sizeof(text), "w");
	char *line, *copy, *rest;
	unsigned lines = 0;

	assert_int_equal(top__layout(&top, &canvas, &term, whole), 0);
	assert_int_equal(canvas__print(&canvas, &(struct term){.utf8 = term.utf8}, f), 0);
	fclose(f);
	rest = copy = strdup(text);
	while ((line = strsep(&rest, "\n"))) {
		lines += rest || *line;
		assert_true(whole || escape__width(line) <= term.columns);
	}
	free(copy);
	assert_true(whole || term.rows < 8 || lines <= term.rows);
	return text;
}

static bool says(const char *what)
{
	return strstr(screen(false), what) != NULL;
}

static void press(const char *keys)
{
	while (*keys)
		assert_int_equal(top__key(&top, (unsigned char)*keys++), 0);
}

static void press_key(int key)
{
	assert_int_equal(top__key(&top, key), 0);
}

/* web: vCPU 0 waits for 40 of 100 ms, vCPU 1 is preempted since 70; db: vCPU 0 halts. */
static void three(void)
{
	union rec out;

	vm(1, "web");
	vm(2, "db");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_vcpu(2, T0, 1, 1, 0));
	feed(rec_vcpu(3, T0, 2, 0, 0));
	feed(rec_task(7, T0, KS_K_HOST, "hog", 0, 0));
	feed(rec_task(103, T0, KS_K_VCPU, "CPU 0/KVM", 2, 3));
	feed(rec_out(1, 1, T0 + 10 * MS, KS_R_PREEMPTED));
	feed(rec_out(3, 1, T0 + 20 * MS, KS_R_HALTED));
	feed(rec_in(1, 2, T0 + 50 * MS, 0));
	out = rec_out(2, 1, T0 + 70 * MS, KS_R_PREEMPTED);
	out.out.h.what = KS_BY_OTHER_VM;
	out.out.next_tid = 103;
	out.out.next_vm = 2;
	out.out.cpu = 3;
	feed(out);
	feed(rec_in(3, 2, T0 + 90 * MS, 5 * MS));
	tick(0);
}

static void test_rows(void **state)
{
	(void)state;
	assert_true(says("Waiting for the first interval"));
	three();
	assert_int_equal(top.rows, 3);
	assert_int_equal(top.row[0].key, 1); /* 40 ms */
	assert_int_equal(top.row[1].key, 2); /* 30 ms, open */
	assert_int_equal(top.row[2].key, 3); /* 5 ms */
	assert_int_equal(top.row[1].now.state, ST_PREEMPTED);
	assert_int_equal(top.row[1].now.since_ns, T0 + 70 * MS);
	assert_int_equal(top.row[1].now.cpu, 3);
	assert_int_equal(top.row[0].now.state, ST_RUNNING);
	assert_int_equal(top.row[0].now.since_ns, T0 + 50 * MS);
	assert_string_equal(top.row[0].by->task.comm, "hog");
	assert_non_null(strstr(screen(false), "40.0%"));
	assert_true(says(">30.0ms"));
	assert_true(says("db vCPU 0"));
	assert_true(says("3 vCPUs of 2 VMs  now 1 preempted  2 running  0 idle"));
	tick(0); /* goes on: the whole interval, and longer than it */
	assert_int_equal(top.row[0].key, 2);
	assert_true(says("100.0%"));
	assert_true(says(">130ms"));
}

/* Of which no record came: nothing says that it was well. */
static void test_unknown(void **state)
{
	(void)state;
	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	tick(0);
	assert_int_equal(top.row[0].now.state, ST_UNKNOWN);
	assert_true(says("1 unknown"));
	assert_non_null(strstr(screen(false), "web       0   - unknown    100ms ????????      -"));
	assert_null(strchr(text, '%'));
	press_key(TOP_KEY_ENTER);
	assert_true(says("Nothing is known of it"));
	assert_false(says(" 0.0%"));
	assert_false(says("nobody"));
	assert_false(says(", CPU"));
	press_key(TOP_KEY_ESCAPE);
	feed(rec_in(1, 1, T0 + 100 * MS + 10, 0));	    /* it was away: of that much is known */
	feed(rec_out(1, 3, T0 + 150 * MS, KS_R_PREEMPTED)); /* one is missing: half unknown */
	tick(1);
	assert_true(says(">50.0%"));
}

static void test_order(void **state)
{
	(void)state;
	three();
	press("<"); /* the last one: by name */
	assert_int_equal(top.sort, TOP_BY_NAME);
	assert_int_equal(top.row[0].key, 3);
	press("r");
	assert_int_equal(top.row[0].key, 2);
	press("r>>"); /* p99: the open one has none */
	assert_int_equal(top.sort, TOP_BY_P99);
	assert_int_equal(top.row[2].key, 2);
	press(">"); /* max: it has */
	assert_int_equal(top.row[1].key, 2);
}

static void test_groups(void **state)
{
	(void)state;
	three();
	press("g");
	assert_int_equal(top.rows, 2);
	assert_int_equal(top.row[0].key, 1);
	assert_int_equal(top.row[0].vcpus, 2);
	assert_int_equal(top.row[0].sum->run_delay_ns, 70 * MS);
	assert_true(says("1 of 2"));
	assert_true(says("35.0%"));
	press_key(TOP_KEY_ENTER);
	assert_int_equal(top.rows, 2);
	assert_true(says("VM web"));
	assert_false(says("db  "));
	press_key(TOP_KEY_ESCAPE);
	assert_int_equal(top.group, TOP_VMS);
	press("g");
	assert_int_equal(top.rows, 2); /* CPU 1 and 3 */
	assert_true(says("CPU 3"));
	press("g");
	assert_int_equal(top.rows, 3);
}

static void test_filter(void **state)
{
	(void)state;
	three();
	press("/E");
	assert_int_equal(top.rows, 2); /* while it is typed */
	press("*");
	assert_int_equal(top.rows, 0);
	assert_true(says("No vCPU matches."));
	press_key(TOP_KEY_BACKSPACE);
	assert_int_equal(top.rows, 2);
	press_key(TOP_KEY_ESCAPE);
	assert_int_equal(top.rows, 3);
	press("/d*");
	press_key(TOP_KEY_ENTER);
	assert_int_equal(top.rows, 1);
	assert_false(top.editing);
	tick(0);
	assert_int_equal(top.rows, 1);
	press_key(TOP_KEY_ESCAPE);
	assert_int_equal(top.rows, 3);
	press("/q"); /* a letter of the name, not the key */
	assert_false(top.quit);
	for (int i = 0; i < 200; i++)
		press("\xc3\xa4");
	press_key(TOP_KEY_ENTER);
	assert_true(strlen(top.filter) < TOP_FILTER);
	screen(false);
}

static void test_pages(void **state)
{
	(void)state;
	three();
	press_key(TOP_KEY_ENTER);
	assert_int_equal(top.vcpu, 1);
	assert_true(says("web vCPU 0"));
	assert_true(says("Run delay of 1 absence"));
	assert_true(says("hog"));
	assert_true(says("Its last absences"));
	press("h");
	assert_true(says("all vCPUs again"));
	press("h");
	assert_int_equal(top.page, TOP_DETAIL);
	press_key(TOP_KEY_ESCAPE);
	press("m");
	assert_true(says("taken from"));
	assert_true(says("other_vm"));
	press("mpq");
	assert_int_equal(top.page, TOP_LIST);
	assert_true(top.paused && top.quit);
	assert_true(says("PAUSED"));
}

/* A small screen shows all of it, in parts. */
static void test_help_scrolls(void **state)
{
	static const char *const parts[] = {"scroll",	 "all vCPUs again",	     "who takes",
					    "taken by:", "of the run delay of each", "? unknown"};
	unsigned seen = 0;

	(void)state;
	three();
	term.rows = 10;
	term.columns = term.limit = 40;
	press("h");
	assert_true(says("1-8 of"));
	for (unsigned page = 0; page < 10; page++) {
		screen(false);
		assert_null(strstr(text, "…"));
		for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++)
			seen |= strstr(text, parts[i]) ? 1U << i : 0;
		press_key(TOP_KEY_PAGE_DOWN);
	}
	assert_int_equal(seen, 0x3f);
	assert_true(says("? unknown"));
	press_key(TOP_KEY_UP);
	screen(false);
	assert_int_equal(top.scroll + top.page_rows + 1, top.page_lines);
	press_key(TOP_KEY_HOME);
	assert_true(says("scroll"));
	term.rows = 60;
	assert_false(says("1-"));
}

/* The legend has what the bars have. */
static void test_legend(void **state)
{
	(void)state;
	three();
	assert_true(says("█ running  ▓ preempted  · halted  p99 max: delay per absence"));
	assert_false(says("sleeping"));
	tick(0);
	feed(rec_in(1, 9, T0 + 250 * MS, 0)); /* some are missing */
	tick(6);
	assert_true(says("? unknown"));
}

/* When the longest run delay ended; of one that is not seen nothing is kept. */
static void test_max_at(void **state)
{
	(void)state;
	three();
	assert_int_equal(top.now[top.row[0].index].max_at_ns, T0 + 50 * MS);
	assert_int_equal(top.row[1].max_at_ns, 0); /* goes on */
	press_key(TOP_KEY_ENTER);
	assert_true(says("max 40.0ms at 22:13:21.173456"));
	press_key(TOP_KEY_ESCAPE);
	term.columns = term.limit = 300;
	assert_true(says(" 40.0ms 22:13:21.173456 100% hog"));
	press("g");
	assert_true(says("22:13:21.173456"));
	press("gg");
	feed(rec_out(1, 3, T0 + 110 * MS, KS_R_PREEMPTED));
	feed(rec_in(1, 4, T0 + 170 * MS, 0));
	top__skip(&top); /* as if paused */
	feed(rec_out(1, 5, T0 + 180 * MS, KS_R_PREEMPTED));
	feed(rec_in(1, 6, T0 + 190 * MS, 0));
	tick(0);
	assert_false(says("22:13:21.17"));
}

/* vCPU 1 is taken by task 7, then for longer by task 8; and again if only the classes are known. */
static void taken_twice(void)
{
	union rec out = rec_out(1, 3, T0 + 20 * MS, KS_R_PREEMPTED);

	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_task(7, T0, KS_K_HOST, "short", 0, 0));
	feed(rec_task(8, T0, KS_K_KERNEL, "long", 0, 0));
	feed(rec_out(1, 1, T0 + 10 * MS, KS_R_PREEMPTED));
	feed(rec_in(1, 2, T0 + 15 * MS, 0));
	out.out.h.what = KS_BY_KERNEL;
	out.out.next_tid = 8;
	feed(out);
	feed(rec_in(1, 4, T0 + 60 * MS, 0));
}

static void test_takers(void **state)
{
	(void)state;
	taken_twice();
	tick(0);
	assert_true(says("long\n"));
	assert_false(says("short"));
	press_key(TOP_KEY_ENTER);
	screen(false);
	assert_true(strstr(text, "kernel    long") < strstr(text, "host      short"));
	assert_non_null(strstr(text, "host      short"));
}

/* Most of its wait was after a wake-up: who preempted it for a moment is not to blame for that. Of
 * its quota it does not matter who ran next. */
static void test_woken(void **state)
{
	union rec out;

	(void)state;
	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_task(7, T0, KS_K_HOST, "short", 0, 0));
	feed(rec_task(8, T0, KS_K_KERNEL, "next", 0, 0));
	feed(rec_out(1, 1, T0 + 10 * MS, KS_R_PREEMPTED));
	feed(rec_in(1, 2, T0 + 12 * MS, 0));
	feed(rec_out(1, 3, T0 + 20 * MS, KS_R_HALTED));
	feed(rec_in(1, 4, T0 + 90 * MS, 38 * MS));
	tick(0);
	assert_true(says(" 95% ? (wok")); /* cut: it names nobody */
	assert_false(says("short"));
	term.columns = term.limit = 160;
	assert_true(says(" 95% ? (woken), 5% short\n"));
	press("g");
	assert_true(says(" 95% ? (woken), 5% short\n"));
	press("gg");
	press_key(TOP_KEY_ENTER);
	assert_true(says("38.0ms   95%              ?         not known: it had been woken\n"));
	assert_true(says("2.00ms    5%     1 times  host      short\n"));
	assert_true(strstr(text, "not known") < strstr(text, "times  host "));
	assert_true(says("delay 38.0ms  ? (woken)"));
	press_key(TOP_KEY_ESCAPE);
	for (unsigned i = 0; i < 2; i++) { /* 2 x 15 ms, then 20 ms of another one */
		out = rec_out(1, 5 + 2 * i, T0 + (100 + 20 * i) * MS, KS_R_PREEMPTED);
		out.out.h.what = KS_BY_QUOTA;
		out.out.next_tid = 7 + i;
		feed(out);
		feed(rec_in(1, 6 + 2 * i, T0 + (115 + 20 * i) * MS, 0));
	}
	feed(rec_out(1, 9, T0 + 150 * MS, KS_R_PREEMPTED));
	feed(rec_in(1, 10, T0 + 170 * MS, 0));
	tick(0);
	assert_true(says(" 60% its CPU quota\n"));
	press("g");
	assert_true(says(" 60% its CPU quota\n"));
	press("gg");
	press_key(TOP_KEY_ENTER);
	assert_true(says("30.0ms   60%     2 times  quota     its CPU quota\n"));
	assert_false(says("does not tell"));
	session.fields &= ~KS_M_QUOTA;
	assert_true(says("This kernel does not tell whether a CPU quota held it back."));
}

/* Of a name that is not known JSON says nothing. */
static void json_has_only_classes(const struct summary *s)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	struct json *j = json__new(f, 0);

	json__object(j);
	report_json__preemptors(j, s);
	assert_int_equal(report_json__matrix(j, s), 0);
	json__end_object(j);
	assert_int_equal(json__close(j), 0);
	fclose(f);
	assert_non_null(strstr(text, "\"class\":\"host\",\"victim\""));
	assert_non_null(strstr(text, "\"by_class\":{\"kernel\""));
	assert_null(strstr(text, "\"comm\""));
	assert_null(strstr(text, "by_name"));
	free(text);
}

static void test_takers_by_class(void **state)
{
	struct tick t;

	(void)state;
	taken_twice();
	assert_int_equal(intervals__cut(&intervals, model, 0, &t), 0);
	assert_int_equal(t.summary->preemptors, 2);
	for (unsigned i = 0; i < 2; i++)
		t.summary->preemptor[i].task = (struct model_task){0};
	session.mode = MODE_AGGREGATES;
	assert_int_equal(top__tick(&top, &t), 0);
	intervals__next(&intervals);
	assert_true(says(" kernel\n"));
	press("g");
	assert_true(says(" kernel\n"));
	press("m");
	assert_true(says("kernel     host"));
	assert_false(says("swapper"));
	press("mgg");
	press_key(TOP_KEY_ENTER);
	assert_true(says("kernel    kernel"));
	assert_false(says("swapper"));
	json_has_only_classes(&top.sum);
}

static void test_details_of_one_that_has_gone(void **state)
{
	(void)state;
	three();
	press_key(TOP_KEY_ENTER);
	feed(rec_gone(1, 3, T0 + 150 * MS));
	tick(0);
	tick(0);
	assert_true(says("web vCPU 0")); /* its last words stay */
	press_key(TOP_KEY_ESCAPE);
	assert_int_equal(top.rows, 2);
	assert_true(says("2 vCPUs of 2 VMs"));
}

static void test_losses(void **state)
{
	(void)state;
	three();
	assert_false(says("lost"));
	tick(7);
	assert_true(says("7 records lost, 7 of them now"));
	tick(7);
	assert_true(says("7 records lost, 0 of them now"));
	top.tick.untracked = 3;
	assert_true(says("3 vCPUs do not fit"));
}

/* 3000 vCPUs with names that want to be more than that. */
static void many(void)
{
	char name[90];

	for (__u32 i = 1; i <= 3000; i++) {
		if (i % 3 == 1) {
			snprintf(name, sizeof(name), "\033[2J<b>%u\n\xff äöü 漢字 %05u", i, i);
			vm(1 + i / 3, name);
		}
		feed(rec_vcpu(i, T0, 1 + (i - 1) / 3, i % 3, 0));
		feed(rec_out(i, 1, T0 + 10 * MS + i, i % 2 ? KS_R_PREEMPTED : KS_R_SLEEPING));
	}
	tick(0);
}

static void test_any_size(void **state)
{
	static const int pages[] = {0, TOP_KEY_ENTER, 'm', 'h'};

	(void)state;
	many();
	for (unsigned p = 0; p < 4; p++) {
		for (unsigned g = 0; g < TOP_GROUPS; g++) {
			for (unsigned size = 1; size < 330; size += size < 90 ? 3 : 37) {
				term.columns = term.limit = size;
				term.rows = 1 + size % 50;
				term.utf8 = size % 2;
				term.escape = term.utf8 ? ESCAPE_TERMINAL : ESCAPE_ASCII;
				assert_null(strchr(screen(false), '\033'));
			}
			if (pages[p] == 0)
				press("g");
		}
		top.page = TOP_LIST;
		if (pages[p])
			press_key(pages[p]);
	}
}

static void test_scrolling(void **state)
{
	(void)state;
	many();
	screen(false);
	assert_true(canvas.runs < 24 * 40); /* only what is seen is laid out */
	press_key(TOP_KEY_END);
	screen(false);
	assert_int_equal(top.cursor, 2999);
	assert_int_equal(top.first + top.page_rows, 3000);
	press_key(TOP_KEY_PAGE_UP);
	screen(false);
	assert_int_equal(top.cursor, 2999 - top.page_rows);
	press_key(TOP_KEY_HOME);
	press_key(TOP_KEY_UP);
	screen(false);
	assert_int_equal(top.cursor + top.first, 0);
	press("/nothing");
	screen(false);
	press_key(TOP_KEY_END);
	press_key(TOP_KEY_ENTER);
	press_key(TOP_KEY_ENTER);
	assert_int_equal(top.page, TOP_LIST);
}

static void test_whole(void **state)
{
	unsigned lines = 0;

	(void)state;
	many();
	term.limit = UINT_MAX;
	for (const char *p = screen(true); (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 3004);
	assert_null(strstr(text, "…"));
}

/* Of a recording --once and -n begin with the first interval that has a vCPU. */
static void test_first_interval(void **state)
{
	const struct top_opts opts = {.count = 2, .plain = true, .interval_ns = 100 * MS};
	static struct sink_top out;
	struct sink sink;
	struct tick t;

	(void)state;
	session.end_ns = T0 + 1000 * MS;
	sink_top__init(&sink, &out, &opts);
	assert_int_equal(sink.begin(sink.ctx, &session, model), 0);
	for (unsigned i = 1; i <= 5; i++) {
		if (i == 4) {
			vm(1, "web");
			feed(rec_vcpu(1, T0, 1, 0, 0));
			feed(rec_out(1, 1, T0 + 310 * MS, KS_R_PREEMPTED));
		}
		assert_int_equal(intervals__cut(&intervals, model, 0, &t), 0);
		assert_int_equal(sink.tick(sink.ctx, &t), 0);
		intervals__next(&intervals);
		assert_int_equal(out.shown, i < 4 ? 0 : i - 3);
		assert_int_equal(out.any, i >= 4);
		assert_int_equal(out.stop, i == 5);
	}
	sink_top__free(&out);
}

static void test_brief(void **state)
{
	static const struct {
		__u64 ns;
		const char *text;
	} rows[] = {
		{0, "0ns"},
		{999, "999ns"},
		{1000, "1.00us"},
		{9994, "9.99us"},
		{9995, "10.0us"},
		{99949, "99.9us"},
		{99950, "100us"},
		{999499, "999us"},
		{999500, "1.00ms"},
		{1234567890, "1.23s"},
		{999500000000, "1000s"},
		{86400000000000, "86400s"},
		{~0ULL, ">1day"},
	};
	char out[16];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(top__brief(out, sizeof(out), rows[i].ns), rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_details_of_one_that_has_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_woken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takers_by_class, setup, teardown),
		cmocka_unit_test_setup_teardown(test_help_scrolls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_legend, setup, teardown),
		cmocka_unit_test_setup_teardown(test_max_at, setup, teardown),
		cmocka_unit_test_setup_teardown(test_losses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scrolling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_interval, setup, teardown),
		cmocka_unit_test(test_brief),
	};

	setenv("TZ", "UTC0", 1);
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
