/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kvmsched serve` from records: what a recording holds in all, or what a live trace has added up
 * to so far. Knows neither the metrics' names (metrics.h) nor HTTP (http.h).
 */
#ifndef KVMSCHED_SINK_SERVE_H
#define KVMSCHED_SINK_SERVE_H

#include "serve.h"
#include "sink.h"

struct sink_serve_opts {
	struct metrics_opts metrics;
	const char *once;	 /* a file, or "-"; NULL = over HTTP */
	struct sockets *sockets; /* where */
};

struct sink_serve {
	struct sink_serve_opts opts;
	const struct summary *summary; /* the recording's */
};

/* Fills sink. out must outlive it. */
void sink_serve__init(struct sink *sink, struct sink_serve *out,
		      const struct sink_serve_opts *opts);

#endif
