/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two recordings compared: which VM of one is which of the other, what is worth comparing, what
 * changed, and whether limits on change are kept. Knows profiles and intervals; no files and no
 * output.
 */
#ifndef KVMSCHED_DIFF_H
#define KVMSCHED_DIFF_H

#include "assertion.h"
#include "profile.h"
#include "resample.h"

enum diff_kind {
	DIFF_SHARE, /* of the vCPUs' known time, 0 .. 1 */
	DIFF_CLASS, /* the same, that one class of preemptors had */
	DIFF_TAKEN, /* the same, that one preemptor had: a reason, no verdict of its own */
	DIFF_RATE,  /* per second of a vCPU's known time */
	DIFF_MEAN,  /* ns */
	DIFF_QUANTILE,
	DIFF_MAX, /* only shown: it has no interval */
};

enum diff_verdict {
	DIFF_SAME, /* no change that the data can show, or none worth telling */
	DIFF_ROSE,
	DIFF_FELL,
	DIFF_UNKNOWN, /* the data do not suffice, or one of the two lacks it: see why */
};

struct diff_line {
	enum diff_kind kind;
	const struct measure *measure;	   /* NULL: DIFF_CLASS, DIFF_TAKEN */
	const struct profile_taker *taker; /* DIFF_CLASS, DIFF_TAKEN */
	unsigned permille;		   /* DIFF_QUANTILE */
	struct resample_effect e;	   /* a, b: NAN where there is no such number */
	enum diff_verdict verdict;
	const char *why; /* DIFF_UNKNOWN, static */
	bool worse;	 /* it changed for the worse, */
	bool better;	 /* for the better; neither: that depends */
	bool repeats; /* an earlier line of the VM is the same to the last digit, as where it never
			 halts and each absence is all run delay, or where a class is one preemptor
		       */
	unsigned order; /* among its VM's, before they were sorted */
};

struct diff_vm {
	const struct profile_vm *a, *b;
	bool assumed; /* they have neither name nor uuid in common, but are the only ones left */
	struct diff_line *line;
	unsigned lines;
	unsigned changed, unknown;
};

struct diff_limit {
	const struct assertion_limit *limit;
	const struct diff_vm *vm; /* NULL: all VMs together */
	struct resample_effect e;
	const char *why; /* inconclusive: it cannot be decided; static. NULL: it is decided, or too
			    close */
	int status;	 /* EXIT_FINE, EXIT_VIOLATED or EXIT_INCONCLUSIVE */
};

struct diff {
	const struct profile *a, *b;
	double least; /* relative changes below this are not worth telling */
	struct diff_vm *vm;
	unsigned vms;
	const struct profile_vm **only_a, **only_b;
	unsigned only_as, only_bs;
	const char *no_pair; /* of those that were asked for: no two VMs are called so */
	unsigned changed;    /* lines, in all */
	unsigned decided;    /* lines that have an interval */
	struct diff_limit *limit;
	unsigned limits;
};

/* a and b must live as long. pairs: "NAME=NAME", a VM of A and which of B it is, up to a NULL;
 * NULL: none. least: see struct diff. limits: to be judged. 0 or -ENOMEM. */
int diff__make(struct diff *d, const struct profile *a, const struct profile *b,
	       const char *const *pairs, double least, __u64 seed,
	       const struct assertion_limit *limits, unsigned count);

static inline bool diff__is_share(enum diff_kind kind)
{
	return kind == DIFF_SHARE || kind == DIFF_CLASS || kind == DIFF_TAKEN;
}

/* How sharp the comparison of a VM was. least: the smallest change that would have shown, relative
 * if line->e.log, else of the share of the time. Were both recordings long_ns long, it would be
 * about least_then. */
struct diff_sharpness {
	const struct diff_line *line; /* the VM's wait for CPUs; NULL: it was not compared */
	double least, least_then;
	__u64 long_ns; /* 0: no need */
};

struct diff_sharpness diff__sharpness(const struct diff *d, const struct diff_vm *vm);

/* What a limit looks at. */
enum diff_kind diff__limit_kind(const struct assertion_limit *l);

void diff__free(struct diff *d);

#endif
