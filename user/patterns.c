// SPDX-License-Identifier: BSD-2-Clause
/* See patterns.h. */
#include "patterns.h"

bool patterns__cover(struct patterns *p, const struct automaton *a, unsigned at)
{
	const struct automaton_edge *edge = &a->edge[at];
	__u64 care = 0;

	if (a->states > 1 || a->clocks)
		return false;
	for (unsigned i = 0; i < edge->conjs; i++) {
		if (edge->conj[i].terms)
			return false;
		care |= edge->conj[i].mask;
	}
	p->care |= care;
	return true;
}
