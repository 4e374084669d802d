/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A column of a timeline as one character.
 *
 * With colours and in UTF-8 it is a pile of the two states that matter most: one below, as high as
 * its share in eighths, the other above it. Waiting for a CPU is always below, however short it
 * was; what is not known always shows; of what is calm it is the two that took longest.
 *
 * Else it is one sign for the column. Preemption comes first: wherever there was any, the sign says
 * so, and in UTF-8 how much. Loss comes before all that is calm.
 */
#ifndef KVMSCHED_GLYPH_H
#define KVMSCHED_GLYPH_H

#include "term.h"
#include "timeline.h"

/* Colours of every terminal, 0 to 7. All 0: plain. */
struct pen {
	unsigned char fg, bg; /* colour + 1; 0 = the terminal's own */
	bool bold, dim, reverse;
};

extern const struct pen pen_mark; /* the number of a wait: stands out from every state */
extern const struct pen pen_name; /* who took the CPU, inside an absence */

bool pen__same(const struct pen *a, const struct pen *b);

/* Begins and ends what it writes; nothing where the terminal has no colours. */
void pen__on(const struct pen *p, const struct term *term, FILE *f);
void pen__off(const struct pen *p, const struct term *term, FILE *f);

struct glyph {
	char text[12];
	struct pen pen;
};

enum glyph_sign {
	SIGN_PREEMPTED, /* half of the column or more; UTF-8: any part, by its height */
	SIGN_PREEMPTED_PART,
	SIGN_PREEMPTED_UNKNOWN, /* and of the rest not everything is known */
	SIGN_WOKEN,		/* halted or sleeping, and then waiting for a CPU for long */
	SIGN_RUNNING,
	SIGN_RUNNING_MOSTLY, /* with absences in between */
	SIGN_ON_OR_USER,
	SIGN_ON_OR_USER_MOSTLY,
	SIGN_USER,
	SIGN_USER_MOSTLY,
	SIGN_HALTED,
	SIGN_HALTED_MOSTLY, /* on a CPU at times */
	SIGN_SLEEPING,
	SIGN_SLEEPING_MOSTLY,
	SIGN_UNKNOWN, /* in part at least */
	SIGN_ELSEWHERE,
	SIGN_ABSENT,
	SIGN_CNT,
};

/* How columns are drawn on a terminal, and what of it has occurred, for the legend. */
struct glyphs {
	const struct term *term;
	bool piles, shared; /* ... and some have two states */
	bool used[SIGN_CNT];
};

void glyphs__init(struct glyphs *g, const struct term *term);

struct glyph glyphs__draw(struct glyphs *g, const struct timeline_column *c);

/* The legend of what has been drawn: for (at = 0; glyphs__legend(g, &at, &glyph, &words);) */
bool glyphs__legend(const struct glyphs *g, unsigned *at, struct glyph *out, const char **words);

#endif
