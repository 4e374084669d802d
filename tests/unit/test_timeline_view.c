// SPDX-License-Identifier: BSD-2-Clause
/*
 * The timeline as it is drawn, from made-up events: in characters (UTF-8, ASCII, narrow, coloured),
 * as SVG and as JSON; names that try to break out of each; very many vCPUs.
 */
#define _GNU_SOURCE
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>
#include "axis.h"
#include "glyph.h"
#include "scene.h"
#include "sink_timeline.h"
#include "timeline_json.h"
#include "timeline_svg.h"
#include "timeline_text.h"

#define T0 SCENE_START
#define MS 1000000ULL

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;
static struct model_listener to_summary;
static struct timeline t;
static struct term term;
static const struct sink *sink; /* instead of t */

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	struct span cut;

	to_summary.span(ctx, v, s, a, task);
	if (!summary__clip(&summary, s, &cut))
		return;
	if (sink)
		assert_int_equal(sink->span(sink->ctx, v, &cut, a, task), 0);
	else
		assert_int_equal(timeline__span(&t, v, &cut, a, task), 0);
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	to_summary.absence(ctx, v, a, task);
	if (sink)
		assert_int_equal(sink->absence(sink->ctx, v, a, task), 0);
	else
		assert_int_equal(timeline__absence(&t, v, a, task), 0);
}

static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *r, const struct step *s)
{
	to_summary.event(ctx, v, r, s);
}

static void begin(enum session_mode mode, __u64 length, unsigned columns, unsigned wide)
{
	struct model_listener l = {
		.event = on_event, .span = on_span, .absence = on_absence, .ctx = &summary};

	session = scene_session(mode);
	session.end_ns = T0 + length;
	summary__init(&summary, &session, &filter, 0, session.end_ns, &to_summary);
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
	timeline__init(&t, &(struct timeline_opts){.columns = columns, .wide = wide});
	timeline__begin(&t, T0, session.end_ns);
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

static void finish(__u64 lost)
{
	model__end(model, session.end_ns);
	assert_int_equal(summary__finish(&summary, model, lost), 0);
	assert_int_equal(timeline__finish(&t, &summary), 0);
}

static int teardown(void **state)
{
	(void)state;
	timeline__free(&t);
	summary__free(&summary);
	model__free(model);
	model = NULL;
	return 0;
}

static union rec on_cpu_0(union rec r)
{
	if (r.h.type == KS_OUT)
		r.out.cpu = 0;
	else
		r.in.cpu = 0;
	return r;
}

/* A second. web: vCPU 0 is preempted for 300 ms by hog, and for 2 ms; vCPU 1 halts for 600 ms, of
 * which it waits 250, and sleeps; db's vCPU 0 is in user space, its records are lost from 300 to
 * 500, and it begins to wait and has not stopped; db's vCPU 1 is not there before 700. web's vCPU 0
 * is on CPU 0, the others are on CPU 1. */
static void play(const char *web, const char *db, const char *hog, unsigned columns, unsigned wide)
{
	union rec r;

	begin(MODE_DEFAULT, 1000 * MS, columns, wide);
	vm(1, web);
	vm(2, db);
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_vcpu(2, T0, 1, 1, 0));
	feed(rec_vcpu(3, T0, 2, 0, 0));
	feed(rec_task(7, T0, KS_K_HOST, hog, 0, 0));
	feed(rec_task(102, T0, KS_K_VCPU, "CPU 1/KVM", 1, 2));
	feed(on_cpu_0(rec_out(1, 1, T0 + 100 * MS, KS_R_PREEMPTED)));
	feed(rec_load(KS_PUT, 3, 1, T0 + 100 * MS));
	feed(rec_out(2, 1, T0 + 200 * MS, KS_R_HALTED));
	feed(rec_load(KS_LOAD, 3, 2, T0 + 300 * MS));
	feed(on_cpu_0(rec_in(1, 2, T0 + 400 * MS, 0)));
	feed(rec_load(KS_LOAD, 3, 9, T0 + 500 * MS));
	r = rec_vcpu(4, T0 + 700 * MS, 2, 1, KS_M_CREATED);
	feed(r);
	feed(on_cpu_0(rec_out(1, 3, T0 + 750 * MS, KS_R_PREEMPTED)));
	feed(on_cpu_0(rec_in(1, 4, T0 + 752 * MS, 0)));
	feed(rec_in(2, 2, T0 + 800 * MS, 250 * MS));
	r = rec_out(3, 10, T0 + 850 * MS, KS_R_PREEMPTED);
	r.out.h.what = KS_BY_OTHER_VM;
	r.out.next_tid = 102;
	r.out.next_vm = 1;
	feed(r);
	feed(rec_out(2, 3, T0 + 900 * MS, KS_R_SLEEPING));
	feed(rec_in(2, 4, T0 + 950 * MS, 0));
	finish(6);
}

/* ---- characters --------------------------------------------------------------------------- */

static char *text(void)
{
	static char out[65536];
	FILE *f = fmemopen(out, sizeof(out), "w");

	assert_non_null(f);
	assert_int_equal(timeline_text__print(f, &t, &summary, &term), 0);
	assert_int_equal(fclose(f), 0);
	return out;
}

