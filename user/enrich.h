/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records in, events out: the one place that says what a record means to a rule, and that computes
 * what spans several records or vCPUs (same_task, same_cpu, alone, ...). Pure, and some 40 bytes
 * per vCPU.
 */
#ifndef KVMSCHED_ENRICH_H
#define KVMSCHED_ENRICH_H

#include "event.h"
#include "wire.h"

#define ENRICH_MAX 5 /* events of one record */

/* What is remembered of a vCPU. All zero: nothing is known. */
struct enrich_vcpu {
	__u64 out_ts;	 /* sched_out_end */
	__u64 task_bits; /* of the fields on_rq ... wants_cpu, when it was scheduled out */
	__u64 task_known;
	__u32 tid;
	__u16 cpu;
	__u8 wants_to_run;
	/* which of the above are known, and whether it has been loaded on cpu ever since */
	bool has_out, has_tid, has_cpu, has_wants_to_run, loaded;
};

struct enrich {
	const struct session *session;
	__u64 flags;	       /* FIELD()s of the flags that this kernel has */
	__u64 task;	       /* ... of what OUT says of the task */
	__u32 on[KS_CPUS_MAX]; /* by CPU: the vCPU that was last loaded there, as far as records
				  tell */
};

void enrich__init(struct enrich *e, const struct session *s);

/* The events of a record of vCPU number vcpu, in order. Returns how many out[] got. */
unsigned enrich__record(struct enrich *e, struct enrich_vcpu *v, __u32 vcpu,
			const struct ks_head *r, struct event out[ENRICH_MAX]);

/* Records are missing: what was known of the vCPU no longer holds. */
void enrich__forget(struct enrich_vcpu *v);

#endif
