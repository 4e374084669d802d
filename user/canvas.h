/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of styled text, laid out for a width before anybody paints them: on a full screen or, with
 * canvas__print(), as plain text. Texts are escaped already. Knows no terminal library.
 */
#ifndef KVMSCHED_CANVAS_H
#define KVMSCHED_CANVAS_H

#include <stdbool.h>
#include <stdio.h>
#include "term.h"

/* A piece of a line in one style; its text is canvas.text + at. */
struct canvas_run {
	unsigned line, column;
	enum term_style style;
	bool reverse;
	size_t at;
};

struct canvas {
	unsigned columns; /* ~0: as wide as it gets */
	unsigned rows;	  /* what comes below is left out; 0 = any number */
	bool utf8;
	unsigned line, column; /* where the next text goes */
	unsigned skip;	       /* so many lines from here on are left out */
	bool reverse;	       /* of what is put next */
	struct canvas_run *run;
	unsigned runs, run_room;
	char *text;
	size_t bytes, text_room;
	int err; /* -ENOMEM: something is missing */
};

void canvas__init(struct canvas *c, unsigned columns, bool utf8);
void canvas__clear(struct canvas *c); /* keeps the memory */
void canvas__free(struct canvas *c);

/* Shortened to what the line has room for. */
void canvas__put(struct canvas *c, enum term_style style, const char *text);
/* In a field of so many columns, shortened to it; on the left or on the right of it. */
void canvas__field(struct canvas *c, enum term_style style, const char *text, unsigned width,
		   bool right);
/* Blanks up to this column. */
void canvas__to(struct canvas *c, unsigned column);
void canvas__newline(struct canvas *c);

/* Behind what the line has, and a gap of two; on the next line where there is no room for both. */
void canvas__flow(struct canvas *c, enum term_style style, const char *text);

/* 0 or -errno. */
int canvas__print(const struct canvas *c, const struct term *t, FILE *f);

#endif
