/* SPDX-License-Identifier: BSD-2-Clause */
/* Strips of states over time, per vCPU: in characters, as SVG, or as JSON
 * (docs/schema/timeline.json). All of them draw timeline.h. */
#ifndef KVMSCHED_SINK_TIMELINE_H
#define KVMSCHED_SINK_TIMELINE_H

#include "sink.h"
#include "term.h"
#include "timeline.h"

#define TIMELINE_WIDTH_MIN 20
#define TIMELINE_WIDTH_MAX 10000

struct timeline_show {
	const char *svg; /* -o FILE, or NULL */
	bool force;	 /* ... may be replaced */
	bool json;
	unsigned width; /* characters, pixels, or columns of JSON; 0 = as fits */
	enum term_color color;
};

struct sink_timeline {
	struct timeline_show show;
	struct timeline t;
	struct term term;
};

/* Fills sink; ctx is t, which must live as long; then timeline__free(&t->t), as a run may end
 * before its end. */
void sink_timeline__init(struct sink *sink, struct sink_timeline *t,
			 const struct timeline_show *show);

#endif
