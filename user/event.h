/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vocabulary of rules: the events that a vCPU's records yield and the fields that guards may
 * ask for, with what each needs. docs/kvmsched-models.5 is checked against these tables.
 *
 * A record is a transition and yields an event per point that its hooks saw. Events of one vCPU
 * come in the order in which the kernel reached them.
 */
#ifndef KVMSCHED_EVENT_H
#define KVMSCHED_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "session.h"

enum event_id {
	EV_CREATED,
	EV_SCHED_OUT,
	EV_SCHED_PUT,
	EV_SCHED_PUT_END,
	EV_SCHED_OUT_END,
	EV_PREEMPT,
	EV_PREEMPT_IOCTL,
	EV_HALT,
	EV_SLEEP,
	EV_SCHED_IN,
	EV_RELOAD,
	EV_RELOAD_END,
	EV_SCHED_IN_END,
	EV_LOADS,
	EV_LOAD,
	EV_LOAD_END,
	EV_PUT,
	EV_PUT_END,
	EV_GONE,
	EV_CNT
};

/* Those that are 0 or 1 come first: each is a bit of struct event's bits and known; the first five
 * are the bits of KS_F_*. */
enum field {
	F_SCHEDULED_OUT,
	F_PREEMPTED,
	F_READY,
	F_WANTS_TO_RUN,
	F_BLOCKING,
	F_ON_RQ,
	F_SCHED_DELAYED,
	F_RUNNABLE,
	F_WANTS_CPU,
	F_THROTTLED,
	F_SAME_TASK,
	F_SAME_CPU,
	F_SAME_WANTS_TO_RUN,
	F_TOLD_CPU,
	F_ALONE,
	F_BITS,
	F_CPU = F_BITS,
	F_TID,
	F_NEXT_TID,
	F_LOADS,
	F_PUTS,
	F_INSIDE,
	F_ABSENCE,
	F_RUN_DELAY,
	F_CNT
};

#define FIELD(f) (1ULL << (f))

/* One event of one vCPU. A field is only worth something where known has its bit: what the kernel,
 * the mode or a loss keeps from us is unknown, not 0. */
struct event {
	__u64 ts;
	__u64 known; /* FIELD()s */
	__u64 bits;
	__u32 tid, next_tid, loads, puts;
	__u64 inside_ns, absence_ns, run_delay_ns;
	__u16 cpu;
	__u8 id; /* EV_* */
};

struct event_kind {
	const char *name;
	unsigned modes;	   /* 1 << MODE_DEFAULT | ...: where it is seen */
	signed char loads; /* 1: only with --loads; -1: only without; 0: either */
	__u64 fields;	   /* FIELD()s that it can have */
	const char *help;
};

struct field_kind {
	const char *name;
	char unit;	 /* 'b' 0 or 1, 'n' a number, 't' ns: constants may have a unit */
	__u32 needs;	 /* KS_M_*: what the kernel must have */
	const char *why; /* it is not there, where the kernel lacks that */
	const char *help;
};

extern const struct event_kind event_kinds[EV_CNT];
extern const struct field_kind field_kinds[F_CNT];

/* By name; EV_CNT, F_CNT: no such. */
enum event_id event__find(const char *name);
enum field field__find(const char *name);

__u64 event__field(const struct event *e, enum field f);

/* Why a trace like this has no such event or field, for people; NULL: it has. */
const char *event__why_absent(enum event_id id, const struct session *s);
const char *field__why_absent(enum field f, const struct session *s);

/* "cpu 1, scheduled_out 0, ...": of the fields in `which`, those that are known. Cut at size.
 * Returns out. */
const char *event__describe(const struct event *e, __u64 which, char *out, size_t size);

#endif
