/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of `kvmsched info`, which cmd_info.c puts together: the report on this host, that on a
 * recording, and (info_common.c) what both say in the same words.
 */
#ifndef KVMSCHED_INFO_H
#define KVMSCHED_INFO_H

#include <stdbool.h>
#include <linux/types.h>
#include "json.h"
#include "term.h"

struct info_opts {
	const char *btf; /* --btf, NULL = none */
	const char *dir; /* -i, NULL = this host */
	bool json;
	enum term_color color;
};

/* Print the report to stdout. Both return an exit status (err.h). */
int info_host(const struct info_opts *o);
int info_recording(const struct info_opts *o);

/* What a kernel's structs have, KS_M_*: one row per field, and its JSON keys inside an open object.
 */
void info_print_fields(const struct term *t, __u32 fields);
void info_json_fields(struct json *j, __u32 fields);

/* "label         text": the first line of a group; label "" for the following ones. */
void info_row(const char *label, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Flushes stdout. An exit status: EXIT_FINE or, having said why, EXIT_ERROR. */
int info_flush(void);

#endif
