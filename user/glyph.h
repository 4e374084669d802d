/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A column of a timeline as one character. Preemption comes first: wherever there was any, the
 * character says so, and in UTF-8 how much. Loss comes before all that is calm. Colour only repeats
 * what the character says.
 */
#ifndef KVMSCHED_GLYPH_H
#define KVMSCHED_GLYPH_H

#include "term.h"
#include "timeline.h"

enum glyph {
	GLYPH_PREEMPTED, /* half of the column or more; UTF-8: any part, by its height */
	GLYPH_PREEMPTED_PART,
	GLYPH_PREEMPTED_UNKNOWN, /* and of the rest not everything is known */
	GLYPH_WOKEN,		 /* halted or sleeping, and then waiting for a CPU for long */
	GLYPH_RUNNING,
	GLYPH_RUNNING_MOSTLY, /* with absences in between */
	GLYPH_ON_OR_USER,
	GLYPH_ON_OR_USER_MOSTLY,
	GLYPH_USER,
	GLYPH_USER_MOSTLY,
	GLYPH_HALTED,
	GLYPH_HALTED_MOSTLY, /* on a CPU at times */
	GLYPH_SLEEPING,
	GLYPH_SLEEPING_MOSTLY,
	GLYPH_UNKNOWN, /* in part at least */
	GLYPH_ELSEWHERE,
	GLYPH_ABSENT,
	GLYPH_CNT,
};

enum glyph glyph__of(const struct term *term, const struct timeline_column *c);

/* The character, or of GLYPH_PREEMPTED the one for this column (NULL: all of it). */
const char *glyph__text(const struct term *term, enum glyph g, const struct timeline_column *c);

enum term_style glyph__style(enum glyph g);

/* "= running": for a legend. Returns out[GLYPH_WORDS]. */
#define GLYPH_WORDS 64
const char *glyph__words(const struct term *term, enum glyph g, char *out);

#endif
