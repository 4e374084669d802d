/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words for waits that count in time and in no distribution, so that whoever shows a longest wait
 * and whoever shows a distribution's maximum do not contradict each other. Names are not escaped
 * yet.
 */
#ifndef KVMSCHED_APART_H
#define KVMSCHED_APART_H

#include <stdio.h>
#include "summary.h"
#include "term.h"

#define APART_SIZE 320

/* "still going on at the end"; "" of one that is in the distributions. */
const char *apart__words(enum summary_apart why);

/* Is it longer than the maximum of the vCPU's run delays? That wants apart__mark. */
bool apart__is_longest(const struct summary_vcpu *v);

#define APART_MARK "*"

/* What the mark stands for: "a wait of 85.708 ms was still going on at the end (shop vCPU 0): it
 * counts in time, not in p99 and max". Of several the longest. "": none is marked. Returns
 * out[APART_SIZE]. */
const char *apart__note(const struct summary *s, char *out);

/* The mark and the note, on lines of their own; nothing if none is marked. */
void apart__print(const struct summary *s, const struct term *term, FILE *f);

/* The keys of it, inside an open object. */
struct json;
void apart__json(struct json *j, const struct summary_vcpu *v);

#endif
