/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words for an absence of the timeline: who took the CPU, and what happened. The same in the
 * terminal and in SVG. Names are not escaped yet: that is for whoever prints them.
 */
#ifndef KVMSCHED_TAKER_H
#define KVMSCHED_TAKER_H

#include "matrix.h"
#include "timeline.h"

#define TAKER_SIZE 320
#define TAKER_NAME 24 /* columns of a VM's name in a sentence: its middle goes */
#define TAKER_LONG (2 * TAKER_SIZE + 64)

/* As short as it can be named: another VM's vCPU as "db vCPU 2", one's own as "vCPU 2", other tasks
 * by their name, "quota". "" of a blocked absence. Returns out[TAKER_SIZE]. */
const char *taker__short(const struct model *m, const struct timeline_absence *a, char *out);

/* "other_vm CPU 1/KVM[4242] of db vCPU 1", "quota"; "" of a blocked absence. */
const char *taker__long(const struct model *m, const struct timeline_absence *a, char *out);

/* "db vCPU 3": whose absence it is. */
const char *taker__victim(const struct model *m, const struct model_vcpu *v, char *out);

/* Who is to blame for it, as short as that: of one of the worst who had the CPU for most of the
 * wait, if that is known, else who took it. */
const char *taker__culprit(const struct timeline *t, const struct model *m,
			   const struct timeline_absence *a, char *out);

/* Who is to blame, raw, for a box with room for so many columns: "db vCPU 2" may become "db/2". */
const char *taker__in_box(const struct timeline *t, const struct model *m,
			  const struct timeline_absence *a, unsigned room, char *out);

/* Why it was away, to stand after "waited 3 ms": "preempted, CPU first taken by host sleep[316]",
 * "woken after it was halted"; and, if it is one of the worst, who had the CPU: "kernel
 * ksoftirqd/1[20] took CPU 1, which noisy vCPU 1 had for 38.120 ms". Returns out[TAKER_LONG]. */
const char *taker__why(const struct timeline *t, const struct model *m,
		       const struct timeline_absence *a, char *out);

/* Who preempted a VM's vCPUs most: "preempted for 5.432 s, first taken by batch 88.0%, itself
 * 10.2%": who was switched in, who need not have had it for long. "" if nobody did. m:
 * MATRIX_BY_NAME. */
const char *taker__of_vm(const struct matrix *m, const struct summary *s, __u32 vm, char *out);

/* Whether it counts in the distributions of `report`: ", still going on at the end", or "". */
const char *taker__apart(const struct summary *s, const struct timeline_absence *a, char *out);

/* What is not known of a VM's waits, or of all: "31.2% of the time is not known". "" if all is. */
const char *taker__unknown(const struct timeline_known *k, char *out);

/* What stands above the longest waits, or, if there are none, instead of them; and what is to be
 * said of it that its VMs have not said each. */
const char *taker__waits(const struct timeline_known *k, bool any);
const char *taker__waits_unknown(const struct timeline *t, char *out);

#endif
