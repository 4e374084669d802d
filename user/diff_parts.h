/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files that make a comparison share; for nobody else. */
#ifndef KVMSCHED_DIFF_PARTS_H
#define KVMSCHED_DIFF_PARTS_H

#include "diff_sample.h"

struct diff_making {
	struct diff *d;
	struct diff_vm *vm;
	struct resample *r;
};

/* The number of a measure's row in the catalogue, and so in a profile. */
unsigned diff__index_of(const struct measure *wanted);

const char *diff__lack_text(enum resample_lack lack); /* NULL: it lacks nothing */

/* Fills vm[] (without lines), only_* and no_pair. 0 or -ENOMEM. */
int diff__pair_vms(struct diff *d, const char *const *pairs);

/* Fills limit[]. 0 or -ENOMEM. */
int diff__judge_limits(struct diff_making *mk, const struct assertion_limit *limits,
		       unsigned count);

#endif
