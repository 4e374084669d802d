/* SPDX-License-Identifier: BSD-2-Clause */
/* The timeline as an SVG: one file that needs no other, light and dark. */
#ifndef KVMSCHED_TIMELINE_SVG_H
#define KVMSCHED_TIMELINE_SVG_H

#include <stdio.h>
#include "timeline.h"

#define TIMELINE_SVG_WIDE 4 /* columns, about pixels, that an absence needs for its tooltip */

/* How many columns a picture of so many pixels' width has; 0: the usual width. */
unsigned timeline_svg__columns(unsigned width);

/* After timeline__finish(). Joins columns where there are very many rows. 0 or -ENOMEM; the stream
 * keeps the errors of writing. */
int timeline_svg__write(FILE *f, struct timeline *t, const struct summary *s, unsigned width);

#endif
