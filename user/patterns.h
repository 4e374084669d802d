/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most rules have one state and guards of bits: what such a plain rule says of an event depends on
 * nothing but its fields, and the same few patterns of fields come again and again. So some
 * patterns that no plain rule objected to are remembered per event, and counted; what that decides
 * is added up later.
 */
#ifndef KVMSCHED_PATTERNS_H
#define KVMSCHED_PATTERNS_H

#include "automaton.h"

#define PATTERNS_BITS  4
#define PATTERNS       (1 << PATTERNS_BITS)
#define PATTERNS_RULES 64 /* plain rules that an event can have */

struct pattern {
	__u64 known, bits; /* of the fields that are cared for */
	__u64 good;	   /* bits: the plain rules that it decides */
	__u64 count;	   /* how often it came; 0: unused */
};

struct patterns {
	__u64 care; /* FIELD()s that the event's plain rules ask for */
	struct pattern pattern[PATTERNS];
};

/* Is the rule a plain one, as far as its event number `at` goes? Then its fields are cared for. */
bool patterns__cover(struct patterns *p, const struct automaton *a, unsigned at);

/* Where the event's pattern is, if it is remembered, or would be. */
static inline struct pattern *patterns__place(struct patterns *p, const struct event *e)
{
	__u64 mix = ((e->known ^ e->bits) & p->care) * 0x9e3779b97f4a7c15ULL;

	return &p->pattern[mix >> (64 - PATTERNS_BITS)];
}

static inline bool pattern__is(const struct pattern *x, const struct patterns *p,
			       const struct event *e)
{
	return x->count && x->known == (e->known & p->care) && x->bits == (e->bits & p->care);
}

/* The event's pattern, once, and deciding nothing yet. */
static inline void pattern__init(struct pattern *x, const struct patterns *p, const struct event *e)
{
	*x = (struct pattern){.known = e->known & p->care, .bits = e->bits & p->care, .count = 1};
}

#endif
