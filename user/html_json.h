/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page knows besides the spans: who is who, the summary as `report --json` has it,
 * histograms, strips at a resolution, the worst delays, and the verdict of the rules. One JSON
 * object. Times are ns after the session's start, unless a name says otherwise.
 */
#ifndef KVMSCHED_HTML_JSON_H
#define KVMSCHED_HTML_JSON_H

#include <stdbool.h>
#include <stdio.h>
#include "html_tasks.h"
#include "json.h"
#include "summary.h"
#include "timeline.h"
#include "verdict.h"

/* A violation on the timeline. */
struct html_mark {
	__u64 ts;
	__u32 vcpu; /* the trace's id */
	__u32 rule; /* the verdict's test */
};

#define HTML_MARKS 20000 /* more are counted only */

struct html_marks {
	struct html_mark *at;
	unsigned count, room;
	__u64 left_out;
};

struct html_json {
	const struct summary *summary;
	const struct html_tasks *tasks;
	const struct timeline *timeline; /* finished */
	const struct verdict *verdict;	 /* of rules alone */
	const struct html_marks *marks;
};

/* A time after the session's start; the page knows nothing before it. */
__u64 html_json__since(const struct html_json *h, __u64 ns);

/* Inside an open object: check. 0 or -ENOMEM. */
int html_json__check(struct json *j, const struct html_json *h);

/* Is anything known of it, in the window? Where nothing is, its zeros are none. */
bool html_json__known(const struct summary_vcpu *v);

/* Inside an open object: known, and how much time of how much is unknown, of `count` vCPUs together
 * from summary->vcpu[first]. 0 or -ENOMEM. */
int html_json__put_known(struct json *j, const struct html_json *h, unsigned first, unsigned count);

/* Inside an open object: hidden, the characters that do not print (escape.h). */
void html_json__hidden(struct json *j);

/* All of it. 0 or -errno. */
int html_json__write(FILE *f, const struct html_json *h);

/* The summary in a few words and a table, as HTML: for where no script runs. Errors are f's. */
void html_json__plain(FILE *f, const struct summary *s);

#endif
