/* SPDX-License-Identifier: BSD-2-Clause */
/* Models in DOT that tests make up: from a few lines of edges and labels to a file, and to tables.
 */
#ifndef KVMSCHED_TESTS_MODEL_TEXT_H
#define KVMSCHED_TESTS_MODEL_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "automaton_build.h"

static char model_file[64]; /* NAME.dot in a scratch directory */
static char model_dir[48];

/* Writes text as it is. */
static inline void model_write(const char *text)
{
	FILE *f;

	snprintf(model_dir, sizeof(model_dir), "/tmp/test_model_XXXXXX");
	if (!mkdtemp(model_dir))
		abort();
	snprintf(model_file, sizeof(model_file), "%s/made_up.dot", model_dir);
	f = fopen(model_file, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

static inline void model_remove(void)
{
	unlink(model_file);
	rmdir(model_dir);
}

/* Around statements (edges, labels): the graph, and the mark of the initial state. */
static inline const char *model_around(const char *initial, const char *statements)
{
	static char text[8192];

	snprintf(text, sizeof(text),
		 "digraph state_automaton {\n\tlabel = \"made up\";\n"
		 "\t{node [shape = plaintext, style=invis, label=\"\"] \"__init_%s\"};\n"
		 "\t{node [shape = doublecircle] \"%s\"};\n\t\"__init_%s\" -> \"%s\";\n%s}\n",
		 initial, initial, initial, initial, statements);
	return text;
}

/* The tables of a model in `text`; NULL: it was refused, and err.c has said why. */
static inline struct automaton *model_build(const char *text)
{
	struct automaton *a = NULL;
	struct dot *d = NULL;

	model_write(text);
	if (!dot__read(&d, model_file))
		automaton__build(&a, d);
	dot__free(d);
	model_remove();
	return a;
}

#endif
