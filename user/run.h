/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of a command: from a live trace or a recording, through the model, to a summary and a
 * sink. The only place that knows both ends.
 */
#ifndef KVMSCHED_RUN_H
#define KVMSCHED_RUN_H

#include "options.h"
#include "sink.h"

/* Runs to the end. sink NULL: only record. Returns the exit status (err.h); a traced command's own
 * counts last. */
int run(const struct options *o, const struct sink *sink);

#endif