static void be(bool utf8, bool color, unsigned columns, unsigned limit)
{
	term = (struct term){.utf8 = utf8,
			     .color = color,
			     .columns = columns,
			     .limit = limit,
			     .escape = utf8 ? ESCAPE_TERMINAL : ESCAPE_ASCII};
}

/* From the line behind the head on: the head has wall-clock times. */
static const char *body(const char *s)
{
	const char *at = strstr(s, "\n\n");

	assert_non_null(at);
	return at + 2;
}

static void test_utf8(void **state)
{
	(void)state;
	be(true, false, 80, ~0U);
	play("web", "db", "hog", timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	assert_string_equal(
		body(text()),
		"        s 0.0      0.2      0.4       0.6      0.8        run delay      longest\n"
		"          ┬────────┬────────┬─────────┬────────┬─────────\n"
		"db  preempted for 150.000 ms, first taken by web 100.0%  15.4% of the time is not known\n"
		"vCPU 0    ━━━━━─────────\?\?\?\?\?\?\?\?\?\?━━━━━━━━━━━━━━━▁███3███    ≥15.0%  ≥150.000 ms\n"
		"vCPU 1                                    ───────────────      0.0%         none\n"
		"web  preempted for 302.000 ms, first taken by hog 100.0%\n"
		"vCPU 0    ━━━━▂███ 1 hog ███▆━━━━━━━━━━━━━━━━▁━━━━━━━━━━━     30.2%   300.000 ms\n"
		"vCPU 1    ━━━━━━━━━:···············wwwwww2wwwwww━━━━≈~≈━━     25.0%   250.000 ms\n"
		"\n"
		"▂▅█ preempted  w woken, waits  ━ running  ─ user  · halted  : mostly halted  ~ sleeping  ≈ mostly sleeping  ? unknown  blank: absent\n"
		"\n"
		"longest run delays  6.1% of the time is not known\n"
		"1  web vCPU 0  waited 300.000 ms  from 0.100000 s  preempted, CPU first taken by host hog[7]\n"
		"2  web vCPU 1  waited 250.000 ms  from 0.550000 s  woken after it was halted, while db vCPU 0 had CPU 1 for 250.000 ms\n"
		"3  db vCPU 0  waited 150.000 ms, still going on at the end  from 0.850000 s  preempted by other_vm CPU 1/KVM[102] of web vCPU 1, which had CPU 1 for 100.000 ms\n");
}

static void test_ascii(void **state)
{
	(void)state;
	be(false, false, 60, ~0U);
	play("web", "db", "hog", timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	assert_string_equal(
		body(text()),
		"        s 0.0  0.2  0.4   0.6  0.8    run delay      longest\n"
		"          +----+----+-----+----+-----\n"
		"db  preempted for 150.000 ms, first taken by web 100.0%  15.4% of the time is not known\n"
		"vCPU 0    ===uuuuu\?\?\?\?\?\?========+#3##   >=15.0% >=150.000 ms\n"
		"vCPU 1                      uuuuuuuuu      0.0%         none\n"
		"web  preempted for 302.000 ms, first taken by hog 100.0%\n"
		"vCPU 0    ==+#1 hog##=========+======     30.2%   300.000 ms\n"
		"vCPU 1    =====:........wwww2www==%%=     25.0%   250.000 ms\n"
		"\n"
		"# preempted  + preempted in part  w woken, waits  = running  u user  . halted  : mostly halted  % mostly sleeping  \? unknown  blank: absent\n"
		"\n"
		"longest run delays  6.1% of the time is not known\n"
		"1  web vCPU 0  waited 300.000 ms  from 0.100000 s  preempted, CPU first taken by host hog[7]\n"
		"2  web vCPU 1  waited 250.000 ms  from 0.550000 s  woken after it was halted, while db vCPU 0 had CPU 1 for 250.000 ms\n"
		"3  db vCPU 0  waited 150.000 ms, still going on at the end  from 0.850000 s  preempted by other_vm CPU 1/KVM[102] of web vCPU 1, which had CPU 1 for 100.000 ms\n");
}

/* Waits so near to each other that their numbers would touch, or fall on one column. */
static void test_near_marks(void **state)
{
	static const unsigned at[][3] = {{500, 515, 940}, {500, 505, 510}, {960, 975, 990}};
	unsigned seen;
	const char *s;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		be(false, false, 80, ~0U);
		begin(MODE_DEFAULT, 1000 * MS, timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
		vm(1, "web");
		feed(rec_vcpu(1, T0, 1, 0, 0));
		feed(rec_task(7, T0, KS_K_HOST, "hog", 0, 0));
		for (unsigned k = 0; k < 3; k++) {
			feed(rec_out(1, 1 + 2 * k, T0 + at[i][k] * MS, KS_R_PREEMPTED));
			feed(rec_in(1, 2 + 2 * k, T0 + (at[i][k] + 4) * MS - k * 1000000, 0));
		}
		finish(0);
		s = strstr(body(text()), "vCPU 0");
		assert_non_null(s);
		seen = 0;
		for (const char *c = s + strlen("vCPU 0    "); *c != '.'; c++)
			if (*c >= '1' && *c <= '3' && c < s + 57) {
				seen |= 1 << (*c - '1');
				if (c[1] >= '1' && c[1] <= '3')
					fail_msg("they touch: %.60s", s);
			}
		if (seen != 7)
			fail_msg("one is missing: %.60s", s);
		teardown(NULL);
	}
}

static void test_narrow(void **state)
{
	(void)state;
	be(true, false, 20, 20);
	play("web", "db", "hog", timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	assert_string_equal(text(), "testhost\n"
				    "6.12.0-test\n"
				    "from\n"
				    "2023-11-14T22:13:21.123+00:00\n"
				    "4 vCPUs over 1.000 s\n"
				    "66.667 ms a column\n"
				    "6 records lost\n"
				    "\n"
				    "   s 0.0    0.5     \n"
				    "     ┬──────┬───────\n"
				    "db\n"
				    "preempted for\n"
				    "150.000 ms, first\n"
				    "taken by web 100.0%\n"
				    "15.4% of the time is\n"
				    "not known\n"
				    "   0 ━───\?\?\?\?━━━━▂3█\n"
				    "   delay ≥15.0%\n"
				    "   max ≥150.000 ms\n"
				    "   1           ─────\n"
				    "web\n"
				    "preempted for\n"
				    "302.000 ms, first\n"
				    "taken by hog 100.0%\n"
				    "   0 ━▄█1█▇━━━━━▁━━━\n"
				    "   delay 30.2%\n"
				    "   max 300.000 ms\n"
				    "   1 ━━╍·····ww2w━≈╍\n"
				    "   delay 25.0%\n"
				    "   max 250.000 ms\n"
				    "\n"
				    "▂▅█ preempted\n"
				    "w woken, waits\n"
				    "━ running\n"
				    "╍ mostly running\n"
				    "─ user  · halted\n"
				    "≈ mostly sleeping\n"
				    "? unknown\n"
				    "blank: absent\n"
				    "\n"
				    "longest run delays\n"
				    "6.1% of the time is\n"
				    "not known\n"
				    "1  web vCPU 0\n"
				    "waited 300.000 ms\n"
				    "from 0.100000 s\n"
				    "preempted, CPU first\n"
				    "taken by host hog[7]\n"
				    "2  web vCPU 1\n"
				    "waited 250.000 ms\n"
				    "from 0.550000 s\n"
				    "woken after it was\n"
				    "halted, while db\n"
				    "vCPU 0 had CPU 1 for\n"
				    "250.000 ms\n"
				    "3  db vCPU 0\n"
				    "waited 150.000 ms,\n"
				    "still going on at\n"
				    "the end\n"
				    "from 0.850000 s\n"
				    "preempted by\n"
				    "other_vm CPU\n"
				    "1/KVM[102] of web\n"
				    "vCPU 1, which had\n"
				    "CPU 1 for 100.000 ms\n");
}

/* Of signs colours change nothing; and every pen that is taken up is put down. */
static void test_color(void **state)
{
	char plain[16384], *to = plain;
	unsigned on = 0, off = 0;
	const char *colored;

	(void)state;
	be(false, true, 80, 80);
	play("web", "db", "hog", timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	colored = text();
	assert_non_null(strstr(colored, "\033[0;31m#"));
	assert_non_null(strstr(colored, "\033[0;1;7m1\033[0m\033[0;1;37;41m hog"));
	for (const char *s = colored; *s; s++) {
		if (*s != '\033') {
			*to++ = *s;
			continue;
		}
		if (!strncmp(s, "\033[0m", 4))
			off++;
		else
			on++;
		s = strchr(s, 'm');
	}
	*to = '\0';
	assert_int_equal(on, off);
	be(false, false, 80, 80);
	assert_string_equal(plain, text());
}

/* Every line of a strip ends at the same column, whatever the names. */
static void assert_aligned(const char *s, unsigned columns)
{
	char line[4096];
	unsigned rows = 0;

	for (; *s; s = strchr(s, '\n') + 1) {
		size_t n = strcspn(s, "\n");

		memcpy(line, s, n);
		line[n] = '\0';
		if (strncmp(line, "vCPU ", 5))
			continue;
		assert_int_equal(escape__width(line), columns);
		rows++;
	}
	assert_int_equal(rows, 4);
}

static void test_evil_text(void **state)
{
	static const char *const evil[] = {"\033[31m\033]0;x\007", "a\"b'<script>&amp;",
					   "…\xff\xfe\x80", "日本語日本語日本語",
					   "e\xcc\x81\xcc\x81\xcc\x81x\xe2\x80\xae"};
	char name[301];

	(void)state;
	memset(name, 'n', 300);
	name[300] = '\0';
	for (unsigned i = 0; i < 6; i++) {
		const char *n = i < 5 ? evil[i] : name;

		for (int utf8 = 0; utf8 < 2; utf8++) {
			be(utf8, false, 90, ~0U);
			play(n, "db", n, timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
			assert_null(strchr(text(), '\033'));
			assert_null(strchr(text(), '\007'));
			assert_aligned(text(), 90);
			teardown(NULL);
		}
	}
}

/* Of a name that is too long the middle goes: what tells vCPUs apart stays. */
static void test_long_names(void **state)
{
	static const unsigned widths[] = {20, 40, 80, 130};
	char name[96];

	(void)state;
	memset(name, 'n', 85);
	strcpy(name + 85, "-eleven-07");
	for (unsigned i = 0; i < 4; i++) {
		be(i % 2, false, widths[i], widths[i]);
		term.tty = true;
		play(name, "db", "hog", timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
		for (const char *s = strstr(text(), "\n1  "); s && *s; s += strcspn(s, "\n")) {
			char line[1024];

			s++;
			snprintf(line, sizeof(line), "%.*s", (int)strcspn(s, "\n"), s);
			assert_in_range(escape__width(line), 0, widths[i]);
		}
		assert_non_null(strstr(text(), i ? "07 vCPU 0" : " vCPU 0"));
		teardown(NULL);
	}
}

static void test_light(void **state)
{
	(void)state;
	be(true, false, 60, ~0U);
	begin(MODE_LIGHT, 10 * MS, timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_out(1, 1, T0 + 2 * MS, KS_R_PREEMPTED));
	feed(rec_in(1, 2, T0 + 3 * MS, 0));
	finish(0);
	assert_non_null(strstr(text(), "═══"));
	assert_non_null(strstr(text(), "═ on_or_user"));
	assert_non_null(strstr(text(), "1  web vCPU 0  waited 1.000 ms"));
}

static void test_quota(void **state)
{
	union rec r;

	(void)state;
	be(true, false, 60, ~0U);
	begin(MODE_DEFAULT, 10 * MS, timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	r = rec_out(1, 1, T0 + 2 * MS, KS_R_PREEMPTED);
	r.out.h.what = KS_BY_QUOTA;
	feed(r);
	feed(rec_in(1, 2, T0 + 7 * MS, 0));
	finish(0);
	assert_non_null(strstr(text(), "█ 1 quota █"));
	assert_non_null(strstr(text(), "web  preempted for 5.000 ms, first taken by quota 100.0%"));
	assert_non_null(strstr(text(), "from 0.002000 s  its cgroup's CPU quota was used up\n"));
}

/* One vCPU that never did anything; no vCPU; a window of 1 ns. */
static void test_little(void **state)
{
	(void)state;
	be(true, false, 60, ~0U);
	begin(MODE_DEFAULT, 10 * MS, timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	feed(rec_vcpu(1, T0, 1, -1, 0));
	finish(0);
	assert_non_null(strstr(text(), "vCPU ?    \?\?\?\?"));
	assert_non_null(strstr(text(), "\?         -            -\n"));
	assert_non_null(strstr(text(), "whether a vCPU waited for a CPU is not known\n"));
	teardown(NULL);
	begin(MODE_DEFAULT, 10 * MS, timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	finish(0);
	assert_non_null(strstr(text(), "0 vCPUs over 10.000 ms"));
	teardown(NULL);
	begin(MODE_DEFAULT, 1, timeline_text__columns(&term), TIMELINE_TEXT_WIDE);
	feed(rec_vcpu(1, T0, 1, 0, 0));
	finish(0);
	assert_non_null(strstr(text(), "1 vCPU over 1 ns  1 ns a column"));
}

static const char *draw(struct timeline_column c)
{
	static struct glyph g;
	struct glyphs all;

	glyphs__init(&all, &term);
	g = glyphs__draw(&all, &c);
	return g.text;
}

#define COLUMN(...) ((struct timeline_column){.ns = {__VA_ARGS__}})

/* Preemption is never hidden, loss is not by what is calm, absences are not by running. */
static void test_signs(void **state)
{
	struct timeline_column woken = COLUMN([ST_RUNNING] = 50, [ST_HALTED] = 50);

	(void)state;
	be(true, false, 80, 80);
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 99)), "━");
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 99, [ST_USER] = 98)), "━");
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 98, [ST_USER] = 99)), "─");
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 99999, [ST_HALTED] = 1)), "╍");
	assert_string_equal(draw(COLUMN([ST_HALTED] = 99999, [ST_RUNNING] = 1)), ":");
	assert_string_equal(draw(COLUMN([ST_HALTED] = 2, [ST_SLEEPING] = 3)), "~");
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 99999, [ST_PREEMPTED] = 1)), "▁");
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 1, [ST_PREEMPTED] = 99999)), "▇");
	assert_string_equal(draw(COLUMN([ST_PREEMPTED] = 3)), "█");
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 99999, [ST_UNKNOWN] = 1)), "?");
	assert_string_equal(draw(COLUMN([ST_PREEMPTED] = 99999, [ST_UNKNOWN] = 1)), "‼");
	assert_string_equal(draw(COLUMN([ST_ABSENT] = 99999, [ST_USER] = 1)), "─");
	assert_string_equal(draw(COLUMN([ST_ELSEWHERE] = 99999, [ST_USER] = 1)), "─");
	assert_string_equal(draw(COLUMN([ST_ELSEWHERE] = 1, [ST_ABSENT] = 9)), "×");
	assert_string_equal(draw(COLUMN(0)), " ");
	woken.woken_ns = 12;
	assert_string_equal(draw(woken), "╍");
	woken.woken_ns = 13;
	assert_string_equal(draw(woken), "w");
	be(false, false, 80, 80);
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 50, [ST_PREEMPTED] = 50)), "#");
	assert_string_equal(draw(COLUMN([ST_RUNNING] = 51, [ST_PREEMPTED] = 50)), "+");
}

