/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMs of a summary, ready to be shown as metrics: which have series, under what name, and what
 * each one's vCPUs have together. Part of metrics.c, split off for its size.
 */
#ifndef KVMSCHED_METRICS_VMS_H
#define KVMSCHED_METRICS_VMS_H

#include "summary.h"

/* Upper edges of kvmsched_run_delay_seconds' buckets, as they are written, without +Inf. */
extern const struct metrics_edge {
	const char *le;
	__u64 ns;
} metrics_edges[];
#define METRICS_EDGES 17

/* What is shown of a VM, or of a vCPU. */
struct metrics_row {
	__u64 state_ns[ST_CNT];
	__u64 switches, migrations;
	unsigned states; /* 1 << ST_*: those that there are */
};

struct metrics_vm {
	__u32 vm;
	unsigned first, count; /* in summary.vcpu */
	bool dead;	       /* all its vCPUs are gone */
	char *label;	       /* its name, escaped; no two are the same */
	struct metrics_row row;
	bool has_delay;
	__u64 bucket[METRICS_EDGES]; /* run delays <= the edge */
	__u64 delays, delay_sum_ns;
	__u64 by_cnt[KS_BY_CNT], by_ns[KS_BY_CNT];
};

struct metrics_vms {
	struct metrics_vm *vm;
	unsigned vms;
	unsigned omitted; /* VMs that are not in it */
};

/* At most max VMs: those that live before those that are gone, and of each those with the lowest
 * ids, which were there first and keep their place. 0, or -ENOMEM with an empty v. */
int metrics_vms__init(struct metrics_vms *v, const struct summary *s, unsigned max);
void metrics_vms__free(struct metrics_vms *v);

/* Of one entry of the summary. */
void metrics_row__fill(struct metrics_row *r, const struct summary *s,
		       const struct summary_vcpu *v);

#endif
