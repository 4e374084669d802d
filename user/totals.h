/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intervals, one after the other, added up to a summary that goes on for weeks: it never falls, and
 * it does not grow with what has been. A vCPU that is gone is folded into its VM; a VM that is gone
 * is forgotten some minutes later: the only place that keeps what is gone, names too. Of
 * distributions it has run_delay, of preemptors the classes. Pure: its clock is the intervals'.
 */
#ifndef KVMSCHED_TOTALS_H
#define KVMSCHED_TOTALS_H

#include "intervals.h"

#define TOTALS_GONE_NS	(300 * 1000000000ULL) /* then a VM is forgotten */
#define TOTALS_GONE_MAX 256		      /* or when so many others have gone since */

struct totals_vm;

struct totals {
	struct summary sum;    /* vcpu[] is in groups by VM; there is no total */
	struct model *names;   /* sum.model: only the VMs that it shows */
	bool per_vcpu;	       /* else a VM's vCPUs are one from the start */
	unsigned room;	       /* of sum.vcpu */
	unsigned sorted;       /* of sum.vcpu: those behind were added since */
	struct totals_vm **vm; /* by id */
	unsigned vms;
};

void totals__init(struct totals *t, bool per_vcpu);

/* tick: of intervals that are being added up (intervals__add_up()). Then its model may forget who
 * is gone. 0 or -ENOMEM. */
int totals__add(struct totals *t, const struct tick *tick);

void totals__free(struct totals *t);

#endif
