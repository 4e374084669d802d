/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many vCPUs: who they are, their state machines, who preempted them, what was lost. Fed with
 * records in order of time, it calls its listener with spans and ended absences. Pure: no I/O, no
 * clock.
 */
#ifndef KVMSCHED_MODEL_H
#define KVMSCHED_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "filter.h"
#include "session.h"
#include "vcpu.h"

struct model_vm {
	__u32 id;
	__u32 tgid;
	char comm[KS_COMM_LEN + 1];
	char name[96]; /* COMM-TGID until user space has looked it up */
	char uuid[40];
	char cgroup[260];
	__u32 alive;  /* its vCPUs that are not gone */
	__u32 vcpus;  /* ... and that the model still knows */
	__u8 burials; /* since it is dead and knows none */
	bool named;
	bool dead;     /* all its vCPUs are gone */
	bool twice;    /* another VM that lived at the same time has this name */
	bool same_vmm; /* ... and it is in the same process */
};

/* A task that took a vCPU's CPU. */
struct model_task {
	__u32 tid, tgid;
	__u64 start_ns;
	__u32 vm;   /* its VM, 0 = none */
	__u32 vcpu; /* the vCPU whose thread it is, 0 = none */
	__u8 kind;  /* KS_K_* */
	char comm[KS_COMM_LEN + 1];
};

struct model_vcpu {
	struct vcpu v;
	__u32 id;   /* 0: not heard of */
	__u32 slot; /* for arrays: dense, its own until it is buried */
	__u32 vm;
	__u32 tgid;
	__u64 life;	  /* its own for ever: an id is used again in aggregation */
	__s32 vcpu_id;	  /* KVM's; -1 while unknown */
	__u64 created_ns; /* if that was after the trace began; may be known ahead of its time */
	__u32 seq_before; /* its records before the recording began: 0 but in one that was cut */
	__u32 last_tid;	  /* its thread at the end, and when that was said; 0 = not foretold */
	__u64 last_tid_ns;
	__s32 task; /* of the open absence: index of the preemptor, -1 = not introduced */
	bool gone;
	signed char keep;	 /* what the filter says: 1, 0, -1 = not asked yet */
	struct model_vcpu *next; /* once it is forgotten */
};

struct model;

struct model_listener {
	/* a vCPU's own records, SNAP, and VCPU if it was created while we looked */
	void (*event)(void *ctx, struct model_vcpu *v, const struct ks_head *r,
		      const struct step *s);
	/* task: who preempted it (spans of a runnable absence), NULL = nobody, or not known */
	void (*span)(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		     const struct model_task *task);
	/* at its end; at the window's end also those that are open */
	void (*absence)(void *ctx, struct model_vcpu *v, const struct absence *a,
			const struct model_task *task);
	void *ctx;
};

struct model *model__new(const struct session *s, const struct filter *f,
			 const struct model_listener *l); /* NULL: no memory */

/* Identity (VCPU, VM, NAME), and its end (GONE), may be told as soon as it is known, ahead of its
 * time, but in its own order. 0 or -ENOMEM. */
int model__describe(struct model *m, const struct ks_head *r);

/* Which thread has a vCPU may be told ahead of its time too, by any record, in any order: a filter
 * by thread is then about the last one, which is also what is shown. 0 or -ENOMEM. */
int model__foretell(struct model *m, const struct ks_head *r);

/* The next record in order of time, identity included. 0 or -ENOMEM. */
int model__record(struct model *m, const struct ks_head *r);

/* What goes on at at_ns, as if the window ended there: the spans and absences that are open, to
 * another listener. Changes nothing. Records up to at_ns have been given, and none after it. */
void model__peek(struct model *m, __u64 at_ns, const struct model_listener *to);

/* The window ends. */
void model__end(struct model *m, __u64 end_ns);

__u64 model__events(const struct model *m);  /* records so far, all of them */
__u64 model__odd(const struct model *m);     /* of the vCPUs kept: records that fit nowhere */
__u64 model__missing(const struct model *m); /* ... and those that the sequence numbers miss */

const struct model_vm *model__vm(const struct model *m, __u32 id); /* NULL: not introduced */

/* Has it a name? Not where its descriptor was lost, or live where a filter left it out. */
bool model__vm_known(const struct model *m, __u32 id);

/* A VM's name for people and machines: name#pid where several VMs that live at the same time have
 * the name, name#pid.ID where they do in one process. Live, that is only known from the second
 * one's start on. Not escaped. Returns out. */
const char *model__vm_name(const struct model *m, __u32 id, char *out, size_t size);

/* A vCPU by its id in the trace, whether the filter keeps it or not; NULL: not heard of. */
const struct model_vcpu *model__vcpu(const struct model *m, __u32 id);

/* The same, to be changed; NULL also: not introduced, or the filter does not keep it. */
struct model_vcpu *model__vcpu_known(struct model *m, __u32 id);

/* A vCPU that is gone is no longer known; the number may be another's. Summaries may still refer to
 * it: its memory is there until model__bury() has been called twice. A VM is forgotten, at the
 * third call, once all its vCPUs are. */
void model__forget_vcpu(struct model *m, __u32 id);
void model__bury(struct model *m);

/* Forgets the vCPUs whose last record was taken, and buries; for who has used all summaries that
 * have them as themselves. */
void model__forget_dead(struct model *m);

/* What stands for the vCPUs of v's VM that are gone: no vCPU of the model's. NULL: no memory. To be
 * given back, for the same treatment. */
struct model_vcpu *model__stand_in(struct model *m, const struct model_vcpu *v);
void model__let_go(struct model *m, struct model_vcpu *v);

/* What `from` knows of a VM now, kept in `m` for when that has forgotten it: dead then, as last
 * told. NULL: no memory. */
const struct model_vm *model__keep_vm(struct model *m, const struct model *from, __u32 id);
void model__drop_vm(struct model *m, __u32 id);

/* The task that has this tid now, as last introduced; NULL: not known. */
const struct model_task *model__task(const struct model *m, __u32 tid);

/* The vCPUs that the filter keeps, in no order: for (at = 0; (v = model__next(m, &at));) */
struct model_vcpu *model__next(const struct model *m, unsigned *at);

void model__free(struct model *m); /* NULL is fine */

#endif
