/* SPDX-License-Identifier: BSD-2-Clause */
/* The timeline in characters. */
#ifndef KVMSCHED_TIMELINE_TEXT_H
#define KVMSCHED_TIMELINE_TEXT_H

#include <stdio.h>
#include "term.h"
#include "timeline.h"

#define TIMELINE_TEXT_WIDE 5 /* columns that an absence needs to be named in its strip */

/* How many columns a strip has on such a terminal. */
unsigned timeline_text__columns(const struct term *term);

/* After timeline__finish() and, where it may have more columns, timeline__coarsen(). 0 or -ENOMEM;
 * the stream keeps the errors of writing. */
int timeline_text__print(FILE *f, const struct timeline *t, const struct summary *s,
			 const struct term *term);

#endif
