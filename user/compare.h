/* SPDX-License-Identifier: BSD-2-Clause */
/* The six comparisons that expressions know: guards of models, assertions. */
#ifndef KVMSCHED_COMPARE_H
#define KVMSCHED_COMPARE_H

#include <stdbool.h>
#include <linux/types.h>

enum compare { CMP_LT, CMP_LE, CMP_EQ, CMP_NE, CMP_GE, CMP_GT, CMP_CNT };

/* Reads one at the start of s and sets *end behind it. 0 or -EINVAL. */
int compare__scan(const char *s, enum compare *op, const char **end);

const char *compare__name(enum compare op); /* "<", "<=", ... */

static inline bool compare__holds(enum compare op, __u64 a, __u64 b)
{
	switch (op) {
	case CMP_LT:
		return a < b;
	case CMP_LE:
		return a <= b;
	case CMP_EQ:
		return a == b;
	case CMP_NE:
		return a != b;
	case CMP_GE:
		return a >= b;
	default:
		return a > b;
	}
}

#endif
