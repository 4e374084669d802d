/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ways to run a command share; for run*.c only. */
#ifndef KVMSCHED_RUN_PARTS_H
#define KVMSCHED_RUN_PARTS_H

#include "run.h"

/* Says what the numbers depend on and do not show themselves; with what the sink found an exit
 * status. */
int run__verdict(const struct summary *s, const struct sink *sink, const struct session *ses);

/* The end: what is on standard output is there, or the status is that of an error. err: the sink's,
 * or 0. */
int run__flush(int status, int err);

/* Live, from the kernel's aggregates. As run(). */
int run__aggregates(const struct options *o, const struct sink *sink);

#endif
