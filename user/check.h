/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules against vCPUs: one run of each automaton per vCPU, fed with the vCPU's records. Counts
 * decisions and violations, and keeps each rule's first violation with what led to it. Memory per
 * vCPU and rule, not per event. Pure.
 */
#ifndef KVMSCHED_CHECK_H
#define KVMSCHED_CHECK_H

#include "automaton.h"
#include "model.h"

#define CHECK_RULES_MAX 256
#define CHECK_PAST	10 /* a vCPU's last records that a violation shows */

/* A record of a vCPU's own: OUT, IN, LOADS, LOAD, PUT or GONE. */
union check_record {
	struct ks_head h;
	struct ks_out out;
	struct ks_in in;
	struct ks_loads loads;
	struct ks_load load;
	struct ks_gone gone;
};

struct check_violation {
	const struct model_vcpu *v;
	__u32 set; /* the states that it was possibly in */
	bool late; /* the state's invariant was over; else the event was not allowed */
	bool open; /* ... when the trace ended: event has nothing but its time */
	struct event event;
	__u64 clock_ns[AUTOMATON_CLOCKS];
	__u8 clocks_known; /* bits */
	unsigned pasts;
	union check_record past[CHECK_PAST]; /* oldest first; the last one brought the event */
};

struct check_rule {
	const struct automaton *a;
	const char *skip; /* why it cannot be decided here, NULL = it can; static */
	__u64 decided;	  /* violations included */
	__u64 violations;
	struct check_violation *first; /* NULL: none */
};

struct check;

/* rules[count] stay the caller's. NULL: no memory. */
struct check *check__new(const struct session *s, const struct automaton *const *rules,
			 unsigned count);

/* The vCPU's next record (VCPU with KS_M_CREATED and SNAP included). judge: does it count, or is it
 * outside of what was asked for? 0 or -ENOMEM. */
int check__record(struct check *c, const struct model_vcpu *v, const struct ks_head *r, bool judge);

/* The trace ends. */
int check__end(struct check *c, __u64 end_ns, bool judge);

unsigned check__rules(const struct check *c);
const struct check_rule *check__rule(const struct check *c, unsigned i);

__u64 check__missing(const struct check *c);	/* records, as sequence numbers tell */
__u64 check__disorder(const struct check *c);	/* records twice, or out of order */
__u64 check__violations(const struct check *c); /* of all rules */

void check__free(struct check *c); /* NULL is fine */

#endif
