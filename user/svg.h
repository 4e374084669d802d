/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of our SVGs: head, style (light, and dark where the reader prefers that), and text.
 * Colours are told apart also by those who do not see all of them (after Okabe and Ito): preemption
 * is the one that stands out. Classes are named as the states are.
 */
#ifndef KVMSCHED_SVG_H
#define KVMSCHED_SVG_H

#include <stdio.h>

/* A letter's width at a font size of 1, about: to decide what has room. */
#define SVG_LETTER 0.6

void svg__begin(FILE *f, unsigned width, unsigned height, const char *title);
void svg__end(FILE *f);

/* Raw text, escaped; if it has more characters than `letters`, cut, with an ellipsis. Of a name it
 * is the middle that goes. */
void svg__text(FILE *f, const char *raw, unsigned letters);
void svg__name(FILE *f, const char *raw, unsigned letters);

#endif
