/* SPDX-License-Identifier: BSD-2-Clause */
/* Of a VM's profile, one number's samples, block by block. */
#ifndef KVMSCHED_DIFF_SAMPLE_H
#define KVMSCHED_DIFF_SAMPLE_H

#include "diff.h"

/* Its own memory: num, den, or the distribution. */
struct diff_sample {
	struct resample_sample s;
	double num[PROFILE_BLOCKS], den[PROFILE_BLOCKS];
	struct resample_cdf cdf;
};

/* The measure's number as measure__next() counts. DIFF_CLASS, DIFF_TAKEN: t is who took, NULL:
 * there is none. DIFF_QUANTILE: set s.permille afterwards as often as needed. 0 or -ENOMEM. */
int diff_sample__make(struct diff_sample *out, const struct profile *p, const struct profile_vm *vm,
		      enum diff_kind kind, unsigned measure, const struct profile_taker *t);

/* By how much less the variance of the drift of a number is in a recording of that length than in
 * the shortest: 0 .. 1. */
double diff_sample__fades(__u64 length_ns);

void diff_sample__free(struct diff_sample *s);

#endif
