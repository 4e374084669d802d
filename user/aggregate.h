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
 * A vCPU that is gone is in one more summary as itself; then what it had is folded into its VM
 * (summary_vcpu.folded), and its place in the kernel is free. A VM that is gone is in the summaries
 * of AGGREGATE_LINGER_NS more, and at least in one; a single summary at the end has all of them.
 * The model knows it by name for AGGREGATE_NAMED_NS more, for those who have added up its
 * intervals.
 */
#ifndef KVMSCHED_AGGREGATE_H
#define KVMSCHED_AGGREGATE_H

#include "filter.h"
#include "session.h"
#include "summary.h"
#include "sums.h"

#define AGGREGATE_LINGER_NS 1000000000ULL
#define AGGREGATE_NAMED_NS  600000000000ULL

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
