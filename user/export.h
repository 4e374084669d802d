/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kvmsched export`: its formats, each a sink of its own. What is written goes to one file, which
 * cmd_export opens and only keeps if the sink was through with it.
 */
#ifndef KVMSCHED_EXPORT_H
#define KVMSCHED_EXPORT_H

#include <stdio.h>
#include "sink.h"

enum export_what { EXPORT_ABSENCES, EXPORT_SPANS };

struct export_out {
	FILE *f;
	enum export_what what; /* which rows json and csv have */
	bool done;	       /* the sink's `end` sets it when all is written */
};

/* Appends to the file. 0 or -errno; who reads standard output and what becomes of it, run() tells.
 */
int export__write(const struct export_out *o, const void *bytes, size_t len);

/* For what wrote to the file by itself: says that it failed, as export__write() does. Returns err,
 * which is -errno. */
int export__failed(const struct export_out *o, int err);

/* Fill the sink; its ctx is freed by export_format.free, whatever happened. o outlives it. 0 or
 * -ENOMEM. */
int sink_json_rows__new(struct sink *sink, struct export_out *o);
int sink_csv_rows__new(struct sink *sink, struct export_out *o);
void sink_rows__free(void *ctx);

int sink_html__new(struct sink *sink, struct export_out *o);
void sink_html__free(void *ctx);

int sink_perfetto__new(struct sink *sink, struct export_out *o);
void sink_perfetto__free(void *ctx);

#endif
