// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page as a file: packed spans taken apart again add up to the summary and are the absences
 * that came; the parts stand in their order, name no address and cannot be broken out of; a full
 * disk is told. What the page does is in tests/check-html.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "base64.h"
#include "export.h"
#include "html_json.h"
#include "html_spans.h"
#include "html_tasks.h"
#include "listen.h"
#include "scene.h"

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;
static struct model_listener to_summary;
static struct sink sink;
static struct export_out out;
static char *text;
static size_t text_len;
static unsigned came; /* absences that have a length */
static __u64 came_ns, came_delay_ns;

/* ---- a scene through the sink ------------------------------------------------------------- */

static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *r, const struct step *s)
{
	to_summary.event(to_summary.ctx, v, r, s);
	assert_int_equal(sink.event(ctx, v, r, true), 0);
}

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	struct span cut;

	to_summary.span(to_summary.ctx, v, s, a, task);
	if (summary__clip(&summary, s, &cut))
		assert_int_equal(sink.span(ctx, v, &cut, a, task), 0);
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	to_summary.absence(to_summary.ctx, v, a, task);
	if (a->to <= summary.from_ns || a->from >= summary.to_ns)
		return;
	assert_int_equal(sink.absence(ctx, v, a, task), 0);
	if (a->to == a->from)
		return;
	came++;
	came_ns += a->to - a->from;
	came_delay_ns += a->has_run_delay ? a->run_delay_ns : 0;
}

static int on_record(void *ctx, const struct ks_head *r, unsigned stream)
{
	(void)ctx, (void)stream;
	return model__record(model, r);
}

/* seed 0: nothing happens. 0 or what the sink's end says. */
static int play(enum session_mode mode, unsigned long long seed, unsigned records, __u64 from,
		__u64 to)
{
	struct scene s = {.mode = mode, .seed = seed, .fn = on_record};
	struct model_listener l;
	int err;

	came = came_ns = came_delay_ns = 0;
	session = scene_session(mode);
	summary__init(&summary, &session, &filter, from, to, &to_summary);
	assert_int_equal(sink_html__new(&sink, &out), 0);
	l = (struct model_listener){
		.event = on_event, .span = on_span, .absence = on_absence, .ctx = sink.ctx};
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
	assert_int_equal(sink.window(sink.ctx, summary.from_ns, to), 0);
	err = sink.begin(sink.ctx, &session, model);
	if (seed)
		assert_int_equal(scene_play(&s, records), 0);
	session.end_ns = seed ? s.now : SCENE_START + 1;
	if (summary.to_ns > session.end_ns)
		summary.to_ns = session.end_ns;
	model__end(model, session.end_ns);
	assert_int_equal(summary__finish(&summary, model, 0), 0);
	return err ?: sink.end(sink.ctx, &summary);
}

static void made(enum session_mode mode, unsigned long long seed, unsigned records, __u64 from,
		 __u64 to)
{
	out = (struct export_out){.f = open_memstream(&text, &text_len)};
	assert_int_equal(play(mode, seed, records, from, to), 0);
	assert_true(out.done);
	fclose(out.f);
}

static int teardown(void **state)
{
	(void)state;
	sink_html__free(sink.ctx);
	sink.ctx = NULL;
	summary__free(&summary);
	model__free(model);
	model = NULL;
	free(text);
	text = NULL;
	return 0;
}

/* ---- unpacking, as user/html/data.js does it ---------------------------------------------- */

struct unpacked {
	__u64 at, state_ns[ST_CNT];
	unsigned spans;
} unpacked[SCENE_VCPUS + 1];
static unsigned absences;
static __u64 absence_ns, delay_ns;

static __u64 number(const __u8 **p)
{
	__u64 n = 0;
	unsigned shift = 0;

	for (;; shift += 7) {
		n |= (__u64)(**p & 127) << shift;
		if (!(*(*p)++ & 128))
			return n;
	}
}

static void unpack_absence(const __u8 **p, __u8 head, __u64 length)
{
	__u8 how = *(*p)++, rare = 0;
	__u64 delay = 0;

	if (how & 7)
		assert_in_range(number(p), 0, SCENE_VCPUS);
	if ((how & HTML_HOW_DELAY) && !(how & HTML_HOW_ALL))
		delay = number(p);
	if (head & HTML_SPAN_RARE)
		rare = *(*p)++;
	length += rare & HTML_RARE_BEFORE ? number(p) : 0;
	length += rare & HTML_RARE_AFTER ? number(p) : 0;
	if (rare & HTML_RARE_OUT)
		assert_in_range(number(p), 0, 3);
	absences++;
	absence_ns += length;
	delay_ns += how & HTML_HOW_ALL ? length : delay;
}

