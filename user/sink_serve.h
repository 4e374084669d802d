/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kvmsched serve`: a summary as metrics, into a file once, or to whoever asks over HTTP. Knows
 * where a summary's numbers go, but neither their names (metrics.h) nor HTTP (http.h).
 */
#ifndef KVMSCHED_SINK_SERVE_H
#define KVMSCHED_SINK_SERVE_H

#include "metrics.h"
#include "sink.h"

struct sink_serve_opts {
	struct metrics_opts metrics;
	const char *once; /* a file, or "-"; NULL = over HTTP */
};

struct sink_serve {
	struct sink_serve_opts opts;
};

/* Fills sink. out must outlive it; sink_serve__free() it. */
void sink_serve__init(struct sink *sink, struct sink_serve *out,
		      const struct sink_serve_opts *opts);
void sink_serve__free(struct sink_serve *out);

#endif
