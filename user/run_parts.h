/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ways to run a command share; for run*.c only. */
#ifndef KVMSCHED_RUN_PARTS_H
#define KVMSCHED_RUN_PARTS_H

#include "child.h"
#include "keep.h"
#include "order.h"
#include "run.h"

struct run {
	const struct options *o;
	const struct sink *sink;
	struct session session;
	struct filter filter; /* the options', and of a recording what it was made with */
	struct filter made_with;
	char made_text[sizeof(((struct session *)0)->filter)];
	/* live */
	struct live *live;
	struct ctf_writer *writer;
	struct child child;
	struct stream *stream;
	bool stored;	/* the recording is full and closed; the trace goes on for the sink */
	bool timed_out; /* -d ended the trace, not CMD, a signal or the sink */
	int store_err;	/* of the recording: it ends, but the rings are drained and what is lost is
			   counted */
	/* replay */
	struct ctf_reader *reader;
	/* both */
	struct order *order;
	struct model *model;
	struct summary summary;
	struct model_listener to_summary;
	struct intervals intervals; /* if the sink has a tick */
	struct keep *keep;
	int sink_err;
};

/* With r->session known: the model, and what listens to it; the sink begins. from, to: the window.
 * Without a sink, only the flight recorder begins. 0 or -errno, having said why. */
int run__begin(struct run *r, unsigned streams, order_fill_fn fill, __u64 from, __u64 to);

/* Takes in what is known for sure to be in order: records before `until`. 0 or -errno. */
int run__digest(struct run *r, __u64 until);

/* The same, with the ends of intervals before `until` told when they are reached. */
int run__advance(struct run *r, __u64 until);

/* All was taken in: the last interval, the summary, the sink's end. lost: records in all. */
int run__finish(struct run *r, __u64 lost);

/* Has the sink enough? */
bool run__stopped(const struct run *r);

/* Records that were lost so far. */
__u64 run__lost(struct run *r);

/* Says that vCPUs did not fit into the table, if so. 0 or EXIT_INCONCLUSIVE. */
int run__tell_untracked(const struct session *s, bool shown);
const char *run__nothing_seen(const struct filter *f);

/* The two ways to fill a run. The exit status. */
int run__live(struct run *r);
int run__replay(struct run *r);

/* Says what the numbers depend on and do not show themselves; with what the sink found an exit
 * status. */
int run__verdict(const struct summary *s, const struct sink *sink, const struct session *ses);

/* The end: what is on standard output is there, or the status is that of an error. err: the sink's,
 * or 0. */
int run__flush(int status, int err);

/* Live, from the kernel's aggregates. As run(). */
int run__aggregates(const struct options *o, const struct sink *sink);

#endif
