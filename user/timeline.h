/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THE timeline layout: spans to strips. A row per vCPU, a row's time cut into columns of equal
 * width, in each column the nanoseconds of each state; the absences that are wide enough to be
 *named; and the worst delays. Terminal, SVG and HTML draw it. Pure: no I/O, no drawing, no clock.
 *
 * Nothing is dropped: the columns of a row add up to what the summary says of the vCPU, state by
 * state. What is kept does not depend on how many events there are, but on columns times vCPUs, so
 * an hour costs what a second does. Where the window's end is not known yet, columns begin narrow
 * and double their width whenever time runs over the last one.
 *
 *	timeline__init(&t, &opts);
 *	timeline__begin(&t, from, to);		of the sink's `window`; to = ~0: not known
 *	timeline__span(), timeline__absence()	are the sink's `span` and `absence`, ctx = &t
 *	timeline__finish(&t, summary);
 */
#ifndef KVMSCHED_TIMELINE_H
#define KVMSCHED_TIMELINE_H

#include <stdbool.h>
#include <linux/types.h>
#include "summary.h"

#define TIMELINE_WORST 10

struct timeline_opts {
	unsigned columns; /* at most so many, at least 1. While the window's end is not known, twice
			   * or more what is wanted, and timeline__coarsen() at the end: of what is
			   * asked for here, a little more than half may be used then */
	unsigned wide;	  /* absences of so many columns or more are kept one by one; 0: none */
};

/* A stretch of time of one vCPU: ns per state, which add up to the column's width; and the part of
 * halted and sleeping in which it had been woken and waited for a CPU, as far as that is known. */
struct timeline_column {
	__u64 ns[ST_CNT];
	__u64 woken_ns;
};

/* What a column is drawn in: the states, and woken_ns apart from halted and sleeping. */
#define TIMELINE_WOKEN	ST_CNT
#define TIMELINE_SHADES (ST_CNT + 1)

/* One absence. */
struct timeline_absence {
	const struct model_vcpu *v;
	unsigned row;		/* after timeline__finish() */
	enum state state;	/* preempted, halted or sleeping */
	__u64 from, to;		/* the part of it that is drawn: cut to the window */
	struct absence a;	/* the whole: a.to is its end, or if a.open the trace's */
	bool introduced;	/* task is known; else a.next_tid is all there is */
	struct model_task task; /* who took the CPU, unless a.by is KS_BY_NONE */
};

/* How much is known of how long a vCPU, or several, waited for a CPU in the window. What is not
 * known must not be drawn as if all were well. */
struct timeline_known {
	enum { KNOWN_NOTHING, KNOWN_PART, KNOWN_ALL } how;
	__u64 lived_ns, unknown_ns; /* time not absent; and of it what is not known */
	bool blind;		    /* where it was halted or asleep, its run delay is not known */
	__u64 run_delay_ns;	    /* KNOWN_PART: that long at least */
};

struct timeline_row {
	const struct model_vcpu *v;
	struct timeline_known known;
	struct timeline_column *column; /* timeline.columns of them */
	/* The longest of those that lie in the window at least in part, with their whole lengths;
	 * the earliest of equals. v is NULL: there is none. */
	struct timeline_absence delay;	 /* by run delay: it waited the last a.run_delay_ns of it */
	struct timeline_absence absence; /* by length, whatever it was for */
	/* its part of timeline.wide */
	unsigned first_wide, wide;
	/* not for readers */
	__u32 id;
	unsigned at;
	__u64 at_from, at_to;
};

#define TIMELINE_RAN 16

/* Who ran while one of the worst waited, on the CPU that it waited for: of a preempted vCPU the one
 * it was taken off, else the one it came to. Only traced vCPUs are seen, and only in the window.
 * The longest first; of more than TIMELINE_RAN the longest, or nearly. */
struct timeline_meanwhile {
	int cpu;    /* -1: not known which, or (--light) when vCPUs run; or nobody took it: quota */
	bool whole; /* else they may have run longer: outside of the window, or it is more than
		     * could be kept, or it is not known on which CPU somebody was */
	unsigned rans;
	struct timeline_ran {
		const struct model_vcpu *v;
		__u64 ns;
	} ran[TIMELINE_RAN];
};

struct timeline_vm {
	unsigned first, rows;
	struct timeline_known known;
};

struct timeline {
	struct timeline_opts opts;
	__u64 from_ns, to_ns;	  /* the window */
	__u64 width_ns;		  /* of a column; the last may be cut by the window's end */
	unsigned columns;	  /* after timeline__finish(): as many as the window needs */
	struct timeline_row *row; /* ... row[i] is summary->vcpu[i] */
	unsigned rows;
	struct timeline_vm *vm; /* neighbours among the rows */
	unsigned vms;
	struct timeline_known known;   /* of all rows */
	struct timeline_absence *wide; /* by row, then time */
	unsigned wides;
	struct timeline_absence worst[TIMELINE_WORST]; /* longest run delay first, of all rows */
	unsigned worsts;
	struct timeline_meanwhile meanwhile[TIMELINE_WORST]; /* of worst[i] */
	/* not for readers */
	__u32 *index; /* vCPU's id -> row + 1 */
	__u32 indexes;
	unsigned row_room, wide_room;
	struct timeline_cpu *cpu; /* what ran last, per CPU */
	unsigned cpus;
};

void timeline__init(struct timeline *t, const struct timeline_opts *opts);

/* The window, before the first span; to_ns ~0: not known yet. */
void timeline__begin(struct timeline *t, __u64 from_ns, __u64 to_ns);

/* See struct sink: `span`, `absence`. s is cut to the window. 0 or -ENOMEM. */
int timeline__span(void *timeline, struct model_vcpu *v, const struct span *s,
		   const struct absence *a, const struct model_task *task);
int timeline__absence(void *timeline, struct model_vcpu *v, const struct absence *a,
		      const struct model_task *task);

/* After the last span: a row for each vCPU of the summary, in its order. s and its model must
 * outlive t. 0 or -ENOMEM. */
int timeline__finish(struct timeline *t, const struct summary *s);

/* After timeline__finish(): joins neighbours until at most so many columns are left. */
void timeline__coarsen(struct timeline *t, unsigned columns);

void timeline__free(struct timeline *t);

/* ---- for those who draw ------------------------------------------------------------------- */

/* Who ran while absence a kept others waiting; NULL: not one of the worst. */
const struct timeline_meanwhile *timeline__meanwhile(const struct timeline *t,
						     const struct timeline_absence *a);

/* The time at which column c begins; of c == columns the window's end. */
__u64 timeline__edge(const struct timeline *t, unsigned c);

/* Deals `units` (pixels, eighths) out to the shades in proportion to their time. Every state that
 * occurs gets at least one; where there are not enough units for that, those that matter most do:
 * preempted, then unknown. All 0 if the column is empty. */
void timeline__shares(const struct timeline_column *c, unsigned units,
		      unsigned share[TIMELINE_SHADES]);

#endif
