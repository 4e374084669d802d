/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ONE vCPU's state machine: records in, spans and ended absences out. Pure: no I/O, no clock, no
 * allocation. It knows nothing of other vCPUs, of names, or of what becomes of its output.
 *
 * The spans of a vCPU are adjacent and cover the window from its start to vcpu__end(), so the times
 * of the states add up to it exactly.
 */
#ifndef KVMSCHED_VCPU_H
#define KVMSCHED_VCPU_H

#include <stdbool.h>
#include <linux/types.h>
#include "wire.h"

enum state {
	ST_RUNNING,
	ST_USER,
	ST_ON_OR_USER, /* light mode: running or user */
	ST_PREEMPTED,
	ST_HALTED,
	ST_SLEEPING,
	ST_ABSENT,
	ST_UNKNOWN,
	ST_ELSEWHERE, /* on a CPU that the filter -C does not want */
	ST_CNT,
};

const char *state__name(enum state s);	  /* "running", "on_or_user", ... */
enum state state__of_reason(__u8 reason); /* of an absence: KS_R_* */

/* A stretch of one state. In a running span user_ns of it, at times that the records do not tell,
 * were spent in the VMM: bare loads and puts that were added up in the kernel. */
struct span {
	__u64 from, to;
	__u64 user_ns;
	enum state state;
	__u16 cpu; /* where it runs, or ran last */
	bool open; /* cut off by the end of the window, not by a record */
};

#define VCPU_NO_CPU 0xffff /* in absence.cpu_out: not known, as its beginning was not seen */

/* One absence: sched_out to sched_in. */
struct absence {
	__u64 from, to;
	__u64 run_delay_ns; /* time runnable but waiting, if has_run_delay */
	__u32 next_tid;	    /* who was switched in */
	__u32 next_vm;
	__u16 cpu_out, cpu_in;
	__u8 reason; /* KS_R_* */
	__u8 by;     /* KS_BY_* */
	bool has_run_delay;
	bool clamped; /* the growth was longer than the absence */
	bool whole;   /* its beginning was seen: it counts in distributions */
	bool open;    /* the window ended first: `to` is its end, cpu_in means nothing */
};

struct vcpu {
	__u64 since; /* everything before is in a span already */
	__u32 seq;   /* the last record's */
	__u32 tid;
	__u64 lost; /* records that the sequence numbers miss */
	__u64 odd;  /* records that cannot follow what was before */
	enum state state;
	bool light;
	bool fresh;   /* nothing was seen yet: the first record tells what was before it */
	bool snapped; /* ... or the snapshot */
	bool dead;
	bool ran; /* a switch has told its thread */
	__u16 cpu;
	struct absence out; /* the open one, while the state is an absence's */
};

/* What one record brought. */
struct step {
	unsigned spans;
	struct span span[2];
	bool ended; /* an absence, in .absence; at the window's end also one that is open */
	struct absence absence;
	__u32 lost; /* records missing just before this one */
};

/* A vCPU that is first heard of: it existed when the window began. */
void vcpu__init(struct vcpu *v, __u64 start_ns, bool light);

/* It did not exist before ts (its descriptor says so). Ignored once records came. */
void vcpu__created(struct vcpu *v, __u64 ts, struct step *out);

/* The next record in order of time: OUT, IN, LOADS, LOAD, PUT, GONE or SNAP. */
void vcpu__step(struct vcpu *v, const struct ks_head *r, struct step *out);

/* The window ends: the last span, open, and the absence that it belongs to, if any. */
void vcpu__end(struct vcpu *v, __u64 end_ns, struct step *out);

#endif
