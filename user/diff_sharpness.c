// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which change would have shown? Said of one number, the VM's wait for CPUs, so that "no change"
 * can be told from "not enough data"; and what longer recordings would show. Only arithmetic on
 * what the comparison left behind.
 */
#include <math.h>
#include <string.h>
#include "diff_parts.h"

#define FINE_RELATIVE 0.1  /* what one would want to see: a change of 10 %, */
#define FINE_POINTS   0.02 /* or of 2 points of the time where there is no relation */

static const struct diff_line *find_share(const struct diff_vm *vm, const char *measure)
{
	for (unsigned i = 0; i < vm->lines; i++) {
		const struct diff_line *l = &vm->line[i];

		if (l->kind == DIFF_SHARE && !l->why && !strcmp(l->measure->name, measure))
			return l;
	}
	return NULL;
}

/* Blocks tell more the more there is of them; drift fades. */
static double variance(const struct resample_part *p, __u64 from_ns, __u64 to_ns)
{
	return p->within * from_ns / to_ns +
	       p->drift * diff_sample__fades(to_ns) / diff_sample__fades(from_ns);
}

/* The half of the interval, were the recordings that long. */
static double half(const struct resample_effect *e, __u64 a_ns, __u64 b_ns, __u64 long_a_ns,
		   __u64 long_b_ns)
{
	double v = variance(&e->from_a, a_ns, long_a_ns) + variance(&e->from_b, b_ns, long_b_ns);

	return e->log ? expm1(e->needed * sqrt(v)) : e->needed * sqrt(v);
}

struct diff_sharpness diff__sharpness(const struct diff *d, const struct diff_vm *vm)
{
	static const unsigned longer_s[] = {10,	 20,  30,  45,	60,  90,   120,	 180,
					    240, 300, 450, 600, 900, 1200, 1800, 3600};
	__u64 a_ns = d->a->to_ns - d->a->from_ns, b_ns = d->b->to_ns - d->b->from_ns;
	const struct diff_line *l = find_share(vm, "run_delay") ?: find_share(vm, "preempted");
	struct diff_sharpness s = {.line = l};
	double fine;

	if (!l)
		return s;
	fine = l->e.log ? FINE_RELATIVE : FINE_POINTS;
	s.least = half(&l->e, a_ns, b_ns, a_ns, b_ns);
	for (unsigned i = 0; s.least > fine && i < sizeof(longer_s) / sizeof(*longer_s); i++) {
		s.long_ns = longer_s[i] * 1000000000ULL;
		s.least_then = half(&l->e, a_ns, b_ns, s.long_ns, s.long_ns);
		if (s.long_ns > a_ns && s.long_ns > b_ns && s.least_then <= fine)
			break;
	}
	if (s.least_then >= s.least) /* they are long already */
		s.long_ns = 0;
	return s;
}
