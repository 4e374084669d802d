// SPDX-License-Identifier: BSD-2-Clause
/*
 * `export --to html`: one page that needs no network. Spans go out as they come; what is counted,
 * judged and laid out follows at the end, so memory does not grow with the recording (but for the
 * tasks that it names, and the violations that it shows).
 */
#include <errno.h>
#include <stdlib.h>
#include "err.h"
#include "export.h"
#include "html_json.h"
#include "html_page.h"
#include "html_spans.h"
#include "rules.h"

#define COLUMNS 2048	  /* of the strips: two on each pixel of most windows */
#define STRIPS	(1 << 19) /* ... but at most so many in all */

struct sink_html {
	struct export_out *out;
	FILE *f;
	struct json *json;
	struct html_spans *spans;
	struct html_tasks tasks;
	struct timeline timeline;
	struct check *check;
	struct html_marks marks;
	__u64 seen[CHECK_RULES_MAX]; /* violations of each rule that are marks */
	const struct session *session;
};

static int window(void *ctx, __u64 from_ns, __u64 to_ns)
{
	struct sink_html *h = ctx;

	timeline__begin(&h->timeline, from_ns, to_ns);
	return 0;
}

static int begin(void *ctx, const struct session *s, const struct model *m)
{
	struct sink_html *h = ctx;
	unsigned rules = 0;

	(void)m;
	while (rules_builtin[rules])
		rules++;
	h->session = s;
	h->check = check__new(s, rules_builtin, rules);
	h->json = json__new(h->f, JSON_IN_HTML);
	h->spans = html_spans__new(h->json, s->start_ns);
	if (!h->check || !h->json || !h->spans)
		return err__say(ENOMEM, "starting");
	html_page__write(h->f, HTML_STYLE);
	return 0;
}

static int add_mark(struct html_marks *m, const struct html_mark *mark)
{
	if (m->count == HTML_MARKS) {
		m->left_out++;
		return 0;
	}
	if (m->count == m->room) {
		unsigned room = m->room ? m->room * 2 : 64;
		struct html_mark *at = realloc(m->at, room * sizeof(*at));

		if (!at)
			return -ENOMEM;
		m->at = at;
		m->room = room;
	}
	m->at[m->count++] = *mark;
	return 0;
}

/* check.h only tells how many violations each rule has. */
static int note_violations(struct sink_html *h, const struct model_vcpu *v, __u64 ts)
{
	int err = 0;

	for (unsigned i = 0; !err && i < check__rules(h->check); i++) {
		struct html_mark mark = {.ts = ts, .vcpu = v->id, .rule = i};
		__u64 n = check__rule(h->check, i)->violations;

		for (; !err && h->seen[i] < n; h->seen[i]++)
			err = add_mark(&h->marks, &mark);
	}
	return err;
}

static int event(void *ctx, struct model_vcpu *v, const struct ks_head *r, bool asked)
{
	struct sink_html *h = ctx;
	__u64 before = check__violations(h->check);
	int err = check__record(h->check, v, r, asked);

	if (!err && check__violations(h->check) != before)
		err = note_violations(h, v, r->ts);
	return err;
}

static int span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		const struct model_task *task)
{
	struct sink_html *h = ctx;
	unsigned number = 0;
	int err = timeline__span(&h->timeline, v, s, a, task);

	if (!err && a && a->by != KS_BY_NONE)
		err = html_tasks__number(&h->tasks, a, task, &number);
	if (!err)
		err = html_spans__add(h->spans, v, s, a, number);
	if (err)
		return err__say(err, "export");
	err = json__error(h->json);
	return err ? export__failed(h->out, err) : 0;
}

static int absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		   const struct model_task *task)
{
	struct sink_html *h = ctx;

	return timeline__absence(&h->timeline, v, a, task);
}

/* What only the end of the trace told: where it was is known of each rule's first. */
static int note_late(struct sink_html *h)
{
	int err = 0;

	for (unsigned i = 0; !err && i < check__rules(h->check); i++) {
		const struct check_rule *r = check__rule(h->check, i);

		if (r->violations == h->seen[i])
			continue;
		h->marks.left_out += r->violations - h->seen[i] - !h->seen[i];
		if (!h->seen[i])
			err = add_mark(&h->marks, &(struct html_mark){.ts = r->first->event.ts,
								      .vcpu = r->first->v->id,
								      .rule = i});
	}
	return err;
}

/* Few columns where there are many vCPUs: nobody's screen shows both. */
static void limit_strips(struct timeline *t)
{
	unsigned n = t->rows ? STRIPS / t->rows : COLUMNS;

	if (n < t->columns)
		timeline__coarsen(t, n);
}

static int write_data(struct sink_html *h, const struct summary *s)
{
	struct verdict verdict = {0};
	struct html_json data = {.summary = s,
				 .tasks = &h->tasks,
				 .timeline = &h->timeline,
				 .verdict = &verdict,
				 .marks = &h->marks};
	int err = check__end(h->check, h->session->end_ns, s->to_ns >= h->session->end_ns);

	if (!err)
		err = note_late(h);
	if (!err)
		err = timeline__finish(&h->timeline, s);
	if (!err)
		err = verdict__judge(&verdict, h->check, s, NULL, NULL, 0);
	if (!err) {
		limit_strips(&h->timeline);
		html_page__write(h->f, HTML_SPANS);
		err = html_json__write(h->f, &data);
	}
	verdict__free(&verdict);
	return err;
}

static int end(void *ctx, const struct summary *s)
{
	struct sink_html *h = ctx;
	int err = html_spans__end(h->spans), closed = json__close(h->json);

	h->json = NULL;
	err = err ?: closed;
	if (!err)
		err = write_data(h, s);
	if (err)
		return export__failed(h->out, err);
	errno = 0;
	html_page__write(h->f, HTML_DATA);
	html_json__plain(h->f, s);
	html_page__write(h->f, HTML_PLAIN);
	if (fflush(h->f) || ferror(h->f))
		return export__failed(h->out, -(errno ?: EIO));
	h->out->done = true;
	return 0;
}

int sink_html__new(struct sink *sink, struct export_out *o)
{
	static const struct timeline_opts opts = {.columns = COLUMNS};
	struct sink_html *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->out = o;
	h->f = o->f;
	timeline__init(&h->timeline, &opts);
	*sink = (struct sink){.window = window,
			      .begin = begin,
			      .event = event,
			      .span = span,
			      .absence = absence,
			      .end = end,
			      .ctx = h};
	return 0;
}

void sink_html__free(void *ctx)
{
	struct sink_html *h = ctx;

	if (!h)
		return;
	if (h->json)
		json__close(h->json);
	html_spans__free(h->spans);
	html_tasks__free(&h->tasks);
	timeline__free(&h->timeline);
	check__free(h->check);
	free(h->marks.at);
	free(h);
}
