/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only place that adds up: times per state, distributions, counts and preemptors, per vCPU,
 * over a window. Fed by a model's spans and absences; every output that shows a number reads it
 * from here.
 *
 * A span that crosses an edge of the window is clipped for the times, and so is the wait for a CPU,
 * which is the last part of a blocked absence. A distribution counts an
 * absence when it ends inside the window, with its whole length; one whose beginning was not seen
 * does not count. Summaries that follow each other (struct summary_ledger) count a wait that lies
 * before their window when they learn of it, so that together they have all of it.
 */
#ifndef KVMSCHED_SUMMARY_H
#define KVMSCHED_SUMMARY_H

#include <stdbool.h>
#include <linux/types.h>
#include "hist.h"
#include "model.h"

/* What loads or puts cost. Sums are exact; the distribution is only whole when every call had a
 * record of its own (the scheduler's always have; those of the ioctl path with --loads). */
struct cost {
	__u64 count, sum_ns, max_ns;
	bool known; /* the mode measures it (--full) */
	bool whole; /* dist has every one */
	struct hist dist;
};

/* Why an absence, whose time counts, is in no distribution. */
enum summary_apart {
	APART_NOT,    /* it is in them */
	APART_OPEN,   /* it was still going on when the trace ended */
	APART_LATER,  /* it ended after the window */
	APART_UNSEEN, /* its beginning was not seen */
};

struct summary_vcpu {
	const struct model_vcpu *v; /* folded: only its VM and VMM are known */
	__u64 state_ns[ST_CNT];
	__u64 run_delay_ns;	 /* runnable but waiting for a CPU, inside the window */
	__u64 state_cnt[ST_CNT]; /* ended absences by state */
	__u64 switches;		 /* sched_outs */
	__u64 migrations;	 /* absences that ended on another CPU */
	__u64 reloads;		 /* kvm_arch_vcpu_load() by the scheduler */
	__u64 loads, puts;	 /* ... and on the ioctl path */
	__u64 clamped;		 /* run delays that were cut to their absence */
	__u64 unmeasured;	 /* blocked absences without a run delay */
	struct {
		enum summary_apart why;
		bool whole; /* else it was longer */
		__u64 run_delay_ns;
	} apart;     /* the longest wait, in the window at least in part, that run_delay has not */
	bool folded; /* not one vCPU: what several of its VM had, those that are gone */
	struct hist absence, run_delay;
	struct hist by_state[ST_CNT]; /* preempted, halted, sleeping */
	struct cost reload, sched_put, load, put;
};

/* A task that took CPUs from the vCPUs of one VM, in one role. */
struct summary_preemptor {
	__u32 victim_vm;
	__u32 victim;		/* summary.by_victim: the vCPU's id in the trace; else 0 */
	__u64 victim_life;	/* ... and which of those that had the id */
	__u8 by;		/* KS_BY_* */
	struct model_task task; /* as last introduced; comm "" and tid only, if it was not */
	__u64 time_ns, count;
};

/* Between summaries that follow each other: of each vCPU's absence that went on when one ended, the
 * run delay that is counted already. A struct of zeros but for from_ns is an empty one; free open.
 */
struct summary_ledger {
	__u64 from_ns; /* where the first of them begins */
	struct summary_counted {
		__u64 from, ns; /* from: of the absence */
	} * open;		/* by the vCPU's slot */
	__u32 room;
};

struct summary {
	const struct session *session;
	const struct model *model;
	__u64 from_ns, to_ns;	   /* the window */
	__u64 events, lost;	   /* records in all, and those that found their ring full */
	__u64 odd;		   /* records that fit nowhere: a damaged recording */
	bool damaged;		   /* ... of which parts cannot be read */
	bool unfinished;	   /* the recorder was killed: it ends anywhere */
	struct summary_vcpu *vcpu; /* sorted by VM name, VMM, KVM's vCPU number */
	unsigned vcpus;
	struct summary_preemptor *preemptor; /* sorted by time, the longest first */
	unsigned preemptors;
	struct summary_vcpu total;
	int err; /* -ENOMEM: what is here is not the whole */
	bool by_cpu;
	struct summary_ledger *ledger; /* set it after summary__init(). NULL: it stands alone; else
					  it has no total, and preemptors in no order */
	bool by_victim; /* set it after summary__init(): preemptors per vCPU and not per VM */
	/* set it after summary__init(), where windows one after the other are added up: a
	 * preemption counts where it begins, and vCPUs that are gone have no time any more */
	bool adds_up;
	/* set it after summary__init(): a vCPU of which nothing is told does not belong into it */
	bool only_told;
	bool no_classes; /* who preempted was not looked at */
	const struct filter *filter;
	unsigned hash_size;
	__u32 *hash;
	struct summary_vcpu **by_slot; /* while it is being filled: by the vCPU's slot */
	__u32 slots;
	struct summary_vcpu *fold; /* ... and for those that are gone */
	unsigned folds;
};

