/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in the labels of a model, as text: "EVENT[;GUARD][;reset(CLOCK)]", a line each, on
 * edges; "STATE[\nINVARIANT]" on states. Knows no event, field or clock.
 *
 *	GUARD := NAME OP VALUE { && NAME OP VALUE | || NAME OP VALUE }    && binds tighter
 *	VALUE := digits[ns|us|ms|s] | identifier[()]
 */
#ifndef KVMSCHED_LABEL_H
#define KVMSCHED_LABEL_H

#include <stdbool.h>
#include <linux/types.h>
#include "compare.h"

#define LABEL_MAX   256 /* a line */
#define LABEL_NAME  64
#define LABEL_TERMS 16

struct label_term {
	char name[LABEL_NAME];
	enum compare op;
	bool alternative;	 /* the first of an || */
	bool timed;		 /* the value had a unit: value is ns */
	char symbol[LABEL_NAME]; /* "", or the parameter or macro that stands for the value */
	__u64 value;
};

struct label {
	char text[LABEL_MAX]; /* the line */
	char event[LABEL_NAME];
	struct label_term term[LABEL_TERMS];
	unsigned terms;
	char reset[4][LABEL_NAME];
	unsigned resets;
	const char *why; /* it cannot be read; static */
};

/* The next line of *at, which is moved behind it: 1; 0 at the end; -EINVAL and l->text, l->why. */
int label__next(const char **at, struct label *l);

/* A state's: its name goes to l->event, an invariant is l->term[0]. 0 or -EINVAL. */
int label__state(const char *text, struct label *l);

#endif
