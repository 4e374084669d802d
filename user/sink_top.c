// SPDX-License-Identifier: BSD-2-Clause
/*
 * Live, intervals come when they come, and keys are read in between. Of a recording they would all
 * come at once: on the full screen each waits here until it is its time, or a key asks for it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "err.h"
#include "report_json.h"
#include "sink_top.h"
#include "top_screen.h"

#define KEY_MS 50

/* ---- for machines ------------------------------------------------------------------------- */

static void json_vcpu(struct sink_top *t, unsigned i)
{
	const struct top_now *now = &t->top.now[i];
	struct json *j = t->json;
	__u64 ns;

	json__object(j);
	report_json__vcpu(j, &t->top.sum, &t->top.sum.vcpu[i]);
	if (now->max_at_ns)
		json__key_u64(j, "run_delay_max_at_ns", now->max_at_ns);
	if (top__delay(&t->top, &t->top.sum.vcpu[i], &ns))
		json__key_u64(j, "woken_ns", top__woken(&t->top, &t->top.sum.vcpu[i]));
	json__key_str(j, "state", state__name(now->state));
	json__key_u64(j, "since_ns", now->since_ns);
	if (now->cpu != VCPU_NO_CPU)
		json__key_u64(j, "cpu", now->cpu);
	json__end_object(j);
}

static int json_tick(struct sink_top *t)
{
	const struct summary *s = &t->top.sum;
	struct json *j = t->json;
	int err;

	json__object(j);
	report_json__head(j, s);
	json__key_u64(j, "interval", t->top.tick.n);
	json__key_u64(j, "from_ns", s->from_ns);
	json__key_u64(j, "to_ns", s->to_ns);
	json__key_s64(j, "wall_offset_ns", s->session->wall_start_ns);
	json__key_u64(j, "lost_total", t->top.tick.lost);
	json__key_u64(j, "untracked", t->top.tick.untracked);
	json__key_bool(j, "quota_known", s->session->fields & KS_M_QUOTA);
	json__key_array(j, "vcpus");
	for (unsigned i = 0; i < s->vcpus; i++)
		if (top__existed(&t->top, i))
			json_vcpu(t, i);
	json__end_array(j);
	summary__sort_preemptors(&t->top.sum);
	report_json__preemptors(j, s);
	err = report_json__matrix(j, s);
	json__end_object(j);
	json__line(j);
	fflush(stdout);
	return err ?: json__error(j);
}

/* ---- for people --------------------------------------------------------------------------- */

static int plain_tick(struct sink_top *t)
{
	int err = top__layout(&t->top, &t->canvas, &t->term, true);

	errno = 0;
	if (t->shown > 1)
		putchar('\n');
	err = err ?: canvas__print(&t->canvas, &t->term, stdout);
	return err ?: fflush(stdout) ? -(errno ?: EIO) : 0;
}

static int paint(struct sink_top *t)
{
	int err;

	screen__size(&t->term.rows, &t->term.columns);
	t->term.limit = t->term.columns;
	err = top__layout(&t->top, &t->canvas, &t->term, false);
	if (!err)
		screen__paint(&t->canvas);
	return err;
}

/* Reads what keys there are, the first one for so long. */
static int read_keys(struct sink_top *t, int timeout_ms)
{
	unsigned rows = t->term.rows, columns = t->term.columns;
	bool any = false;
	int key, err = 0;

	while (!err && (key = screen__key(timeout_ms))) {
		err = top__key(&t->top, key);
		any = true;
		timeout_ms = 0;
	}
	screen__size(&t->term.rows, &t->term.columns);
	if (screen__stopped())
		t->top.quit = true;
	t->stop |= t->top.quit;
	if (err || t->stop || !(any || rows != t->term.rows || columns != t->term.columns))
		return err;
	return paint(t);
}

static int input(void *ctx)
{
	struct sink_top *t = ctx;

	return t->screen ? read_keys(t, 0) : 0;
}

