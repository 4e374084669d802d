/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live source: loads the BPF programs, opens the window, hands out what the rings hold. The
 *only place that sees libbpf. It knows records and streams; it does not interpret a transition.
 *
 *	live__open -> live__begin -> { live__wait, live__drain } ... -> live__end -> live__free
 */
#ifndef KVMSCHED_LIVE_H
#define KVMSCHED_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "filter.h"
#include "session.h"
#include "sums.h"

struct live;

#define LIVE_RING_MAX ((1ULL << 24) * KS_RECORD_MAX) /* bytes of records per CPU */

struct live_opts {
	enum session_mode mode;
	int loads;	  /* a record for each bare load and put */
	__u64 ring_bytes; /* per CPU; rounded down to 56 times a power of two, at least 64 records
			   */
	__u32 max_vcpus;  /* tracked at once; 0 = the mode's default */
	bool classes;	  /* aggregates: who took the CPU, too */
	bool records;	  /* aggregates: and records all the same, for comparison */
	const char *btf;  /* NULL, or a file with the kernel's BTF */
	const struct filter *filter;
};

/* Loads and attaches; nothing is recorded yet. On failure says why (and what to try), returns
 * -errno. */
int live__open(struct live **l, const struct live_opts *opts, struct session *s);

/* Opens the window (s->start_ns) and takes the snapshot of the vCPUs that exist. */
int live__begin(struct live *l, struct session *s);

/* Waits until a ring is half full, fd or input (or -1) is readable, or timeout_ms. Returns 1 if fd
 * is. */
int live__wait(struct live *l, int fd, int input, int timeout_ms);

/* Records of one stream, in order, back to back. Streams as in struct session. */
struct batch {
	unsigned stream;
	const void *records;
	size_t bytes;
	__u32 count;
	__u64 first_ts;
	__u64 last_ts;
};
typedef int (*batch_fn)(void *ctx, const struct batch *b);

/* One pass over all rings. A batch's records are only there until fn returns. *watermark: every
 * record with ts below it has now been handed out. Stops at the first error that fn returns, and
 * returns it. */
int live__drain(struct live *l, batch_fn fn, void *ctx, __u64 *watermark);

/* Closes the window (s->end_ns), waits until no program is in flight, and hands out the rest: what
 * is in the rings, and the closing snapshot. */
int live__end(struct live *l, struct session *s, batch_fn fn, void *ctx);

/* Per stream: records that found their ring full, so far. Valid until live__free(). */
const __u64 *live__lost(struct live *l);

/* vCPUs that did not fit into the table, so far. */
__u64 live__untracked(const struct live *l);

/* Aggregates: the memory in which the kernel keeps them; places 0 in any other mode. */
void live__sums(const struct live *l, struct sums *out);

/* How many vCPUs, and how many that the filters want, exist or existed. */
__u32 live__vcpus(const struct live *l);

/* CLOCK_REALTIME - CLOCK_MONOTONIC, now. */
__s64 live__wall_offset(void);

void live__free(struct live *l); /* NULL is fine */

#endif
