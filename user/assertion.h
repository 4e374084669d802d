/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions on numbers: "FN(measure) OP VALUE [by vm|vcpu]", over the catalogue of measures and a
 * summary. The one parser and evaluator of such expressions.
 *
 *	FN := count | sum | mean | min | max | p50 | p90 | p99 | p99.9
 *	OP := < | <= | == | >= | >
 *
 * VALUE is a TIME, or a plain number where a count is compared.
 *
 * And limits on how a number may change: "FN(measure) +N%|-N%|+TIME|-TIME [by vm]"; and what is too
 * long for one absence: "MEASURE > TIME".
 */
#ifndef KVMSCHED_ASSERTION_H
#define KVMSCHED_ASSERTION_H

#include <stdbool.h>
#include "compare.h"
#include "measure.h"

enum assertion_fn {
	FN_COUNT,
	FN_SUM,
	FN_MEAN,
	FN_MIN,
	FN_MAX,
	FN_P50,
	FN_P90,
	FN_P99,
	FN_P999,
	FN_CNT
};

struct assertion {
	const char *text; /* as written; the caller's */
	enum assertion_fn fn;
	const struct measure *measure;
	enum compare op;
	__u64 value;
	bool is_time; /* the value's unit is ns */
	enum summary_by by;
};

/* Of all groups together. */
struct assertion_result {
	const char *absent; /* why there is no such number, NULL = there is; static */
	unsigned groups;    /* that have the number */
	unsigned failed;    /* ... and for which it does not hold */
	__u64 value;	    /* of the group that fails first, or that is last if none does */
	const struct model_vcpu *v; /* of that group; NULL: all vCPUs */
	bool sure;		    /* a failure stays one whatever records are missing */
};

/* 0, or -EINVAL and *why (static) and *at, where in text. */
int assertion__parse(struct assertion *a, const char *text, const char **why, const char **at);

/* A bound that each absence has to itself, by being too long: "MEASURE > TIME" or ">=", of an
 * absence's measures. fn is FN_MAX. 0, or -EINVAL as assertion__parse(). */
int assertion__parse_bound(struct assertion *a, const char *text, const char **why,
			   const char **at);

/* 0 or -ENOMEM. */
int assertion__evaluate(const struct assertion *a, const struct summary *s,
			struct assertion_result *r);

/* The first absence that breaks an assertion. */
struct assertion_breach {
	const struct model_vcpu *v; /* NULL: there was none, or it takes more than one */
	struct absence absence;
};

/* Does this one absence break it, whatever else comes? Of maxima and of what must not happen at
 * all.
 */
bool assertion__broken_by(const struct assertion *a, const struct absence *absence);

/* By how much a number may grow or fall from one recording to another. */
struct assertion_limit {
	const char *text; /* as written; the caller's */
	enum assertion_fn fn;
	const struct measure *measure;
	bool falls;   /* it must not fall by more; else it must not grow by more */
	bool percent; /* value is in millionths of the number before; else ns */
	__u64 value;
	enum summary_by by; /* all VMs together, or each */
};

/* 0, or -EINVAL as assertion__parse(). Minima and maxima have no limits: a single value is not
 * known better for being watched longer. */
int assertion__parse_limit(struct assertion_limit *l, const char *text, const char **why,
			   const char **at);

unsigned assertion__permille(enum assertion_fn fn); /* of a quantile; 0: it is none */

const char *assertion__fn_name(enum assertion_fn fn);

#endif