/* Until the next interval of a recording is due. */
static int wait_for_next(struct sink_top *t)
{
	__u64 now = now_ns();
	int err = 0;

	if (!t->due_ns || t->due_ns + t->opts.interval_ns < now)
		t->due_ns = now;
	t->due_ns += t->opts.interval_ns;
	t->top.step = false;
	while (!err && !t->stop && !t->top.step && (t->top.paused || now_ns() < t->due_ns))
		err = read_keys(t, KEY_MS);
	return err;
}

/* ---- the sink ----------------------------------------------------------------------------- */

static int begin(void *ctx, const struct session *s, const struct model *m)
{
	struct sink_top *t = ctx;
	const char *why = screen__why_not();

	(void)s;
	(void)m;
	t->opts.replay = s->end_ns != 0;
	t->top.replay = t->opts.replay;
	if (t->opts.json) {
		t->json = json__new(stdout, 0);
		return json__error(t->json);
	}
	term__look(&t->term, STDOUT_FILENO, t->opts.color);
	canvas__init(&t->canvas, t->term.columns, t->term.utf8);
	if (t->opts.plain)
		return 0;
	if (!why && screen__open(t->term.color))
		why = "ncurses does not know the terminal (TERM)";
	if (why) {
		err__note("%s: plain text, a screen per interval", why);
		return 0;
	}
	t->screen = true;
	t->top.keep_past = true;
	return paint(t);
}

static int span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		const struct model_task *task)
{
	(void)a;
	(void)task;
	return top__span(&((struct sink_top *)ctx)->top, v, s);
}

static int absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		   const struct model_task *task)
{
	return top__absence(&((struct sink_top *)ctx)->top, v, a, task);
}

static int screen_tick(struct sink_top *t, struct tick *tick)
{
	int err = 0;

	if (!t->top.paused || t->opts.replay)
		err = paint(t);
	if (!err && t->opts.replay && !tick->last)
		err = wait_for_next(t);
	return err;
}

static int tick(void *ctx, struct tick *tick)
{
	struct sink_top *t = ctx;
	int err;

	if (t->screen && t->top.paused && !t->opts.replay) {
		top__skip(&t->top);
		err = 0;
	} else {
		err = top__tick(&t->top, tick);
		t->any |= top__any(&t->top);
		if (t->opts.count && t->opts.replay && !t->any)
			return err; /* those that are asked for begin with the first vCPU */
	}
	t->shown++;
	if (!err && t->screen)
		err = screen_tick(t, tick);
	else if (!err)
		err = t->opts.json ? json_tick(t) : plain_tick(t);
	if (t->opts.count && t->shown >= t->opts.count)
		t->stop = true;
	return err;
}

/* The last screen of a recording stays until it was seen. */
static int end(void *ctx, const struct summary *s)
{
	struct sink_top *t = ctx;
	struct json *j = t->json;
	int err = 0;

	(void)s;
	if (t->opts.json) {
		t->json = NULL;
		return json__close(j);
	}
	if (t->screen && t->opts.replay && !t->stop) {
		t->top.ended = true;
		err = paint(t);
		while (!err && !t->stop)
			err = read_keys(t, KEY_MS);
	}
	if (t->screen)
		screen__close();
	t->screen = false;
	return err;
}

void sink_top__init(struct sink *sink, struct sink_top *t, const struct top_opts *opts)
{
	memset(t, 0, sizeof(*t));
	t->opts = *opts;
	top__init(&t->top);
	t->top.sort = opts->sort;
	t->top.group = opts->group;
	t->top.raw = opts->json;
	*sink = (struct sink){.begin = begin,
			      .span = span,
			      .absence = absence,
			      .tick = tick,
			      .input = input,
			      .end = end,
			      .sums_do = true,
			      .classes = true,
			      .interval_ns = opts->interval_ns,
			      .by_victim = true,
			      .stop = &t->stop,
			      .ctx = t};
}

void sink_top__free(struct sink_top *t)
{
	screen__close();
	if (t->json)
		json__close(t->json);
	top__free(&t->top);
	canvas__free(&t->canvas);
}
