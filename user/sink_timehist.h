/* SPDX-License-Identifier: BSD-2-Clause */
/* Absences one by one, as they end: lines for people, NDJSON (docs/schema/timehist.json) for
 * machines. */
#ifndef KVMSCHED_SINK_TIMEHIST_H
#define KVMSCHED_SINK_TIMEHIST_H

#include "json.h"
#include "sink.h"
#include "term.h"

/* What to show, besides all: bits 1 << KS_R_* of reasons. */
struct timehist_opts {
	__u64 min_ns;
	unsigned reasons; /* 0 = any */
	bool wall;	  /* wall-clock times instead of seconds since the start */
	bool json;
	enum term_color color;
};

struct sink_timehist {
	struct timehist_opts opts;
	const struct session *session;
	const struct model *model;
	struct term term;
	struct json *json;
	int vm_width;
	bool live;
	bool headed; /* the header was printed */
	__u64 shown; /* absences, and how many of them are open */
	__u64 shown_open;
	__u64 flushed_ns; /* live: the time of the line up to which everything was written */
};

/* "preempted,ioctl": bits for timehist_opts.reasons. preempted includes ioctl. 0 or -EINVAL. */
int timehist__parse_states(const char *list, unsigned *reasons);

/* Fills sink; ctx is t, which must live as long. */
void sink_timehist__init(struct sink *sink, struct sink_timehist *t,
			 const struct timehist_opts *opts);

#endif