static void assert_pile(struct timeline_column c, const char *text, unsigned fg, unsigned bg)
{
	struct glyphs all;
	struct glyph g;

	glyphs__init(&all, &term);
	g = glyphs__draw(&all, &c);
	assert_string_equal(g.text, text);
	assert_int_equal(g.pen.fg, fg);
	assert_int_equal(g.pen.bg, bg);
}

/* With colours a column has the two states that matter most, and waits are always one of them. */
static void test_piles(void **state)
{
	enum { OWN, BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };
	struct timeline_column woken = COLUMN([ST_RUNNING] = 50, [ST_HALTED] = 50);

	(void)state;
	be(true, true, 80, 80);
	assert_pile(COLUMN([ST_RUNNING] = 99), "█", BLUE, OWN);
	assert_pile(COLUMN([ST_RUNNING] = 50, [ST_PREEMPTED] = 50), "▄", RED, BLUE);
	assert_pile(COLUMN([ST_RUNNING] = 99999, [ST_PREEMPTED] = 1), "▁", RED, BLUE);
	assert_pile(COLUMN([ST_RUNNING] = 1, [ST_PREEMPTED] = 99999), "▇", RED, BLUE);
	assert_pile(COLUMN([ST_PREEMPTED] = 3), "█", RED, OWN);
	assert_pile(COLUMN([ST_RUNNING] = 25, [ST_HALTED] = 75), "▂", BLUE, OWN);
	assert_pile(COLUMN([ST_USER] = 75, [ST_RUNNING] = 25), "▂", BLUE, CYAN);
	assert_pile(COLUMN([ST_USER] = 60, [ST_SLEEPING] = 39, [ST_RUNNING] = 1), "▄", CYAN, GREEN);
	assert_pile(COLUMN([ST_HALTED] = 3), "·", OWN, OWN);
	assert_pile(COLUMN([ST_HALTED] = 60, [ST_ELSEWHERE] = 40), "·", OWN, OWN);
	assert_pile(COLUMN([ST_RUNNING] = 99999, [ST_UNKNOWN] = 1), "?", WHITE, MAGENTA);
	assert_pile(COLUMN([ST_RUNNING] = 99998, [ST_PREEMPTED] = 1, [ST_UNKNOWN] = 1), "▁", RED,
		    MAGENTA);
	assert_pile(COLUMN(0), " ", OWN, OWN);
	woken.woken_ns = 25;
	assert_pile(woken, "▂", YELLOW, BLUE);
	woken.ns[ST_PREEMPTED] = 100;
	assert_pile(woken, "▅", RED, BLUE);
}

