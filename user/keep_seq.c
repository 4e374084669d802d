// SPDX-License-Identifier: BSD-2-Clause
/* A table by vCPU id; ids are small and dense, and were checked when the records were read. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "by_id.h"
#include "keep_seq.h"

struct keep_lane {
	__u32 seen;   /* the last record so far */
	__u32 before; /* the last one before what is kept */
	__u32 at;     /* the last one told of what is kept, or before */
	__u32 behind; /* the first one that is not kept follows this; if has_behind */
	bool has_behind;
	bool known; /* heard of in what is held */
};

bool keep_seq__number(const struct ks_head *r, struct keep_seq_number *n)
{
	const struct ks_gone *g = (const void *)r; /* vcpu, seq: at the same place in all */

	if (r->type >= KS_VCPU && r->type != KS_GONE && !(r->type == KS_SNAP && r->mask & KS_M_END))
		return false;
	*n = (struct keep_seq_number){g->vcpu, r->type < KS_VCPU ? g->seq - 1 : g->seq, g->seq};
	return true;
}
_Static_assert(offsetof(struct ks_out, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_in, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_loads, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_load, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_snap, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_vcpu, seq) == offsetof(struct ks_gone, seq),
	       "keep_seq__number()");

/* Numbers that go back are a damaged recording, not a loss. */
static __u32 gap(__u32 from, __u32 to)
{
	return to - from < 1U << 31 ? to - from : 0;
}

static struct keep_lane *lane(struct keep_seq *q, __u32 vcpu)
{
	return by_id__at(&q->lane, &q->lanes, sizeof(*q->lane), vcpu);
}

/* A recording that was itself cut out says how many there were before. */
static int on_vcpu(struct keep_seq *q, const struct ks_vcpu *r, bool held)
{
	struct keep_lane *l = lane(q, r->vcpu);

	if (!l)
		return -ENOMEM;
	l->known |= held;
	if (!l->seen)
		l->seen = l->before = l->at = r->seq;
	return 0;
}

int keep_seq__record(struct keep_seq *q, const struct ks_head *r, bool held)
{
	struct keep_lane *l;
	struct keep_seq_number n;

	if (r->type == KS_VCPU)
		return on_vcpu(q, (const void *)r, held);
	if (!keep_seq__number(r, &n))
		return 0;
	l = lane(q, n.vcpu);
	if (!l)
		return -ENOMEM;
	q->missing += gap(l->seen, n.previous);
	l->seen = n.last;
	l->known |= held;
	if (!held && !l->has_behind) {
		l->has_behind = true;
		l->behind = n.previous;
	}
	return 0;
}

void keep_seq__before(struct keep_seq *q, const struct ks_head *r)
{
	struct keep_seq_number n;

	if (keep_seq__number(r, &n))
		q->lane[n.vcpu].before = q->lane[n.vcpu].at = n.last;
}

__u32 keep_seq__inside(struct keep_seq *q, const struct ks_head *r)
{
	struct keep_seq_number n;
	__u32 missing;

	if (!keep_seq__number(r, &n))
		return 0;
	missing = gap(q->lane[n.vcpu].at, n.previous);
	q->lane[n.vcpu].at = n.last;
	return missing;
}

void keep_seq__behind(struct keep_seq *q, const struct ks_head *r)
{
	struct keep_seq_number n;

	if (!keep_seq__number(r, &n))
		return;
	q->lane[n.vcpu].has_behind = true;
	q->lane[n.vcpu].behind = n.previous;
}

__u32 keep_seq__had(const struct keep_seq *q, __u32 vcpu)
{
	return vcpu < q->lanes ? q->lane[vcpu].before : 0;
}

__u32 keep_seq__tail(const struct keep_seq *q, __u32 vcpu, __u32 *seq)
{
	const struct keep_lane *l = &q->lane[vcpu];

	if (vcpu >= q->lanes || !l->known || !l->has_behind)
		return 0;
	*seq = l->behind;
	return gap(l->at, l->behind);
}

void keep_seq__free(struct keep_seq *q)
{
	free(q->lane);
}
