/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the terminal's timeline: its columns as characters, the names of those who took its CPU
 * for long, and the numbers of the longest waits. */
#ifndef KVMSCHED_TIMELINE_STRIP_H
#define KVMSCHED_TIMELINE_STRIP_H

#include <stdio.h>
#include "glyph.h"

#define STRIP_WORST 3 /* waits that are numbered */

struct strip {
	const struct timeline *t;
	const struct model *m;
	const struct term *term;
	struct glyph *cell; /* t->columns of them; text "": behind a wide character */
	struct glyphs glyphs;
};

/* 0 or -ENOMEM. t and term must live as long. */
int strip__init(struct strip *s, const struct timeline *t, const struct model *m,
		const struct term *term);
void strip__free(struct strip *s);

void strip__put(struct strip *s, unsigned row, FILE *f);

/* The column of a moment. */
unsigned strip__column(const struct timeline *t, __u64 ns);

#endif
