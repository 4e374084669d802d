/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Did a number change between two recordings, and by how much? Pure: it knows blocks of time, not
 * VMs or measures; no I/O, no clock; the same seed gives the same answer.
 *
 * What follows each other in a recording is alike: absences come in bursts. So not absences are
 * drawn again but whole blocks of time (Carlstein 1986, "The use of subseries values for estimating
 * the variance of a general statistic from a stationary sequence"; Künsch 1989, "The jackknife and
 * the bootstrap for general stationary observations"). Five corrections make few blocks honest:
 *
 * - A bootstrap of n blocks understates the variance by n / (n - 1), and its intervals need
 * Student's t instead of the normal distribution (Hesterberg 2015, "What teachers should know about
 * the bootstrap").
 * - Blocks that are still alike (lag-1 correlation r > 0) carry less: the variance is multiplied by
 *   (1 + r) / (1 - r), the degrees of freedom divided by it.
 * - If few blocks carry most of the deviation, as with a rare event, so is the variance itself
 * known badly: the degrees of freedom are those of a variance of values with that kurtosis, 2n /
 * (kurtosis - 1).
 * - Of many numbers tested one always seems to differ. So the intervals of a family hold together,
 * with 95 %: they are as wide as the largest deviation in a replicate demands (max-T: Westfall and
 * Young 1993, "Resampling-based multiple testing"; Romano and Wolf 2005, "Exact and approximate
 * stepdown methods for multiple hypothesis testing"), which knows that the numbers depend on each
 * other.
 * - What lasts as long as a recording cannot be seen in it, by no block and no autocorrelation. So
 * each sample says how far its number may drift between two recordings of one and the same thing,
 * and that variance is added, with no doubt of its own.
 */
#ifndef KVMSCHED_RESAMPLE_H
#define KVMSCHED_RESAMPLE_H

#include <stdbool.h>
#include <linux/types.h>

#define RESAMPLE_BLOCKS_MIN 10 /* with fewer nothing is said */
#define RESAMPLE_RUNS	    1000

/* A distribution, block by block: how many values of each block are <= value[row]. Rows ascend; the
 * last one has all of them. */
struct resample_cdf {
	unsigned rows;
	double *value;
	__u32 *below; /* [rows][blocks] */
};

/* A number of one recording: the quantile of cdf, or, where that is NULL, sum(num) / sum(den). A
 * block with den 0 does not take part in a ratio. */
struct resample_sample {
	const double *num, *den;
	const struct resample_cdf *cdf;
	unsigned permille;
	/* Its standard deviation between recordings of the same. Of a share p of a whole: times
	 * sqrt(p (1 - p)); of a quantile: the same, p being the share of the values beyond it; of
	 * any other ratio: times its value. */
	double drift;
	bool share; /* a ratio is one of parts to their whole */
};

/* What one recording adds to the variance of a difference, on its scale. */
struct resample_part {
	double within; /* known from its blocks */
	double drift;
};

/* Why there is no interval. */
enum resample_lack {
	RESAMPLE_ENOUGH,
	RESAMPLE_NONE,	 /* no values at all in one of them */
	RESAMPLE_BLOCKS, /* too few blocks */
	RESAMPLE_VALUES, /* too few values beyond the quantile */
};

struct resample_effect {
	double a, b; /* the numbers; NAN: it has none */
	enum resample_lack lack;
	bool log;      /* the difference is one of logarithms */
	double delta;  /* b - a, on that scale */
	double se, df; /* its standard error and degrees of freedom */
	struct resample_part from_a, from_b;
	double needed; /* how many standard errors make the interval; set by resample__interval() */
	bool has_relative; /* relative change: b / a - 1 */
	double relative, relative_low, relative_high;
	double change, low, high; /* b - a */
};

struct resample;

/* blocks_a, blocks_b: of the two recordings. NULL = out of memory. */
struct resample *resample__new(unsigned blocks_a, unsigned blocks_b, __u64 seed);
void resample__free(struct resample *r);

/* A new family: intervals that hold together. */
void resample__open(struct resample *r);

/* One more of the family. absolute: look at the difference, not at the ratio, even where that is
 * possible. Fills e but for the interval. */
void resample__compare(struct resample *r, const struct resample_sample *a,
		       const struct resample_sample *b, bool absolute, struct resample_effect *e);

/* The family is complete: how far its largest deviation goes in 95 % of the replicates. */
double resample__close(const struct resample *r);

/* Fills the interval of one of the family. */
void resample__interval(struct resample_effect *e, double critical);

#endif
