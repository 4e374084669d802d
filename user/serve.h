/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics for those who ask: which page an address has, in which format, made anew when it is asked
 * for. Knows neither where the numbers come from (struct serve_source) nor HTTP itself (http.h).
 */
#ifndef KVMSCHED_SERVE_H
#define KVMSCHED_SERVE_H

#include "metrics.h"
#include "sockets.h"

/* Not in the list of the ports of Prometheus' exporters, which begins at 9100:
 * https://github.com/prometheus/prometheus/wiki/Default-port-allocations */
#define SERVE_PORT 10098

/* Where the numbers come from: totals since it started, which never fall. */
struct serve_source {
	/* Fills m with what there is now; it stays the source's, and valid until the next call. 0;
	 * -EAGAIN: not yet, serve__ready() will be called; -errno. */
	int (*read)(void *ctx, struct metrics *m);
	void *ctx;
};

struct serve;

/* Takes the sockets over, and says where it listens. source and opts are copied. 0 or -errno,
 * having said why. */
int serve__new(struct serve **s, struct sockets *sockets, const struct serve_source *source,
	       const struct metrics_opts *opts);

/* Answers who has asked, without waiting: for a loop that has other things to do. */
void serve__run(struct serve *s);

/* serve__run() is needed when this is readable, or after *timeout_ms; -1: there is no limit. */
int serve__fd(struct serve *s, int *timeout_ms);

/* Answers until fd is readable. */
int serve__until(struct serve *s, int fd);

/* The source has numbers again for those who were told to wait. */
void serve__ready(struct serve *s);

/* Answers those who have asked already, and ends. NULL is fine. */
void serve__free(struct serve *s);

/* The same into a file, as a whole, "-" is standard output: Prometheus' format, without process_*.
 * 0 or -errno, having said why. */
int serve__once(const char *path, const struct metrics *m, const struct metrics_opts *opts);

#endif
