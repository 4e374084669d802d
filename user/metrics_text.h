/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two text formats that Prometheus scrapes, line by line: its own, 0.0.4, and OpenMetrics 1.0.
 * Knows families, labels and numbers; does not know what is measured. A line is
 *	sample -> label ... -> a value
 * Errors are the stream's: look at ferror() after metrics_text__end().
 */
#ifndef KVMSCHED_METRICS_TEXT_H
#define KVMSCHED_METRICS_TEXT_H

#include <stdio.h>
#include <linux/types.h>

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS };

/* Of the two, what an HTTP Accept header (NULL: there was none) prefers: OpenMetrics 1.0 only where
 * it is named and no less wanted than plain text. */
enum metrics_format metrics_format__of_accept(const char *accept);

const char *metrics_format__type(enum metrics_format f); /* for Content-Type */

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM, METRICS_INFO };

struct metrics_text {
	FILE *f;
	enum metrics_format format;
	const char *name; /* of the family */
	enum metrics_kind kind;
	unsigned labels; /* of the line that is being written */
	unsigned used;	 /* of buf: text that the stream does not have yet */
	int err;	 /* the first of writing; 0: none */
	char buf[4096];
};

/* Begins a family. name is without the suffix that its kind has: _total of a counter, _info. Its
 * samples follow, and nothing else before the next. help: no backslash and no newline in it. */
void metrics_text__family(struct metrics_text *t, const char *name, enum metrics_kind kind,
			  const char *help);

/* Begins a line. suffix: NULL is the kind's own; else of a histogram "_bucket", "_sum", "_count".
 */
void metrics_text__sample(struct metrics_text *t, const char *suffix);

void metrics_text__label(struct metrics_text *t, const char *label, const char *value);

/* The same for a value that is escaped already (ESCAPE_LABEL), or needs no escaping. */
void metrics_text__label_raw(struct metrics_text *t, const char *label, const char *value);

/* End the line. Seconds: exact, up to nine decimals. */
void metrics_text__count(struct metrics_text *t, __u64 n);
void metrics_text__seconds(struct metrics_text *t, __u64 ns);

/* After the last family: all of it is the stream's then. */
void metrics_text__end(struct metrics_text *t);

#endif
