/* SPDX-License-Identifier: BSD-2-Clause */
/* A comparison for people and for machines (docs/schema/diff.json), to standard output. */
#ifndef KVMSCHED_DIFF_SHOW_H
#define KVMSCHED_DIFF_SHOW_H

#include "diff.h"
#include "table.h"

/* all: also what did not change. 0 or -errno. */
int diff_text__write(const struct diff *d, enum term_color color, bool all);

/* status: the exit status that it comes with. 0 or -errno. */
int diff_json__write(const struct diff *d, int status);

#endif
