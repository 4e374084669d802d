/* SPDX-License-Identifier: BSD-2-Clause */
/* Student's t and the normal distribution, as far as intervals need them. Pure arithmetic. */
#ifndef KVMSCHED_STUDENT_H
#define KVMSCHED_STUDENT_H

/* P(|T| > t) for t >= 0 and df > 0 degrees of freedom, which need not be whole. Infinite df: the
 * normal distribution. By the incomplete beta function: Abramowitz and Stegun, 26.7.1. */
double student__tail(double t, double df);

/* The t with P(|T| > t) = tail, 0 < tail <= 1. */
double student__quantile(double tail, double df);

#endif
