// SPDX-License-Identifier: BSD-2-Clause
/* See sink_serve.h. A recording's totals are served when it has been read, until a signal comes. */
#include "child.h"
#include "err.h"
#include "sink_serve.h"

static int read_total(void *ctx, struct metrics *m)
{
	const struct sink_serve *out = ctx;

	*m = (struct metrics){.summary = out->summary,
			      .untracked = out->summary->session->untracked};
	return 0;
}

static int once(void *ctx, const struct summary *s)
{
	struct sink_serve *out = ctx;
	struct metrics m;

	out->summary = s;
	read_total(out, &m);
	return serve__once(out->opts.once, &m, &out->opts.metrics);
}

static int serve_total(void *ctx, const struct summary *s)
{
	struct sink_serve *out = ctx;
	struct serve_source source = {.read = read_total, .ctx = out};
	struct serve *server = NULL;
	struct child signals;
	int err = child__start(&signals, NULL);

	out->summary = s;
	if (!err)
		err = serve__new(&server, out->opts.sockets, &source, &out->opts.metrics);
	if (!err)
		err = serve__until(server, child__fd(&signals));
	serve__free(server);
	child__free(&signals);
	return err;
}

void sink_serve__init(struct sink *sink, struct sink_serve *out, const struct sink_serve_opts *opts)
{
	*out = (struct sink_serve){.opts = *opts};
	*sink = (struct sink){.end = opts->once ? once : serve_total, .ctx = out};
}
