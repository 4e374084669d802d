/* SPDX-License-Identifier: BSD-2-Clause */
/* The core of every --json: what a summary says, key by key. Stable, see docs/schema/report.json.
 */
#ifndef KVMSCHED_REPORT_JSON_H
#define KVMSCHED_REPORT_JSON_H

#include "json.h"
#include "summary.h"

/* Inside an open object: schema, events, lost, window_ns, kernel. */
void report_json__head(struct json *j, const struct summary *s);

/* Inside an open object: a distribution's keys. */
void report_json__dist(struct json *j, const struct hist *h);

/* Inside an open object: vm, vm_pid, vcpu, tid. */
void report_json__identity(struct json *j, const struct summary *s, const struct model_vcpu *v);

/* Inside an open object: a vCPU's identity and measures. */
void report_json__vcpu(struct json *j, const struct summary *s, const struct summary_vcpu *v);

/* Inside an open object: preemptors. */
void report_json__preemptors(struct json *j, const struct summary *s);

/* Inside an open object: matrix. 0 or -ENOMEM. */
int report_json__matrix(struct json *j, const struct summary *s);

/* Inside an open object: all of it. 0 or -ENOMEM. */
int report_json__body(struct json *j, const struct summary *s);

/* The whole document. 0 or -errno. */
int report_json__write(FILE *f, const struct summary *s);

extern const char *const report_class_names[KS_BY_CNT]; /* "other_vm", ... */
extern const char *const report_reason_names[KS_R_CNT]; /* "preempted", "ioctl", ... */

#endif
