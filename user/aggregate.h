/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second producer of summaries: what the kernel has added up (struct ks_agg), instead of
 * records. It gives what a model fed with the records of the same run would: times to the
 * nanosecond, counts, and distributions in the kernel's wider buckets. Preemptors are classes, and
 * only where they were asked for. Pure but for memory: it is handed shared memory and descriptors.
 *
 * A summary is of all since the trace began, so nothing in it ever falls. The vCPUs are read one
 * after the other: each one's states add up to the time until it was read, which is the summary's
 * end only for one made after the trace's end, and else some microseconds before.
 *
 * What is gone is in one more summary, and then forgotten: a vCPU is folded into its VM
 * (summary_vcpu.folded), which sets its place in the kernel free, and a VM is known no longer, by
 * name either. Whoever adds up intervals (totals.h) keeps the names that it shows.
 */
#ifndef KVMSCHED_AGGREGATE_H
#define KVMSCHED_AGGREGATE_H

#include "filter.h"
#include "session.h"
#include "summary.h"
#include "sums.h"

struct aggregate;

/* The next of the trace's descriptors, for m. 0 or -ENOMEM. */
int aggregate__describe(struct model *m, const struct ks_head *r);

/* m: is fed with the trace's descriptors by the caller. All must outlive it.
 * NULL: no memory. */
struct aggregate *aggregate__new(const struct session *s, const struct filter *f, struct model *m,
				 const struct sums *sums);

/* The summary as of now_ns, finished; summary__free() it before the next is made. by_victim: see
 * struct summary. The model's vCPUs are then as they were when they were read. 0 or -ENOMEM. */
int aggregate__read(struct aggregate *g, __u64 now_ns, bool by_victim, struct summary *s);

/* The places of vCPUs that are gone are needed: folds them at once. 0 or -ENOMEM. */
int aggregate__collect(struct aggregate *g);

void aggregate__free(struct aggregate *g); /* NULL is fine */

#endif
