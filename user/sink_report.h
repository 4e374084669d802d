/* SPDX-License-Identifier: BSD-2-Clause */
/* The summary for people (tables) and for machines (JSON, docs/schema/report.json). */
#ifndef KVMSCHED_SINK_REPORT_H
#define KVMSCHED_SINK_REPORT_H

#include "sink.h"
#include "term.h"

struct sink_report {
	bool json;
	enum term_color color;
};

/* Fills sink; ctx is r, which must live as long. */
void sink_report__init(struct sink *sink, struct sink_report *r, bool json, enum term_color color);

#endif
