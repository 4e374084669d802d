// SPDX-License-Identifier: BSD-2-Clause
/*
 * A recording's totals are served when it has been read, until a signal comes. Live, a request ends
 * the current interval: when that is added up, a moment later, all who have asked are answered,
 * with what is open counted up to that moment.
 */
#include <errno.h>
#include "child.h"
#include "clock.h"
#include "err.h"
#include "privilege.h"
#include "sink_serve.h"

#define INTERVAL_NS 10000000000ULL /* where nobody asks */
#define FRESH_NS    100000000ULL   /* so long an interval's numbers will do, as a page does */

static int read_now(void *ctx, struct metrics *m)
{
	struct sink_serve *out = ctx;

	if (out->opts.live && !out->opts.once && !out->fresh && !out->ended) {
		out->hurry = true;
		return -EAGAIN;
	}
	*m = (struct metrics){.summary = out->summary, .untracked = out->untracked};
	return 0;
}

static int start(struct sink_serve *out)
{
	return serve__new(&out->server, out->opts.sockets,
			  &(struct serve_source){.read = read_now, .ctx = out}, &out->opts.metrics);
}

/* ---- a recording, or once ----------------------------------------------------------------- */

static int once(void *ctx, const struct summary *s)
{
	struct sink_serve *out = ctx;
	struct metrics m;

	out->summary = s;
	out->untracked = s->session->untracked;
	read_now(out, &m);
	return serve__once(out->opts.once, &m, &out->opts.metrics);
}

static int serve_total(void *ctx, const struct summary *s)
{
	struct sink_serve *out = ctx;
	struct child signals;
	int err = child__start(&signals, NULL);

	out->summary = s;
	out->untracked = s->session->untracked;
	if (!err)
		err = start(out);
	if (!err)
		err = privilege__drop(PRIVILEGE_SOCKETS); /* a live trace did */
	if (!err)
		err = serve__until(out->server, child__fd(&signals));
	serve__free(out->server);
	out->server = NULL;
	child__free(&signals);
	return err;
}

/* ---- live --------------------------------------------------------------------------------- */

static int begin(void *ctx, const struct session *s, const struct model *m)
{
	(void)s;
	(void)m;
	return start(ctx);
}

static int tick(void *ctx, struct tick *t)
{
	struct sink_serve *out = ctx;
	int err = totals__add(&out->totals, t);

	if (err)
		return err__say(err, "adding up");
	out->summary = &out->totals.sum;
	out->untracked = t->untracked;
	out->hurry = false;
	out->fresh = out->unseen = true;
	out->fresh_ns = now_ns();
	serve__ready(out->server);
	return 0;
}

static int input(void *ctx)
{
	struct sink_serve *out = ctx;

	/* those whom a tick is for get it, however slow this host is */
	if (!out->unseen && now_ns() - out->fresh_ns > FRESH_NS)
		out->fresh = false;
	out->unseen = false;
	serve__run(out->server);
	return 0;
}

static int input_fd(void *ctx, int *timeout_ms)
{
	return serve__fd(((struct sink_serve *)ctx)->server, timeout_ms);
}

/* Who has asked gets the last numbers. */
static int end(void *ctx, const struct summary *s)
{
	struct sink_serve *out = ctx;

	if (!out->summary) /* not even one interval */
		out->summary = s;
	out->ended = true;
	serve__free(out->server);
	out->server = NULL;
	return 0;
}

void sink_serve__init(struct sink *sink, struct sink_serve *out, const struct sink_serve_opts *opts)
{
	*out = (struct sink_serve){.opts = *opts};
	totals__init(&out->totals, opts->metrics.per_vcpu);
	if (opts->once || !opts->live)
		*sink = (struct sink){.end = opts->once ? once : serve_total,
				      .writes = opts->once,
				      .sums_do = true,
				      .classes = !opts->no_classes,
				      .ctx = out};
	else
		*sink = (struct sink){.begin = begin,
				      .tick = tick,
				      .input = input,
				      .fd = input_fd,
				      .end = end,
				      .interval_ns = INTERVAL_NS,
				      .sums_do = true,
				      .classes = !opts->no_classes,
				      .adds_up = true,
				      .serves = true,
				      .hurry = &out->hurry,
				      .ctx = out};
}

void sink_serve__free(struct sink_serve *out)
{
	out->fresh = false;	  /* the model, which names the VMs, is gone */
	serve__free(out->server); /* the trace ended with an error */
	totals__free(&out->totals);
}
