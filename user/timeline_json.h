/* SPDX-License-Identifier: BSD-2-Clause */
/* The timeline for machines: docs/schema/timeline.json. */
#ifndef KVMSCHED_TIMELINE_JSON_H
#define KVMSCHED_TIMELINE_JSON_H

#include <stdio.h>
#include "timeline.h"

#define TIMELINE_JSON_COLUMNS 200

/* After timeline__finish(). 0 or -errno. */
int timeline_json__write(FILE *f, const struct timeline *t, const struct summary *s);

#endif