/* The legend has what was drawn and nothing else, and its signs are all different. */
static void test_legend(void **state)
{
	struct timeline_column c = COLUMN([ST_RUNNING] = 99);
	struct glyphs all = {.term = &term};
	char seen[SIGN_CNT + 1][12];
	const char *words;
	struct glyph g;

	(void)state;
	be(true, true, 80, 80);
	glyphs__init(&all, &term);
	glyphs__draw(&all, &c);
	assert_true(glyphs__legend(&all, &(unsigned){0}, &g, &words));
	assert_string_equal(words, "running");
	assert_false(glyphs__legend(&all, &(unsigned){SIGN_RUNNING + 1}, &g, &words));
	for (int utf8 = 0; utf8 < 2; utf8++) {
		unsigned n = 0;

		be(utf8, false, 80, 80);
		glyphs__init(&all, &term);
		for (int i = 0; i < SIGN_CNT; i++) /* never both in one trace */
			all.used[i] = i != SIGN_ON_OR_USER && i != SIGN_ON_OR_USER_MOSTLY;
		for (unsigned at = 0; glyphs__legend(&all, &at, &g, &words); n++) {
			strcpy(seen[n], g.text);
			for (unsigned k = 0; k < n; k++)
				assert_string_not_equal(seen[n], seen[k]);
		}
		assert_int_equal(n, SIGN_CNT - 2);
	}
}

