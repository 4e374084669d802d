/* SPDX-License-Identifier: BSD-2-Clause */
/* A comparison for people and for machines (docs/schema/diff.json), to standard output. */
#ifndef KVMSCHED_DIFF_SHOW_H
#define KVMSCHED_DIFF_SHOW_H

#include "diff.h"
#include "table.h"
#include "units.h"

#define DIFF_NUMBER (2 * UNITS_LEN + 16)

/* "12.1%", "3.2/s", "1.203 ms"; "-" for a NAN. Returns out[UNITS_LEN]. */
const char *diff_number__value(char *out, enum diff_kind kind, double v);
/* "+41%" and "[+22, +63]", or in points or times: each of DIFF_NUMBER. */
void diff_number__change(const struct diff_line *l, char *change, char *interval);
/* The smallest change that would have shown is so large that nobody would ask for it. */
bool diff_number__beyond(const struct diff_line *l, double least);
/* Such a change, as those of its number are told. out[UNITS_LEN]. */
void diff_number__would_show(const struct diff *d, const struct diff_line *l, double least,
			     char *out);

/* all: also what did not change. 0 or -errno. */
int diff_text__write(const struct diff *d, enum term_color color, bool all);

/* status: the exit status that it comes with. 0 or -errno. */
int diff_json__write(const struct diff *d, int status);

#endif
