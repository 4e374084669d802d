// SPDX-License-Identifier: BSD-2-Clause
/* See sink_serve.h. */
#include "err.h"
#include "outfile.h"
#include "sink_serve.h"

/* ---- into a file -------------------------------------------------------------------------- */

/* Without process_*: node_exporter, which reads the file, has its own, and refuses what comes
 * twice.
 */
static int once(void *ctx, const struct summary *s)
{
	const struct sink_serve *out = ctx;
	struct metrics m = {.summary = s, .untracked = s->session->untracked};
	struct outfile file;
	int err = outfile__open(&file, out->opts.once, true);

	if (err)
		return err;
	err = metrics__write(file.f, METRICS_PROMETHEUS, &m, &out->opts.metrics);
	return outfile__close(&file, err);
}

void sink_serve__init(struct sink *sink, struct sink_serve *out, const struct sink_serve_opts *opts)
{
	*out = (struct sink_serve){.opts = *opts};
	*sink = (struct sink){.end = once, .ctx = out};
}

void sink_serve__free(struct sink_serve *out)
{
	(void)out;
}
