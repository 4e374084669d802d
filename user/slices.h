/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A window cut into slices of equal length, each with a summary of its own, so that what is said of
 * a whole can be asked of its parts. It adds nothing up itself: it hands each slice's summary what
 * concerns it. Knows no output.
 *
 * All slices stay until the end, since much is known late: what a vCPU did before its first record,
 * how long an absence was, how much of it was waiting. So what the slices hold adds up to what a
 * summary of the whole window holds, exactly.
 */
#ifndef KVMSCHED_SLICES_H
#define KVMSCHED_SLICES_H

#include "sink.h"

struct slices {
	__u64 from_ns, to_ns;
	unsigned count;
	unsigned last; /* that was asked for */
	struct summary *slice;
	struct model_listener to; /* the same functions for all slices */
};

/* Cuts [from_ns, to_ns) into count > 0 slices; the last one has what does not divide. 0 or -ENOMEM.
 */
int slices__init(struct slices *s, const struct session *ses, __u64 from_ns, __u64 to_ns,
		 unsigned count);

/* As a sink is handed them: filtered already (of events those that were asked for). 0 or -ENOMEM.
 */
int slices__event(struct slices *s, struct model_vcpu *v, const struct ks_head *r);
int slices__span(struct slices *s, struct model_vcpu *v, const struct span *sp,
		 const struct absence *a, const struct model_task *task);
int slices__absence(struct slices *s, struct model_vcpu *v, const struct absence *a,
		    const struct model_task *task);

/* After the last of them: slice[] are finished summaries. 0 or -ENOMEM. */
int slices__finish(struct slices *s, const struct model *m);

void slices__free(struct slices *s);

#endif
