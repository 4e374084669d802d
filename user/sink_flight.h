/* SPDX-License-Identifier: BSD-2-Clause */
/* Ordering rules as triggers of the flight recorder: each violation is one. */
#ifndef KVMSCHED_SINK_FLIGHT_H
#define KVMSCHED_SINK_FLIGHT_H

#include "check.h"
#include "flight.h"
#include "sink.h"

struct sink_flight {
	/* set by the caller, whose they stay */
	const struct automaton *const *rule;
	unsigned rules; /* at most CHECK_RULES_MAX */
	struct flight *flight;
	/* its own */
	struct check *check;
	__u64 violations[CHECK_RULES_MAX];
};

/* Fills sink; ctx is s, which must live as long. sink_flight__free() after the run. */
void sink_flight__init(struct sink *sink, struct sink_flight *s);
void sink_flight__free(struct sink_flight *s);

#endif
