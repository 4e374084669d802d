/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a graph with labels (dot.h) to tables (automaton.h). Both calls say what is wrong, naming
 * file, state or edge, and label.
 */
#ifndef KVMSCHED_AUTOMATON_BUILD_H
#define KVMSCHED_AUTOMATON_BUILD_H

#include "automaton.h"
#include "dot.h"

/* Say what is wrong with an edge, or a state (label NULL: not with its label). Return -EINVAL. */
int automaton__bad_edge(const struct dot *d, const struct dot_edge *e, const char *label,
			const char *why);
int automaton__bad_state(const struct dot *d, unsigned state, const char *label, const char *why);

/* Is it an automaton, whatever its events and fields are called? Its labels can be read, no event
 * leads from a state to two, each state can be reached. 0 or -EINVAL. */
int automaton__verify(const struct dot *d);

/* The same, and binds names to event_kinds[] and field_kinds[]. 0 or -errno. */
int automaton__build(struct automaton **a, const struct dot *d);

void automaton__free(struct automaton *a); /* of automaton__build(); NULL is fine */

#endif
