/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a check found, test by test: the rules and the assertions, in one list that all formats
 * print.
 */
#ifndef KVMSCHED_VERDICT_H
#define KVMSCHED_VERDICT_H

#include <stdio.h>
#include "assertion.h"
#include "check.h"
#include "summary.h"
#include "term.h"

/* skipped: cannot be decided on this kernel or in this mode. inconclusive: it can, but what was
 * seen does not suffice. */
enum verdict_status {
	VERDICT_OK,
	VERDICT_VIOLATED,
	VERDICT_INCONCLUSIVE,
	VERDICT_SKIPPED,
	VERDICT_CNT
};

struct verdict_test {
	const char *name; /* the rule's, or the assertion as it was written */
	const char *help; /* a rule's sentence, else "" */
	enum verdict_status status;
	char why[256]; /* skipped, inconclusive */
	__u64 decided, violations;
	const struct check_rule *rule;	       /* or */
	const struct assertion_result *result; /* an assertion's */
	const struct assertion *assertion;
	const struct assertion_breach *breach;
};

struct verdict {
	const struct summary *summary;
	struct verdict_test *test;
	struct assertion_result *result;
	unsigned tests;
	unsigned count[VERDICT_CNT];
	char doubt[160]; /* why nothing can pass, "" = no doubt */
	enum verdict_status status;
};

/* Judges all rules of c and the assertions; breach[assertions] is by assertion, NULL: not looked
 * for. 0 or -ENOMEM; verdict__free() either way. */
int verdict__judge(struct verdict *v, const struct check *c, const struct summary *s,
		   const struct assertion *a, const struct assertion_breach *breach,
		   unsigned assertions);

void verdict__free(struct verdict *v);

const char *verdict__name(enum verdict_status s); /* "ok", "violated", "inconclusive", "skipped" */
int verdict__exit(const struct verdict *v);	  /* an exit status */

/* A violated test explained, in lines that begin with `prefix`. esc: for whom names are escaped. */
void verdict__explain(const struct verdict *v, const struct verdict_test *t, const char *prefix,
		      enum escape_for esc, FILE *f);

/* "scheduled_out 0, ..." of one point of a record, in letters: "S-RW"; . where it was not seen. */
#define VERDICT_FLAGS "S scheduled_out, P preempted, R ready, W wants_to_run"
const char *verdict__flags(const struct session *s, __u8 flags, char out[5]);

/* The formats. 0 or -errno. */
int verdict__text(const struct verdict *v, const struct term *t, FILE *f);
int verdict__ktap(const struct verdict *v, FILE *f);
int verdict__junit(const struct verdict *v, FILE *f);
int verdict__json(const struct verdict *v, FILE *f);

#endif