/* Live, nobody knows how long it will take: most columns are used all the same. */
static void test_live(void **state)
{
	FILE *f = tmpfile();
	int out = dup(STDOUT_FILENO);

	(void)state;
	for (__u64 length = 1 * MS; length < 100000 * MS; length = length * 7 / 3) {
		struct sink_timeline st;
		struct sink made;
		unsigned columns = 0;
		char line[1024];

		begin(MODE_DEFAULT, length, 1, 0);
		sink_timeline__init(&made, &st, &(struct timeline_show){.width = 119});
		assert_int_equal(made.window(made.ctx, T0, ~0ULL), 0);
		sink = &made;
		vm(1, "web");
		feed(rec_vcpu(1, T0, 1, 0, 0));
		for (unsigned i = 0; i < 50; i++) {
			feed(rec_out(1, 2 * i + 1, T0 + length / 100 * (2 * i + 1), KS_R_HALTED));
			feed(rec_in(1, 2 * i + 2, T0 + length / 100 * (2 * i + 2), 0));
		}
		model__end(model, session.end_ns);
		assert_int_equal(summary__finish(&summary, model, 0), 0);
		assert_true(ftruncate(fileno(f), 0) == 0);
		rewind(f);
		fflush(stdout);
		assert_true(dup2(fileno(f), STDOUT_FILENO) >= 0);
		assert_int_equal(made.end(made.ctx, &summary), 0);
		fflush(stdout);
		assert_true(dup2(out, STDOUT_FILENO) >= 0);
		rewind(f);
		while (fgets(line, sizeof(line), f))
			if (!strncmp(line, "vCPU 0", 6))
				columns = escape__width(line) - 1 - 10 - 23;
		assert_in_range(columns, 87 * 4 / 5, 87);
		sink = NULL;
		teardown(NULL);
	}
	close(out);
	fclose(f);
}

