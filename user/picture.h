/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the timeline's SVG share: where everything is. timeline_svg.c fills it and
 * draws the strips, picture_frame.c what is around them, picture_notes.c what is told of single
 * absences.
 */
#ifndef KVMSCHED_PICTURE_H
#define KVMSCHED_PICTURE_H

#include <stdio.h>
#include "axis.h"
#include "matrix.h"
#include "timeline.h"

#define PICTURE_MARGIN	16
#define PICTURE_GUTTER	64  /* left of the strips */
#define PICTURE_FIGURES 156 /* right of them */
#define PICTURE_WAITS	5   /* how many of the longest are told of */

struct picture {
	FILE *f;
	const struct timeline *t;
	const struct summary *s;
	struct axis axis;
	struct matrix matrix; /* who preempted whom */
	unsigned width, strip_width;
	unsigned row_height, gap, unit; /* a strip; pixels per step of a state's height */
	unsigned strips_top, height;
	unsigned legend_lines;
	unsigned *row_y;
	__u64 tip_ns[2]; /* tooltips for absences of that length: preempted, others */
	double mark_x[PICTURE_WAITS];
};

/* A moment's place. */
double picture__x(const struct picture *p, __u64 ns);

__u64 picture__since_start(const struct picture *p, __u64 ns);

/* How many letters of a font size have room. */
unsigned picture__letters(double pixels, double size);

/* The CSS class of a shade, which is a state or TIMELINE_WOKEN; and whether there is any of it. */
const char *picture__class(unsigned shade);
bool picture__has(const struct picture *p, unsigned shade);

/* The frame. y is a text's base line. The legend returns how many lines it takes; p->f NULL: only
 * that. */
void picture__title(const struct picture *p, char *out, size_t size);
void picture__head(const struct picture *p);
unsigned picture__legend(const struct picture *p, unsigned y);
void picture__axis(const struct picture *p, unsigned y);
void picture__grid(const struct picture *p, unsigned top, unsigned bottom);
void picture__figures_head(const struct picture *p, unsigned y);

/* Of single absences: names and tooltips; the longest run delays, marked and told of. */
void picture__choose_tips(struct picture *p);
void picture__tips(const struct picture *p);
unsigned picture__waits_shown(const struct picture *p);
void picture__marks(struct picture *p);
void picture__waits(const struct picture *p, unsigned y);

#endif
