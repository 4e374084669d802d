/* SPDX-License-Identifier: BSD-2-Clause */
/* Interval by interval: on a full screen, as plain screens, or as NDJSON (docs/schema/top.json). */
#ifndef KVMSCHED_SINK_TOP_H
#define KVMSCHED_SINK_TOP_H

#include "json.h"
#include "sink.h"
#include "top.h"

struct top_opts {
	__u64 interval_ns;
	__u64 count; /* intervals, 0 = until the end */
	enum top_sort sort;
	enum top_group group;
	bool plain; /* no full screen, even where there could be one */
	bool json;
	bool replay;
	enum term_color color;
};

struct sink_top {
	struct top_opts opts;
	struct top top;
	struct canvas canvas;
	struct term term;
	struct json *json;
	bool screen; /* is open */
	bool stop;
	bool any;     /* vCPU was seen in an interval */
	__u64 shown;  /* intervals */
	__u64 due_ns; /* replay: the real time at which the next interval is due */
};

/* Fills sink; ctx is t, which must live as long. */
void sink_top__init(struct sink *sink, struct sink_top *t, const struct top_opts *opts);

/* After the run: restores the terminal, prints what was kept back, gives back the memory. */
void sink_top__free(struct sink_top *t);

#endif
