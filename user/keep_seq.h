/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For keep.c: which records of each vCPU are missing, by their sequence numbers, before, in and
 * just behind the stretch that is kept. Knows neither the stretch nor the recording.
 *
 *	keep_seq__record per record ... -> keep_seq__before, __inside, __behind -> keep_seq__had,
 *__tail
 */
#ifndef KVMSCHED_KEEP_SEQ_H
#define KVMSCHED_KEEP_SEQ_H

#include <stdbool.h>
#include <linux/types.h>
#include "wire.h"

/* What a record says of its vCPU's numbers: it is number `last`, and follows `previous`. The end of
 * a vCPU, or of the window, has no number of its own but says which was the last. */
struct keep_seq_number {
	__u32 vcpu, previous, last;
};

/* false: it says nothing of them. */
bool keep_seq__number(const struct ks_head *r, struct keep_seq_number *n);

struct keep_lane;

struct keep_seq {
	struct keep_lane *lane; /* by vCPU */
	__u32 lanes;
	__u64 missing; /* in the whole trace */
};

/* The next record of the trace, of any type. held: it may be in what is kept; the first of a vCPU
 * that is not follows what is kept of it. 0 or -ENOMEM. */
int keep_seq__record(struct keep_seq *q, const struct ks_head *r, bool held);

/* A held record lies before what is kept. */
void keep_seq__before(struct keep_seq *q, const struct ks_head *r);

/* The next record of what is kept. Returns how many are missing just before it. */
__u32 keep_seq__inside(struct keep_seq *q, const struct ks_head *r);

/* A held record lies behind what is kept. Told from the last one to the first. */
void keep_seq__behind(struct keep_seq *q, const struct ks_head *r);

/* How many records a vCPU had had when what is kept begins. */
__u32 keep_seq__had(const struct keep_seq *q, __u32 vcpu);

/* How many records are missing between the vCPU's last one that is kept and the one that follows,
 * and *seq, the number of the last of them. */
__u32 keep_seq__tail(const struct keep_seq *q, __u32 vcpu, __u32 *seq);

void keep_seq__free(struct keep_seq *q);

#endif
