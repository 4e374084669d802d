/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the layout are to each other: timeline.c has rows and columns,
 * timeline_absences.c the absences that are kept one by one, timeline_meanwhile.c who ran while the
 * worst waited, timeline_known.c what is not known. Not for those who draw. */
#ifndef KVMSCHED_TIMELINE_PARTS_H
#define KVMSCHED_TIMELINE_PARTS_H

#include "timeline.h"

/* Room for one more of `size` bytes: the array, which may have moved, or NULL. */
void *timeline_parts__grow(void *array, unsigned used, unsigned *room, size_t size);

/* Keeps the absence that span s, which lies in the window, is of, if it is wide. 0 or -ENOMEM. */
int timeline_absences__span(struct timeline *t, const struct model_vcpu *v, const struct span *s,
			    const struct absence *a, const struct model_task *task);

/* Keeps one that has ended if it is the row's longest, or one of the worst. */
void timeline_absences__ended(struct timeline *t, struct timeline_row *r, const struct absence *a,
			      const struct model_task *task);

/* The columns have become wider: what is too narrow now is forgotten. */
void timeline_absences__sift(struct timeline *t);

/* Rows have their order: settles who took the CPUs, and which row has which. */
void timeline_absences__settle(struct timeline *t, const struct model *m);
void timeline_absences__deal(struct timeline *t);

/* Remembers that v ran. 0 or -ENOMEM. */
int timeline_meanwhile__ran(struct timeline *t, const struct model_vcpu *v, const struct span *s);

/* worst[i] is new: who ran meanwhile, as far as that has been told. */
void timeline_meanwhile__look(struct timeline *t, unsigned i);

/* The longest first; and what this trace cannot tell is forgotten. */
void timeline_meanwhile__settle(struct timeline *t, const struct summary *s);
void timeline_meanwhile__free(struct timeline *t);

/* What is known of the rows, of the VMs and of all. 0 or -ENOMEM. */
int timeline_known__init(struct timeline *t, const struct summary *s);

#endif
