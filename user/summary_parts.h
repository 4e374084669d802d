/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of summary.c share; for summary*.c only. */
#ifndef KVMSCHED_SUMMARY_PARTS_H
#define KVMSCHED_SUMMARY_PARTS_H

#include "summary.h"

/* t took v's CPU `count` times, for ns in all. Sets s->err where there is no memory. */
void summary_parts__taken(struct summary *s, const struct model_vcpu *v, __u8 by,
			  const struct model_task *t, __u64 ns, __u64 count);

/* Of the same victim, by the same task; NULL: there is none. */
const struct summary_preemptor *summary_parts__find(const struct summary *s,
						    const struct summary_preemptor *p);

/* Needed for the calls above once they have been sorted, or changed. */
void summary_parts__reindex(struct summary *s);

#endif