/* ---- SVG ---------------------------------------------------------------------------------- */

static char *svg;

static const char *picture(unsigned width)
{
	size_t size;
	FILE *f;

	free(svg);
	svg = NULL;
	f = open_memstream(&svg, &size);
	assert_non_null(f);
	assert_int_equal(timeline_svg__write(f, &t, &summary, width), 0);
	assert_int_equal(fclose(f), 0);
	return svg;
}

static int forget(void **state)
{
	free(svg);
	svg = NULL;
	return teardown(state);
}

static void test_long_names_svg(void **state)
{
	char name[96];

	(void)state;
	memset(name, 'n', 85);
	strcpy(name + 85, "-eleven-07");
	play(name, "db", "hog", timeline_svg__columns(0), TIMELINE_SVG_WIDE);
	assert_non_null(strstr(picture(0), "-eleven-07 vCPU 0</tspan> waited 300.000 ms"));
	assert_non_null(strstr(picture(0), "-eleven-07 vCPU 1, which had CPU 1 for 100.000 ms"));
}

static void test_svg(void **state)
{
	const char *s;

	(void)state;
	play("web", "db", "hog", timeline_svg__columns(0), TIMELINE_SVG_WIDE);
	s = picture(0);
	assert_non_null(strstr(s, "width=\"1200\""));
	assert_non_null(strstr(s, ">hog</text>"));		  /* in the absence */
	assert_non_null(strstr(s, "first taken by host hog[7]")); /* its tooltip */
	assert_non_null(strstr(
		s, "<tspan style=\"font-weight:600\">web vCPU 0</tspan> waited "
		   "300.000 ms, from 0.100000 s, preempted, CPU first taken by host hog[7]"));
	assert_non_null(
		strstr(s, "db vCPU 0</tspan> waited 150.000 ms, still going on at the end, from "
			  "0.850000 s, "
			  "preempted by other_vm CPU 1/KVM[102] of web vCPU 1, which had CPU 1 for "
			  "100.000 ms"));
	assert_non_null(strstr(s, "unknown: records lost"));
	assert_non_null(strstr(s, "sleeping in the host kernel"));
	assert_null(strstr(s, "on another CPU")); /* only what occurs has a place in the legend */
	assert_non_null(strstr(s, "6 records were lost"));
}

/* Marks of waits that are close stand side by side; a line leads from the one that had to move. */
static void test_marks(void **state)
{
	const char *s, *lead;

	(void)state;
	begin(MODE_DEFAULT, 1000 * MS, timeline_svg__columns(0), TIMELINE_SVG_WIDE);
	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	for (unsigned i = 0; i < 3; i++) {
		__u64 at = T0 + (i < 2 ? 100 + 6 * i : 500) * MS;

		feed(rec_out(1, 2 * i + 1, at, KS_R_PREEMPTED));
		feed(rec_in(1, 2 * i + 2, at + (5 - i) * MS, 0));
	}
	finish(0);
	s = picture(0);
	lead = strstr(s, "class=\"lead\"");
	assert_non_null(lead);
	assert_null(strstr(lead + 1, "class=\"lead\""));
	assert_true(lead < strstr(s, "class=\"mark\"")); /* below the marks */
}

/* All that came from outside is text: no tag, no reference, no control character. */
static void test_evil_svg(void **state)
{
	static const char evil[] = "</text><script>alert(1)</script>\033[31m\"'&lt;\xff]]>";
	const char *s;

	(void)state;
	play(evil, evil, evil, timeline_svg__columns(0), TIMELINE_SVG_WIDE);
	snprintf(session.host, sizeof(session.host), "<b>&\001");
	s = picture(0);
	assert_null(strstr(s, "<script"));
	assert_null(strstr(s, "<b>"));
	assert_null(strstr(s, "]]>"));
	assert_null(strchr(s, '\033'));
	assert_null(strchr(s, '\001'));
	assert_null(strchr(s, '\xff'));
	assert_non_null(strstr(s, "&lt;script&gt;"));
}

