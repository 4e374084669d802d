/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a row of `export --to json` or csv says of a vCPU and of the task that took its CPU, as it
 * stands in the file: names are escaped here, by the JSON writer or as RFC 4180 wants it. Made once
 * and copied into many rows.
 */
#ifndef KVMSCHED_ROW_TEXT_H
#define KVMSCHED_ROW_TEXT_H

#include "export_who.h"
#include "session.h"

struct row_text {
	size_t len;
	char bytes[3072]; /* the longest names, each byte escaped, fit */
};

/* The row's begin: {"host":...,"tid":N without its end, or host,...,tid. 0 or -ENOMEM. */
int row_text__vcpu(struct row_text *to, bool csv, const struct session *s, const struct model *m,
		   const struct model_vcpu *v);

/* The row's end: ,"by":... or ,by,...,by_vcpu. 0 or -ENOMEM. */
int row_text__taker(struct row_text *to, bool csv, const struct taker_words *w);

#endif