static void unpack(struct unpacked *u, const __u8 *p, const __u8 *end)
{
	for (; p < end; u->spans++) {
		__u8 head = *p++;
		enum state state = head & 15;
		__u64 length;

		assert_in_range(state, 0, ST_CNT - 1);
		if (!u->spans)
			u->at = number(&p);
		length = number(&p);
		u->at += length;
		u->state_ns[state] += length;
		if (head & HTML_SPAN_CPU)
			assert_in_range(number(&p), 0, 3);
		if (state >= ST_PREEMPTED && state <= ST_SLEEPING) {
			unpack_absence(&p, head, length);
		} else if (head & HTML_SPAN_USER) {
			__u64 user = number(&p);

			u->state_ns[state] -= user;
			u->state_ns[ST_USER] += user;
		}
	}
	assert_ptr_equal(p, end);
}

static int digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(digits, c);

	assert_non_null(at);
	return at - digits;
}

static size_t from_base64(const char *s, size_t len, __u8 *to)
{
	size_t n = 0;

	assert_int_equal(len % 4, 0);
	for (size_t i = 0; i < len; i += 4) {
		int bits = digit(s[i]) << 18 | digit(s[i + 1]) << 12;

		to[n++] = bits >> 16;
		if (s[i + 2] == '=')
			break;
		bits |= digit(s[i + 2]) << 6;
		to[n++] = bits >> 8;
		if (s[i + 3] == '=')
			break;
		to[n++] = bits | digit(s[i + 3]);
	}
	return n;
}

static void unpack_all(void)
{
	const char *line = strstr(text, "id=\"spans\">\n");
	static __u8 bytes[1 << 16];

	memset(unpacked, 0, sizeof(unpacked));
	absences = absence_ns = delay_ns = 0;
	assert_non_null(line);
	for (line = strchr(line, '\n') + 1; *line == '{'; line = strchr(line, '\n') + 1) {
		unsigned vcpu, spans, before;
		int at = 0;
		size_t len;

		assert_int_equal(
			sscanf(line, "{\"vcpu\":%u,\"spans\":%u,\"data\":\"%n", &vcpu, &spans, &at),
			2);
		assert_in_range(vcpu, 1, SCENE_VCPUS);
		len = strcspn(line + at, "\"");
		assert_true(len < sizeof(bytes));
		before = unpacked[vcpu].spans;
		unpack(&unpacked[vcpu], bytes, bytes + from_base64(line + at, len, bytes));
		assert_int_equal(unpacked[vcpu].spans - before, spans);
	}
	assert_memory_equal(line, "</script>", 9);
}

static void assert_same(void)
{
	unpack_all();
	assert_int_equal(summary.vcpus, SCENE_VCPUS);
	for (unsigned i = 0; i < summary.vcpus; i++) {
		const struct unpacked *u = &unpacked[summary.vcpu[i].v->id];

		assert_int_equal(u->at, summary.to_ns - session.start_ns);
		assert_memory_equal(u->state_ns, summary.vcpu[i].state_ns, sizeof(u->state_ns));
	}
	assert_int_equal(absences, came);
	assert_int_equal(absence_ns, came_ns);
	assert_int_equal(delay_ns, came_delay_ns);
}

static void test_spans(void **state)
{
	(void)state;
	for (enum session_mode mode = MODE_DEFAULT; mode <= MODE_LIGHT; mode++)
		for (unsigned long long seed = 1; seed <= 4; seed++) {
			made(mode, seed, 20000, 0, ~0ULL); /* several pieces per vCPU */
			assert_true(came > 5000);
			assert_same();
			teardown(NULL);
		}
}

static void test_window(void **state)
{
	(void)state;
	made(MODE_FULL, 9, 2000, SCENE_START + 3000000, SCENE_START + 40000000);
	assert_true(came > 100);
	assert_same();
}

/* ---- the page ----------------------------------------------------------------------------- */

static unsigned count(const char *word)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

