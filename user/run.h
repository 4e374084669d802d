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

/* Of a live trace, when all is attached and sinks have begun: what this command does not need any
 * more is given up (privilege.h). 0 or -errno, having said why. */
int run__drop_privileges(const struct options *o, const struct sink *sink);

#endif
