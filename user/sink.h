/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An output. It is handed events, spans and absences while they happen and the summary at the end;
 * it knows no source and no other sink. NULL = not wanted, and what no sink wants is not computed.
 * Each call returns 0 or -errno, which ends the run.
 */
#ifndef KVMSCHED_SINK_H
#define KVMSCHED_SINK_H

#include "intervals.h"
#include "summary.h"

/* event: each record of a vCPU's own. Also those that were not asked for (outside the window, or on
 * another CPU than -C wants): what is said of the others depends on them. span: each stretch of a
 * state, when it ends, as the summary counts it: cut to the window. absence: each one that
 * lies in the window at least in part, when it ends; at the end of the trace also those that are
 * still open. window: before begin, what is looked at; to_ns is ~0 while that has no end yet.
 * tick: when an interval of interval_ns has ended (before end the last one, which may be shorter);
 * live, a little after its time; hurry: live, the current interval is to end now. input: live,
 * about every 50 ms, for a sink that has keys to read; where the kernel adds up and there is fd,
 * only when what that gives is readable, or after *timeout_ms (-1: no need). stop: the sink has
 * enough; tick comes no more. */
struct sink {
	int (*window)(void *ctx, __u64 from_ns, __u64 to_ns);
	int (*begin)(void *ctx, const struct session *s, const struct model *m);
	int (*event)(void *ctx, struct model_vcpu *v, const struct ks_head *r, bool asked);
	int (*span)(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task);
	int (*absence)(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task);
	int (*tick)(void *ctx, struct tick *t);
	int (*input)(void *ctx);
	int (*fd)(void *ctx, int *timeout_ms);
	int (*end)(void *ctx, const struct summary *s);
	__u64 interval_ns;
	bool sums_do; /* live, the kernel's sums are all that it needs: no event, span or absence */
	bool classes; /* ... with who took the CPU */
	bool by_victim; /* its intervals have preemptors per vCPU */
	bool adds_up;	/* its intervals are added up: there is no summary of the whole */
	bool *stop, *hurry;
	bool times_only; /* the summary's distributions and counts are not wanted */
	bool writes;	 /* a file of its own, after begin */
	bool serves;	 /* on sockets that listen since before begin */
	bool all_of_cmd; /* a command that outlives the trace leaves its finding open */
	int status; /* what it found, as an exit status: EXIT_FINE, _VIOLATED or _INCONCLUSIVE */
	void *ctx;
};

#endif
