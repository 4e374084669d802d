/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trace cut into intervals as it goes: a summary of its own for each, told when its end is
 * reached. Pure: it has no clock; whoever feeds the model says when.
 *
 * An interval says what is known when it ends. A state that goes on is counted up to there, so a
 * vCPU's times add up to the interval's length, and those of all intervals to the whole's. Counts
 * and distributions are those of what happened in it.
 *
 * Run delay that is only learnt later is counted when it is learnt: a blocked absence's when it
 * ends, wherever it lies. So without loss the intervals have all of it, and one may have more than
 * its length. States are not put right, as they partition an interval that is over: what a vCPU did
 * before its first record stays unknown, all of a running stretch is running until a record says
 * how much of it was user time, and where records turn out to be missing the state before is
 * counted up to the last edge, with the run delay that belongs to it.
 */
#ifndef KVMSCHED_INTERVALS_H
#define KVMSCHED_INTERVALS_H

#include "summary.h"

/* One that has ended. */
struct tick {
	struct summary *summary; /* events, lost and odd are the interval's, too; who wants to keep
				    it copies it and zeroes this one */
	__u64 lost;		 /* since the trace began */
	__u64 untracked;	 /* vCPUs that did not fit into the table, so far */
	unsigned n;		 /* from 1 */
	bool last;
};

struct intervals {
	const struct session *session;
	const struct filter *filter;
	struct model_listener to; /* what happens goes there, through the calls below */
	struct summary now;
	struct summary_ledger ledger;
	bool by_victim, adds_up;
	__u64 length_ns, to_ns;	 /* to_ns: of the whole, ~0 = open */
	__u64 edge_ns;		 /* where the current one ends */
	__u64 events, odd, lost; /* when it began */
	unsigned n;
};

/* from_ns, to_ns: as for summary__init(). by_victim: see struct summary. */
void intervals__init(struct intervals *i, const struct session *ses, const struct filter *f,
		     __u64 from_ns, __u64 to_ns, __u64 length_ns, bool by_victim);

/* Before anything happens: they are going to be added up, see struct summary. */
void intervals__add_up(struct intervals *i);

/* The current one is to end at at_ns, if that is inside it. */
void intervals__hurry(struct intervals *i, __u64 at_ns);

/* The moment at which the current one is to be ended: when the model has seen every record with ts
 * <= it. ~0: not before the whole ends. */
__u64 intervals__edge(const struct intervals *i);

/* Ends the current one at its edge. lost: records in all. 0 or -ENOMEM. */
int intervals__cut(struct intervals *i, struct model *m, __u64 lost, struct tick *t);

/* After model__end(): ends the last one. *any: false if it has no length. 0 or -ENOMEM. */
int intervals__end(struct intervals *i, struct model *m, __u64 to_ns, __u64 lost, struct tick *t,
		   bool *any);

/* When the tick was used: begins the next one. */
void intervals__next(struct intervals *i);

void intervals__free(struct intervals *i);

#endif