static void test_page(void **state)
{
	static const char *const parts[] = {
		"<!DOCTYPE html>",    "Content-Security-Policy",
		"default-src 'none'", ":root {",
		"</style>",	      "id=\"app\"",
		"id=\"spans\"",	      "{\"vcpu\":",
		"id=\"data\"",	      "{\"session\":",
		"<noscript>",	      "<tbody>",
		"</noscript>",	      "\"use strict\"",
		"start();",	      "</html>",
	};
	const char *at;

	(void)state;
	made(MODE_FULL, 1, 3000, 0, ~0ULL);
	at = text;
	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		at = strstr(at, parts[i]);
		if (!at)
			fail_msg("no %s, or not in its place", parts[i]);
	}
	assert_int_equal(count("<script"), 3);
	assert_int_equal(count("</script>"), 3);
	assert_int_equal(count("/*STYLE*/") + count("/*SPANS*/") + count("/*DATA*/") +
				 count("<!--PLAIN-->") + count("/*SCRIPT*/"),
			 0);
	assert_int_equal(count("http://") - count("http://www.w3.org/2000/svg"), 0);
	assert_int_equal(count("https://") + count("@import") + count("url(") + count("src="), 0);
	assert_int_equal(count("\033"), 0); /* the scene's VMs have one in their names */
}

static void test_nothing(void **state)
{
	(void)state;
	made(MODE_DEFAULT, 0, 0, 0, ~0ULL);
	assert_int_equal(count("\"vcpus\":[]"), 2);
	assert_int_equal(count("No vCPU") > 0, true);
}

/* A vCPU of which nothing is known has no zeros. */
static void test_known(void **state)
{
	struct summary_vcpu v = {.state_ns = {[ST_UNKNOWN] = 5}};

	(void)state;
	assert_false(html_json__known(&v));
	v.state_ns[ST_ABSENT] = 7; /* before it was there */
	assert_false(html_json__known(&v));
	v.state_ns[ST_ELSEWHERE] = 1; /* on a CPU that -C does not want */
	assert_true(html_json__known(&v));
	v.state_ns[ST_ELSEWHERE] = 0;
	v.state_ns[ST_HALTED] = 1;
	assert_true(html_json__known(&v));
	v = (struct summary_vcpu){.state_ns = {[ST_ABSENT] = 7}};
	assert_true(html_json__known(&v)); /* it was not there: it did not wait */
}

static void test_full_disk(void **state)
{
	(void)state;
	out = (struct export_out){.f = fopen("/dev/full", "w")};
	assert_non_null(out.f);
	setvbuf(out.f, NULL, _IONBF, 0);
	listen_begin();
	assert_int_not_equal(play(MODE_FULL, 0, 0, 0, ~0ULL), 0);
	listen_end();
	assert_false(out.done);
	fclose(out.f);
}

/* ---- the parts ---------------------------------------------------------------------------- */

/* RFC 4648, section 10 */
static void test_base64(void **state)
{
	static const char *const pairs[][2] = {{"", ""},
					       {"f", "Zg=="},
					       {"fo", "Zm8="},
					       {"foo", "Zm9v"},
					       {"foob", "Zm9vYg=="},
					       {"fooba", "Zm9vYmE="},
					       {"foobar", "Zm9vYmFy"}};
	char to[16];

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		size_t n = base64__encode(pairs[i][0], strlen(pairs[i][0]), to);

		assert_int_equal(n, BASE64_SIZE(strlen(pairs[i][0])));
		assert_int_equal(n, strlen(pairs[i][1]));
		assert_memory_equal(to, pairs[i][1], n);
	}
	assert_int_equal(base64__encode("\xff\xfe\xfb", 3, to), 4);
	assert_memory_equal(to, "//77", 4);
}

static void test_tasks(void **state)
{
	struct model_task task = {.tid = 5, .start_ns = 50, .comm = "sh"};
	struct absence a = {.next_tid = 5};
	struct html_tasks tasks = {0};
	unsigned n;

	(void)state;
	assert_int_equal(html_tasks__number(&tasks, &a, &task, &n), 0);
	assert_int_equal(n, 0);
	task.start_ns = 60; /* another that has the number now */
	assert_int_equal(html_tasks__number(&tasks, &a, &task, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(html_tasks__number(&tasks, &a, NULL, &n), 0);
	assert_int_equal(n, 2);
	strcpy(task.comm, "make");
	assert_int_equal(html_tasks__number(&tasks, &a, &task, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(tasks.count, 3);
	assert_string_equal(tasks.at[0]->task.comm, "sh");
	assert_string_equal(tasks.at[1]->task.comm, "make");
	assert_false(tasks.at[2]->introduced);
	for (task.tid = 100; task.tid < 1100; task.tid++)
		assert_int_equal(html_tasks__number(&tasks, &a, &task, &n), 0);
	assert_int_equal(n, 1002);
	html_tasks__free(&tasks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_known),
		cmocka_unit_test_teardown(test_spans, teardown),
		cmocka_unit_test_teardown(test_window, teardown),
		cmocka_unit_test_teardown(test_page, teardown),
		cmocka_unit_test_teardown(test_nothing, teardown),
		cmocka_unit_test_teardown(test_full_disk, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