static void many(unsigned vcpus, unsigned columns, unsigned wide)
{
	unsigned long long seed = 1;
	__u64 now = T0;

	begin(MODE_DEFAULT, 1000 * MS, columns, wide);
	for (unsigned i = 1; i <= vcpus / 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "vm%03u", i);
		vm(i, name);
	}
	for (unsigned v = 1; v <= vcpus; v++)
		feed(rec_vcpu(v, T0, (v + 3) / 4, (v - 1) % 4, 0));
	for (unsigned i = 0; now + MS < session.end_ns; i++) {
		unsigned v = 1 + i % vcpus, seq = 1 + i / vcpus;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		now += 1 + (seed >> 33) % 2000;
		if (seq % 2)
			feed(rec_out(v, seq, now, seed >> 40 & 1 ? KS_R_PREEMPTED : KS_R_HALTED));
		else
			feed(rec_in(v, seq, now, seed >> 41 & 65535));
	}
	finish(0);
}

/* Some MB, however much there is; TIMELINE_SVG=FILE keeps the picture, to look at. */
static void test_many(void **state)
{
	const char *keep = getenv("TIMELINE_SVG");

	(void)state;
	for (unsigned vcpus = 200; vcpus <= 3200; vcpus *= 16) {
		many(vcpus, timeline_svg__columns(0), TIMELINE_SVG_WIDE);
		assert_in_range(strlen(picture(0)), 100000, 8000000);
		if (keep && vcpus == 200) {
			FILE *f = fopen(keep, "w");

			assert_non_null(f);
			fputs(svg, f);
			fclose(f);
		}
		teardown(NULL);
	}
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void test_json(void **state)
{
	char out[16384] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	(void)state;
	play("w\"eb", "db", "hog", 4, 1);
	assert_int_equal(timeline_json__write(f, &t, &summary), 0);
	fclose(f);
	assert_non_null(strstr(out, "\"columns\":4,\"column_ns\":250000000"));
	assert_non_null(strstr(out, "\"vm\":\"w\\\"eb\",\"vm_pid\":10,\"vcpu\":0,\"tid\":101"));
	assert_non_null(strstr(out, "\"running_ns\":[100000000,100000000,250000000,248000000]"));
	assert_non_null(strstr(out, "\"preempted_ns\":[150000000,150000000,0,2000000]"));
	assert_non_null(strstr(out, "\"woken_ns\":[0,0,200000000,50000000]"));
	assert_non_null(strstr(out, "\"unknown_ns\":[0,200000000,0,0]"));
	assert_non_null(strstr(out, "\"absent_ns\":[250000000,250000000,200000000,0]"));
	assert_null(strstr(out, "elsewhere_ns"));
	assert_non_null(strstr(out, "\"meanwhile\":{\"cpu\":1,\"whole\":true,\"vcpus\":[{\"vm\":"
				    "\"db\",\"vm_pid\":20,\"vcpu\":0,\"tid\":103,\"ran_ns\":"
				    "250000000}]}"));
	assert_non_null(strstr(out, "\"known_ns\":800000000,\"run_delay_ns\":150000000,"));
	assert_non_null(strstr(out,
			       "\"worst\":[{\"vm\":\"w\\\"eb\",\"vm_pid\":10,\"vcpu\":0,\"tid\":"
			       "101,\"state\":\"preempted\",\"reason\":\"preempted\","));
}

/* Of which nothing is known: no measure, and nothing that reads as if all were well. */
static void test_nothing_known(void **state)
{
	char out[16384] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");
	const char *s;

	(void)state;
	be(true, false, 80, ~0U);
	begin(MODE_DEFAULT, 10 * MS, timeline_text__columns(&term), 1);
	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_snap(1, 99, T0 + 9 * MS, KS_M_END, 0)); /* all its records were lost */
	finish(99);
	assert_int_equal(t.known.how, KNOWN_NOTHING);
	assert_int_equal(t.row[0].known.how, KNOWN_NOTHING);
	s = text();
	assert_non_null(strstr(s, "web  nothing is known of it\n"));
	assert_non_null(strstr(s, "\?\?         -            -\n"));
	assert_null(strstr(s, "0.0%"));
	assert_null(strstr(s, "no vCPU"));
	s = picture(0);
	assert_non_null(strstr(s, ">Whether a vCPU waited for a CPU is not known"));
	assert_non_null(strstr(s, "nothing is known of it"));
	assert_null(strstr(s, ">0.0%"));
	assert_int_equal(timeline_json__write(f, &t, &summary), 0);
	fclose(f);
	assert_non_null(strstr(out, "\"known_ns\":0,"));
	assert_null(strstr(out, "\"run_delay_ns\""));
	assert_null(strstr(out, "\"worst\""));
}

