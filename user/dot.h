/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model as a graph: states, edges and their labels, as the kernel's runtime verification writes
 * them in DOT (Documentation/trace/rv). dot.c is the only file that sees libcgraph; what the labels
 * say is automaton_build.c's.
 */
#ifndef KVMSCHED_DOT_H
#define KVMSCHED_DOT_H

#include <stdbool.h>
#include <string.h>

struct dot_state {
	char *name;
	char *label; /* "NAME" or "NAME\nINVARIANT", with the two characters \n as in the file */
};

struct dot_edge {
	unsigned from, to; /* states */
	char *label;
};

struct dot {
	char *file; /* as it was given, for messages */
	char *name; /* the file's, without directory and .dot */
	char *help; /* the graph's label, "" = none */
	char *text; /* the whole file */
	unsigned initial;
	struct dot_state *state;
	unsigned states;
	struct dot_edge *edge;
	unsigned edges;
};

/* Reads a file. On failure says why (FILE:LINE: for syntax errors) and returns -errno: -EINVAL for
 * what is no model. */
int dot__read(struct dot **d, const char *file);

/* Has the state no label of its own? */
static inline bool dot__unlabelled(const struct dot_state *s)
{
	return !*s->label || !strcmp(s->label, "\\N");
}

void dot__free(struct dot *d); /* NULL is fine */

#endif
