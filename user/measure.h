/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THE table of what is measured: name, kind, what it needs, help; and where a summary keeps it.
 * Every command that takes a measure's name, and every JSON key, goes by it. A measure that a mode
 * or a kernel cannot give is absent: the calls below say so, and why; it is never 0.
 */
#ifndef KVMSCHED_MEASURE_H
#define KVMSCHED_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>
#include "summary.h"

/* A measure may be several: "preempted" is the time in a state, and a distribution of its absences.
 */
#define MEASURE_TIME  0x1 /* ns; JSON key NAME_ns */
#define MEASURE_DIST  0x2 /* of ns; JSON key NAME, an object */
#define MEASURE_COUNT 0x4 /* JSON key NAME */

struct measure {
	const char *name;
	unsigned kinds;
	unsigned modes; /* 1 << MODE_DEFAULT | ... */
	__u32 fields;	/* KS_M_*: what the kernel must have */
	const char *help;
	size_t time, dist, cost, count; /* offsets in struct summary_vcpu, 0 = none */
};

/* In the order of the report: for (at = 0; (m = measure__next(&at));) */
const struct measure *measure__next(unsigned *at);

const struct measure *measure__find(const char *name, size_t len); /* NULL: no such measure */

/* Why v has no such measure, for people; NULL: it has. In what follows, v may be &s->total. */
const char *measure__why_absent(const struct measure *m, const struct summary *s,
				const struct summary_vcpu *v);

/* false: absent, or the measure is of another kind. */
bool measure__time(const struct measure *m, const struct summary *s, const struct summary_vcpu *v,
		   __u64 *ns);
bool measure__count(const struct measure *m, const struct summary *s, const struct summary_vcpu *v,
		    __u64 *n);

/* NULL: absent, or the measure is of another kind. */
const struct hist *measure__dist(const struct measure *m, const struct summary *s,
				 const struct summary_vcpu *v);

/* Is its distribution made of absences, each with its own? */
bool measure__has_absences(const struct measure *m);

/* What an ended absence adds to the measure's distribution; false: nothing. */
bool measure__of_absence(const struct measure *m, const struct absence *a, __u64 *ns);

/* For *_cost, whose count, sum and maximum are there even where the distribution is not. */
const struct cost *measure__cost(const struct measure *m, const struct summary *s,
				 const struct summary_vcpu *v);

/* --list-measures. 0 or -errno. */
int measure__list(FILE *f);

#endif
