/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A summary as metrics for Prometheus. THE place that knows their names (docs/prometheus.md
 * explains them). Pure: no I/O but the stream, no clock, no HTTP.
 *
 * Series per VM; per vCPU too where asked for, but not the histogram. No thread and no process name
 * ever is a label. What a mode or kernel cannot give has no series. A VM that is gone has series as
 * long as the summary has it: to forget it after a while is its source's job.
 */
#ifndef KVMSCHED_METRICS_H
#define KVMSCHED_METRICS_H

#include <stdbool.h>
#include <stdio.h>
#include "metrics_text.h"
#include "self.h"
#include "summary.h"

#define METRICS_VMS 1000 /* by default, at most */

struct metrics_opts {
	bool per_vcpu;
	unsigned max_vms; /* the oldest have series; the others are counted */
	const char *version, *commit;
};

struct metrics {
	const struct summary *summary; /* finished: vcpu[] is in groups by VM */
	__u64 untracked;	       /* vCPUs that did not fit into the table */
	const struct self *self;       /* NULL: no process_* */
};

/* Writes all of it. 0, -ENOMEM or the stream's -errno. */
int metrics__write(FILE *f, enum metrics_format format, const struct metrics *m,
		   const struct metrics_opts *o);

#endif