/* Half of the vCPUs: what is said of all is a lower bound, and says so. */
static void test_part_known(void **state)
{
	const char *s;

	(void)state;
	be(true, false, 80, ~0U);
	begin(MODE_DEFAULT, 10 * MS, timeline_text__columns(&term), 1);
	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_vcpu(2, T0, 1, 1, 0));
	feed(rec_snap(1, 99, T0 + 9 * MS, KS_M_END, 0));
	feed(rec_load(KS_PUT, 2, 1, T0 + 5 * MS));
	finish(99);
	assert_int_equal(t.known.how, KNOWN_PART);
	s = text();
	assert_non_null(strstr(s, "web  50.0% of the time is not known\n"));
	assert_non_null(strstr(s, "      0.0%         none\n"));
	assert_non_null(strstr(s, "no vCPU is known to have waited for a CPU\n"));
	assert_non_null(strstr(picture(0), "50.0% of the time is not known"));
}

/* A kernel that does not tell how long blocked vCPUs waited. */
static void test_blind(void **state)
{
	union rec r = rec_in(1, 2, T0 + 6 * MS, 0);

	(void)state;
	be(true, false, 80, ~0U);
	begin(MODE_DEFAULT, 10 * MS, timeline_text__columns(&term), 1);
	session.fields &= ~KS_M_RUN_DELAY;
	vm(1, "web");
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_out(1, 1, T0 + 2 * MS, KS_R_HALTED));
	r.h.mask &= ~KS_M_RUN_DELAY;
	feed(r);
	finish(0);
	assert_int_equal(t.row[0].known.how, KNOWN_NOTHING);
	assert_non_null(strstr(text(), "web  how long it waited when woken is not known\n"));
	assert_null(strstr(text(), "0.0%"));
}

/* ---- the axis ----------------------------------------------------------------------------- */

static const char *ticks(__u64 from, __u64 to, unsigned chars)
{
	static char out[512];
	struct axis a;
	char label[AXIS_LEN];

	axis__init(&a, from, to, chars);
	snprintf(out, sizeof(out), "%s:", axis__unit(&a));
	for (__u64 ns = axis__first(&a); ns <= to; ns += a.step_ns) {
		strcat(out, " ");
		strcat(out, axis__label(&a, ns, label));
	}
	return out;
}

static void test_axis(void **state)
{
	char moment[AXIS_LEN];
	struct axis a;

	(void)state;
	assert_string_equal(ticks(0, 1000 * MS, 40), "s: 0.0 0.2 0.4 0.6 0.8 1.0");
	assert_string_equal(ticks(0, 10 * MS, 40), "ms: 0 1 2 3 4 5 6 7 8 9 10");
	assert_string_equal(ticks(0, 999, 40), "ns: 0 200 400 600 800");
	assert_string_equal(ticks(1320 * MS, 1330 * MS, 50),
			    "s: 1.320 1.322 1.324 1.326 1.328 1.330");
	assert_string_equal(ticks(7 * MS, 45000 * MS, 40), "s: 5 10 15 20 25 30 35 40 45");
	assert_string_equal(ticks(0, 3600000 * MS, 60),
			    "h:m:s: 0:00:00 0:10:00 0:20:00 0:30:00 0:40:00 0:50:00 1:00:00");
	assert_string_equal(ticks(60500 * MS, 240000 * MS, 30), "m:s: 2:00 3:00 4:00");
	assert_string_equal(ticks(5, 6, 10), "ns: 5 6");
	assert_string_equal(ticks(5, 5, 1), "ns: 5");
	axis__init(&a, 0, 3600000 * MS, 60);
	assert_string_equal(axis__moment(&a, 754123456789ULL, moment), "754.123456 s (0:12:34.1)");
	for (__u64 to = 1; to < 1ULL << 62; to = to * 3 + 1) /* no label runs into the next */
		for (unsigned chars = 8; chars < 300; chars += 7) {
			axis__init(&a, to / 7, to, chars);
			assert_true(a.step_ns > 0);
			if ((to - to / 7) / a.step_ns > 1)
				assert_true((double)a.step_ns / (to - to / 7) * chars >=
					    strlen(axis__label(&a, to, moment)) + 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_utf8, teardown),
		cmocka_unit_test_teardown(test_ascii, teardown),
		cmocka_unit_test(test_near_marks),
		cmocka_unit_test_teardown(test_narrow, teardown),
		cmocka_unit_test_teardown(test_color, teardown),
		cmocka_unit_test(test_evil_text),
		cmocka_unit_test_teardown(test_long_names, teardown),
		cmocka_unit_test_teardown(test_long_names_svg, forget),
		cmocka_unit_test_teardown(test_light, teardown),
		cmocka_unit_test_teardown(test_quota, teardown),
		cmocka_unit_test_teardown(test_little, teardown),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_piles),
		cmocka_unit_test(test_legend),
		cmocka_unit_test(test_live),
		cmocka_unit_test_teardown(test_svg, forget),
		cmocka_unit_test_teardown(test_marks, forget),
		cmocka_unit_test_teardown(test_evil_svg, forget),
		cmocka_unit_test_teardown(test_many, forget),
		cmocka_unit_test_teardown(test_json, teardown),
		cmocka_unit_test_teardown(test_nothing_known, forget),
		cmocka_unit_test_teardown(test_part_known, forget),
		cmocka_unit_test_teardown(test_blind, teardown),
		cmocka_unit_test(test_axis),
	};

	setenv("TZ", "UTC", 1); /* the head has wall-clock times */
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
