/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every span, packed for the page: what user/html/page.js takes apart. A line of JSON per so many
 * spans of one vCPU, written as soon as they are together, so that memory does not grow with the
 * recording:
 *
 *	{"vcpu": the trace's id, "spans": how many, "data": base64}
 *
 * A vCPU's spans are adjacent, so only lengths are told. Each is, numbers as LEB128:
 *
 *	head	bits 0-3 the state; HTML_SPAN_*
 *	length	ns; the vCPU's first span has its begin before it, ns after the session's
 *	cpu	if HTML_SPAN_CPU: where it runs from here on; of an absence, where it came back
 *	user	if HTML_SPAN_USER: ns of it that were spent in the VMM
 *
 * and of preempted, halted and sleeping ones also, behind the cpu:
 *
 *	how	byte: bits 0-2 KS_BY_*, 3-5 KS_R_*; HTML_HOW_*
 *	task	if bits 0-2 are not 0: who took the CPU, by number (html_tasks.h)
 *	delay	if HTML_HOW_DELAY and not HTML_HOW_ALL: the run delay, ns
 *	rare	byte, if HTML_SPAN_RARE: HTML_RARE_*
 *	before	if HTML_RARE_BEFORE: ns by which the absence began before the window
 *	after	if HTML_RARE_AFTER: ns by which it ended after the window
 *	out	if HTML_RARE_OUT: the CPU that it left, if not the one it was last seen on
 *
 * Knows no HTML and no file but what the JSON writer has.
 */
#ifndef KVMSCHED_HTML_SPANS_H
#define KVMSCHED_HTML_SPANS_H

#include "json.h"
#include "model.h"

#define HTML_SPAN_USER 0x10
#define HTML_SPAN_CPU  0x20
#define HTML_SPAN_OPEN 0x40 /* the trace ended, not the span */
#define HTML_SPAN_RARE 0x80

#define HTML_HOW_DELAY 0x40
#define HTML_HOW_ALL   0x80 /* the run delay is the whole absence */

#define HTML_RARE_PART	 0x01 /* its beginning was not seen */
#define HTML_RARE_CUT	 0x02 /* the kernel's run delay was longer: clamped */
#define HTML_RARE_BEFORE 0x04
#define HTML_RARE_AFTER	 0x08
#define HTML_RARE_NO_OUT 0x10 /* where it left is not known */
#define HTML_RARE_OUT	 0x20

struct html_spans;

/* start_ns: the session's. j stays the caller's. NULL: no memory. */
struct html_spans *html_spans__new(struct json *j, __u64 start_ns);

/* A vCPU's next span, as sinks get them. a: its absence, for the states that are one. task: who
 * took the CPU, if somebody did. 0 or -ENOMEM; errors of j are its own. */
int html_spans__add(struct html_spans *h, const struct model_vcpu *v, const struct span *s,
		    const struct absence *a, unsigned task);

/* Writes what is left. 0 or -ENOMEM. */
int html_spans__end(struct html_spans *h);

void html_spans__free(struct html_spans *h); /* NULL is fine */

#endif
