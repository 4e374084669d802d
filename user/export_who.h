/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a vCPU is, and who took its CPU, in words: the same for every format of `export`. What is
 * made of these words may be kept as long as they would be the same again: that is known here too.
 * Knows no format.
 */
#ifndef KVMSCHED_EXPORT_WHO_H
#define KVMSCHED_EXPORT_WHO_H

#include <string.h>
#include "model.h"

#define WHO_NAME_SIZE 160

/* What a vCPU's words were made of. */
struct who_key {
	unsigned naming;
	__u32 tid;
	bool used;
};

/* The words of the taker that an absence names. NULL, -1: not known, or none. Not escaped. */
struct taker_words {
	const char *by, *comm, *vm;
	__u32 tid;
	__s64 pid, vcpu;
	char name[WHO_NAME_SIZE]; /* vm points here */
};

/* What a taker's words were made of. */
struct taker_key {
	struct model_task task;
	unsigned naming;
	__u8 by;
	bool known, used;
};

/* A VM's name may still change while we look: what it was made of. */
static inline unsigned who__naming(const struct model *m, __u32 vm)
{
	const struct model_vm *p = model__vm(m, vm);

	return p ? 1 | p->named << 1 | p->twice << 2 | p->same_vmm << 3 : 0;
}

/* Would a vCPU's words be the same? Else k is what they are made of now. */
static inline bool who__same(struct who_key *k, const struct model *m, const struct model_vcpu *v)
{
	unsigned naming = who__naming(m, v->vm);

	if (k->used && k->naming == naming && k->tid == v->v.tid)
		return true;
	*k = (struct who_key){.naming = naming, .tid = v->v.tid, .used = true};
	return false;
}

/* The same for the taker of a's CPU; a->by is not KS_BY_NONE. */
static inline bool taker__same(struct taker_key *k, const struct model *m, const struct absence *a,
			       const struct model_task *task)
{
	const struct model_task unknown = {.tid = a->next_tid, .vm = a->next_vm};
	const struct model_task *t = task ?: &unknown;
	unsigned naming = who__naming(m, t->vm);

	if (k->used && k->known == !!task && k->by == a->by && k->naming == naming &&
	    k->task.tid == t->tid && k->task.start_ns == t->start_ns && k->task.vcpu == t->vcpu &&
	    k->task.vm == t->vm && k->task.tgid == t->tgid &&
	    !memcmp(k->task.comm, t->comm, sizeof(t->comm)))
		return true;
	*k = (struct taker_key){
		.task = *t, .naming = naming, .by = a->by, .known = task, .used = true};
	return false;
}

/* A place for a taker among 2^bits: one task is of several classes, as it takes the CPUs of several
 * VMs. */
static inline __u32 taker__slot(const struct absence *a, unsigned bits)
{
	return (a->next_tid * KS_BY_CNT + a->by) * 2654435761U >> (32 - bits);
}

/* The words that k stands for. */
void taker__words(const struct taker_key *k, const struct model *m, struct taker_words *w);

#endif
