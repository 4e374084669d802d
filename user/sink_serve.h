/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kvmsched serve` from records: what a recording holds in all, or what a live trace has added up
 * to so far. Knows neither the metrics' names (metrics.h) nor HTTP (http.h).
 */
#ifndef KVMSCHED_SINK_SERVE_H
#define KVMSCHED_SINK_SERVE_H

#include "serve.h"
#include "sink.h"
#include "totals.h"

struct sink_serve_opts {
	struct metrics_opts metrics;
	const char *once;	 /* a file, or "-"; NULL = over HTTP */
	struct sockets *sockets; /* where */
	bool live;		 /* not a recording */
	bool no_classes;	 /* who took the CPU is not asked for */
};

struct sink_serve {
	struct sink_serve_opts opts;
	const struct summary *summary; /* what is served */
	__u64 untracked;
	/* live */
	struct serve *server;
	struct totals totals;
	bool hurry;	/* somebody asks: the interval is to end */
	bool fresh;	/* what has been added up is new enough */
	bool unseen;	/* ... and has not been offered yet */
	__u64 fresh_ns; /* since when */
	bool ended;
};

/* Fills sink. out must outlive it; sink_serve__free() it. */
void sink_serve__init(struct sink *sink, struct sink_serve *out,
		      const struct sink_serve_opts *opts);
void sink_serve__free(struct sink_serve *out);

#endif
