/* SPDX-License-Identifier: BSD-2-Clause */
/* Distributions, drawn for people or with every bucket for machines (docs/schema/hist.json). */
#ifndef KVMSCHED_SINK_HIST_H
#define KVMSCHED_SINK_HIST_H

#include "measure.h"
#include "sink.h"
#include "term.h"

#define HIST_MEASURES 16

struct sink_hist {
	const struct measure *measure[HIST_MEASURES];
	unsigned measures;
	enum summary_by by;
	bool json;
	enum term_color color;
	struct term term;
};

#define HIST_DEFAULT "run_delay,preempted,halted,sleeping"

/* "run_delay,absence": names of distributions. Adds to h. 0, -ENOENT (no such measure), -EINVAL (no
 * distribution) or -E2BIG; bad: where the name that is wrong begins, *len its length. */
int sink_hist__parse(struct sink_hist *h, const char *list, const char **bad, size_t *len);

/* Fills sink; ctx is h, which must live as long. */
void sink_hist__init(struct sink *sink, struct sink_hist *h);

#endif