/* from_ns, to_ns: the window; ~0 = the session's end. Fills listener: give it to model__new().
 * Several summaries may listen to one model, each with a window of its own. */
void summary__init(struct summary *s, const struct session *ses, const struct filter *f,
		   __u64 from_ns, __u64 to_ns, struct model_listener *listener);

/* The part of a span that counts: cut to the window, and time on a CPU that -C does not want is
 * ST_ELSEWHERE. false: none of it. */
bool summary__clip(const struct summary *s, const struct span *sp, struct span *out);

/* Does a count in distributions? */
enum summary_apart summary__apart(const struct summary *s, const struct absence *a);

/* Whom qsort() is to put first: who took longer. */
int summary__by_time(const void *preemptor, const void *other);
void summary__sort_preemptors(struct summary *s);
/* The second producer, aggregation (aggregate.c), fills in what it has of a vCPU. NULL: no memory;
 * err says so. */
struct summary_vcpu *summary__of(struct summary *s, struct model_vcpu *v);

/* ... of vCPUs that are gone, of the VM that v tells; v must outlive the summary. */
struct summary_vcpu *summary__fold(struct summary *s, const struct model_vcpu *v);

/* ... and that v lost its CPU `count` times, for ns in all. */
void summary__taken(struct summary *s, const struct model_vcpu *v, __u8 by, __u64 ns, __u64 count);

/* What `now` has that `before`, an earlier summary of the same vCPUs since the same moment, had
 * not; both are finished, and what `before` tells of may be forgotten by the model. The window is
 * the time between their ends; as an interval it has no total, and its preemptors are in no order.
 * Each vCPU's states are made to partition it, unless now->adds_up: the little that this moves
 * would gather there. 0 or -ENOMEM. */
int summary__since(struct summary *out, const struct summary *now, struct summary *before);

/* After model__end(): sorts, totals. m must outlive the summary. 0 or -ENOMEM. */
int summary__finish(struct summary *s, const struct model *m, __u64 lost);

/* Groups of adjacent vCPUs: all, a VM's, or one. */
enum summary_by { SUMMARY_BY_ALL, SUMMARY_BY_VM, SUMMARY_BY_VCPU };

/* How many vCPUs the group has that begins with s->vcpu[first]. */
unsigned summary__group(const struct summary *s, enum summary_by by, unsigned first);

/* Adds what v has to what `to` has. 0 or -ENOMEM. */
int summary__add(struct summary_vcpu *to, const struct summary_vcpu *v);

/* The same, but of the distributions only run_delay: a tenth of the time and memory. */
int summary__add_lean(struct summary_vcpu *to, const struct summary_vcpu *v);

/* What `count` vCPUs from s->vcpu[first] have together. Give it to summary__free_vcpu(). 0 or
 * -ENOMEM. */
int summary__add_up(const struct summary *s, unsigned first, unsigned count,
		    struct summary_vcpu *out);
void summary__free_vcpu(struct summary_vcpu *v);

/* false: all of its time was unknown, as far as it existed. Then 0 is not what anything was. */
bool summary__known(const struct summary_vcpu *v);

/* After summary__finish(): no vCPU at all, or with -C none that was ever on a wanted CPU. */
bool summary__nothing(const struct summary *s);

/* A VM's name for people and machines: see model__vm_name(). Returns out. */
const char *summary__vm_name(const struct summary *s, __u32 vm, char *out, size_t size);

void summary__free(struct summary *s);

#endif
