/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flight recorder: holds the last records in memory and, when something happens, writes a
 * recording that begins before it and goes on a little after it. Decides what is a trigger and what
 * becomes of it; the time is told by the caller, so that a recording is treated as a live trace is.
 *
 *	flight__new -> flight__begin -> { flight__batch ..., flight__poll } ... -> flight__end ->
 *	flight__free
 */
#ifndef KVMSCHED_FLIGHT_H
#define KVMSCHED_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include "assertion.h"
#include "filter.h"
#include "session.h"
#include "wire.h"

#define FLIGHT_ON_MAX 16

struct flight_opts {
	__u64 span_ns, bytes; /* what is held: at most so long, at most so much */
	const char *size;     /* bytes, as the user said it */
	__u64 after_ns, cooldown_ns;
	unsigned max_dumps;
	struct assertion on[FLIGHT_ON_MAX]; /* of one absence each */
	unsigned ons;
	const char *dir; /* dumps are dir.1, dir.2 ... */
	bool force;	 /* from 1 on, and replace those that are there */
	__u64 max_bytes; /* of each dump */
};

struct flight;

/* o stays the caller's. Looks whether a dump could be written. On failure says why, returns -errno.
 */
int flight__new(struct flight **f, const struct flight_opts *o);

/* The trace begins. filter: whose vCPUs are triggers; the caller's. 0 or -errno, having said why.
 */
int flight__begin(struct flight *f, const struct session *s, const struct filter *filter);

/* The next records of a stream, whole and in order; of a CPU's all have KS_RECORD_MAX bytes. 0 or
 * -errno, having said why. */
int flight__batch(struct flight *f, unsigned stream, const void *records, size_t bytes);

/* The time. Every record before now_ns was handed over, as far as is known; for sure every one
 * before watermark_ns. lost: per stream, so far; NULL: not known. wall_ns: CLOCK_REALTIME -
 * CLOCK_MONOTONIC. Writes some of what is to be written. Returns 0 or -errno, having said why; what
 * goes wrong with a dump is no error of the whole. */
int flight__poll(struct flight *f, __u64 now_ns, __u64 watermark_ns, const __u64 *lost,
		 __s64 wall_ns);

/* vCPUs that did not fit into the kernel's table, so far: a dump says so. */
void flight__untracked(struct flight *f, __u64 count);

/* How long the next poll may wait: 0 = there is more to write. */
__u64 flight__patience(struct flight *f, __u64 now_ns);

/* Asked for from outside (SIGUSR1): a trigger whatever the cooldown. */
void flight__ask(struct flight *f, __u64 ts);

/* A vCPU broke a rule. */
void flight__violated(struct flight *f, const char *rule, __u32 vcpu, __u64 ts);

/* It has written all dumps that it may. */
bool flight__done(const struct flight *f);

/* The trace ended; all was handed over. Ends a dump, says what became of it all. 0, or -errno of a
 * dump that could not be written, at any time. */
int flight__end(struct flight *f, const struct session *s, const __u64 *lost);

void flight__free(struct flight *f); /* NULL is fine */

#endif
