// SPDX-License-Identifier: BSD-2-Clause
/*
 * Live, without a record: the kernel adds up, and what it has is read when it is wanted. Only
 * descriptors come through a ring.
 */
#include <errno.h>
#include "aggregate.h"
#include "child.h"
#include "clock.h"
#include "err.h"
#include "record.h"
#include "run_parts.h"

#define INPUT_MS 50   /* for a sink that has keys to read, and cannot be waited for */
#define IDLE_MS	 1000 /* else: the ring of descriptors has room for more, and rings when not */

struct aggregates {
	const struct options *o;
	const struct sink *sink;
	struct session session;
	struct live_opts opts;
	struct live *live;
	struct sums sums;
	struct child child;
	struct model *model;
	struct aggregate *aggregate;
	struct summary now, before;
	unsigned ticks;
	__u64 edge_ns; /* when the interval ends */
	bool timed_out;
};

static int on_batch(void *ctx, const struct batch *b)
{
	struct aggregates *r = ctx;
	const char *p = b->records, *end = p + b->bytes;
	int err = 0;

	for (; !err && p < end; p += record__size(((const struct ks_head *)p)->type))
		err = aggregate__describe(r->model, (const struct ks_head *)p);
	return err ? err__say(err, "keeping descriptors") : 0;
}

static int drain(struct aggregates *r)
{
	__u64 watermark;
	int err = live__drain(r->live, on_batch, r, &watermark);

	if (!err && sums__dead(&r->sums) > r->sums.places / 8)
		err = aggregate__collect(r->aggregate);
	return err;
}

static int read_now(struct aggregates *r, __u64 at_ns)
{
	int err = aggregate__read(r->aggregate, at_ns, r->sink->by_victim, &r->now);

	r->now.adds_up = r->sink->adds_up;
	r->now.no_classes = !r->sink->classes;
	return err ? err__say(err, "adding up") : 0;
}

/* What this interval brought. */
static int tick(struct aggregates *r, bool last)
{
	__u64 lost = live__lost(r->live)[r->session.cpus];
	struct tick t = {.lost = lost, .n = ++r->ticks, .last = last};
	struct summary part = {0};
	int err = summary__since(&part, &r->now, &r->before);

	t.untracked = live__untracked(r->live);
	t.summary = &part;
	err = err ? err__say(err, "adding up") : r->sink->tick(r->sink->ctx, &t);
	summary__free(&part);
	return err;
}

static bool hurried(const struct aggregates *r)
{
	return r->sink->hurry && *r->sink->hurry;
}

static int ticks_due(struct aggregates *r)
{
	__u64 now = now_ns();
	int err;

	if (now < r->edge_ns && !hurried(r))
		return 0;
	while (r->edge_ns <= now)
		r->edge_ns += r->sink->interval_ns;
	err = read_now(r, now);
	if (!err)
		r->now.to_ns = now_ns();
	err = err ?: tick(r, false);
	summary__free(&r->before);
	r->before = r->now;
	r->now = (struct summary){0};
	return err;
}

static bool stopped(const struct aggregates *r)
{
	return r->sink->stop && *r->sink->stop;
}

/* input: what else to wait for, or -1. */
static int wait_ms(const struct aggregates *r, __u64 deadline, int *input)
{
	__u64 now = now_ns(), until = deadline < r->edge_ns ? deadline : r->edge_ns;
	int most = r->sink->input && !r->sink->fd ? INPUT_MS : IDLE_MS, ms = -1;

	*input = r->sink->fd ? r->sink->fd(r->sink->ctx, &ms) : -1;
	if (ms >= 0 && ms < most)
		most = ms;
	if (now >= until || hurried(r))
		return 0;
	return until - now < most * 1000000ULL ? (int)((until - now) / 1000000) + 1 : most;
}

/* Until the time is up, the command ended, a signal came or the sink has enough. */
static int trace(struct aggregates *r)
{
	__u64 deadline = r->o->duration_ns ? r->session.start_ns + r->o->duration_ns : ~0ULL;
	int stop = 0, err = 0, ms, input;

	r->edge_ns = r->sink->tick ? r->session.start_ns + r->sink->interval_ns : ~0ULL;
	while (!err && !stop && now_ns() < deadline) {
		ms = wait_ms(r, deadline, &input);
		if (live__wait(r->live, child__fd(&r->child), input, ms))
			stop = child__poll(&r->child);
		err = drain(r);
		if (!err)
			err = ticks_due(r);
		if (!err && r->sink->input)
			err = r->sink->input(r->sink->ctx);
		stop |= stopped(r);
	}
	r->timed_out = !stop;
	return err;
}

static int begin(struct aggregates *r)
{
	static const struct model_listener nobody;
	struct model_listener unused;
	int err = child__start(&r->child, r->o->command);

	if (!err)
		err = live__open(&r->live, &r->opts, &r->session);
	if (!err)
		err = live__begin(r->live, &r->session);
	if (err)
		return err;
	live__sums(r->live, &r->sums);
	r->model = model__new(&r->session, &r->o->filter, &nobody);
	r->aggregate =
		r->model ? aggregate__new(&r->session, &r->o->filter, r->model, &r->sums) : NULL;
	if (!r->aggregate)
		return err__say(ENOMEM, "starting");
	summary__init(&r->before, &r->session, &r->o->filter, r->session.start_ns,
		      r->session.start_ns, &unused);
	if (r->sink->window)
		err = r->sink->window(r->sink->ctx, r->session.start_ns, ~0ULL);
	if (!err && r->sink->begin)
		err = r->sink->begin(r->sink->ctx, &r->session, r->model);
	return err ?: run__drop_privileges(r->o, r->sink) ?: child__go(&r->child);
}

static int end(struct aggregates *r, int err)
{
	int closed = live__end(r->live, &r->session, on_batch, r);

	err = err ?: closed ?: read_now(r, r->session.end_ns);
	if (!err && r->sink->tick && !stopped(r) && r->session.end_ns > r->before.to_ns)
		err = tick(r, true);
	r->now.lost = live__lost(r->live)[r->session.cpus];
	return err ?: r->sink->end ? r->sink->end(r->sink->ctx, &r->now) : 0;
}

int run__aggregates(const struct options *o, const struct sink *sink)
{
	struct aggregates r = {.o = o, .sink = sink, .opts = o->live};
	int status = EXIT_ERROR, err;

	r.opts.mode = MODE_AGGREGATES;
	r.opts.classes = sink->classes;
	err = begin(&r);
	if (!err)
		err = trace(&r);
	if (r.live && r.session.start_ns && r.aggregate)
		err = end(&r, err);
	if (!err)
		status = child__status(&r.child, run__verdict(&r.now, sink, &r.session));
	summary__free(&r.now);
	summary__free(&r.before);
	aggregate__free(r.aggregate);
	live__free(r.live);
	child__free(&r.child);
	model__free(r.model);
	return run__flush(status, err);
}
