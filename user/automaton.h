/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule as tables: a deterministic or hybrid automaton over the events of one vCPU, and one run of
 * it. Plain data, so that the built-in rules are C constants (user/models/generate.c) and a user's
 * come from automaton__build(). Pure.
 *
 * What is unknown is never held against a vCPU. A run whose state is not known (at first, and after
 * a loss) keeps the set of states that are possible, and is only violated by what none of them
 * allows. A guard that needs an unknown field or clock allows the event and decides nothing.
 */
#ifndef KVMSCHED_AUTOMATON_H
#define KVMSCHED_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "compare.h"
#include "event.h"

#define AUTOMATON_STATES 32
#define AUTOMATON_CLOCKS 4
#define AUTOMATON_EVENTS 256 /* names in one model, those that kvmsched does not know included */

/* One comparison: of a clock, or of a field that is not just wanted to be 0 or 1. */
struct automaton_term {
	bool clock;
	__u8 index; /* of the clock, or enum field */
	__u8 op;    /* enum compare */
	__u64 value;
};

/* All of: (bits & mask) == value, and the terms. */
struct automaton_conj {
	__u64 mask, value; /* FIELD()s */
	const struct automaton_term *term;
	unsigned terms;
};

struct automaton_edge {
	__u8 to;     /* state + 1; 0: the event is not allowed */
	__u8 resets; /* bits: clocks */
	__u8 conjs;  /* the guard: one of them has to hold; 0: it always does */
	const struct automaton_conj *conj;
	const char *text; /* as in the label */
};

/* clock OP value has to hold while it is in the state. */
struct automaton_invariant {
	const char *text; /* NULL: none */
	__u8 clock, op;
	__u64 value;
};

struct automaton {
	const char *name;
	const char *help; /* a sentence */
	const char *dot;  /* the text it was read from */
	unsigned states, events, clocks;
	__u8 initial;
	const char *const *state; /* names */
	const char *const *clock;
	const __u8 *event;			     /* the alphabet, ascending: enum event_id */
	const struct automaton_edge *edge;	     /* [state * events + event's index] */
	const struct automaton_invariant *invariant; /* by state; NULL: none has one */
	__u64 fields;				     /* FIELD()s that guards ask for */
};

struct automaton_run {
	__u32 set;    /* possible states, as bits */
	__u64 *since; /* by clock: when it was reset, 0 = not known; the owner's */
};

enum automaton_says {
	SAYS_NOTHING, /* something was not known */
	SAYS_GOOD,
	SAYS_BAD,  /* no possible state allows the event */
	SAYS_LATE, /* the state's invariant was over before the event */
};

/* Why the rule cannot be decided on such a trace, for people; NULL: it can. A rule of several
 * states needs all of its events; one of a single state judges each on its own, and one is enough.
 */
const char *automaton__why_not(const struct automaton *a, const struct session *s);

/* Index of an event in a's alphabet, or -1: not in it. */
int automaton__event(const struct automaton *a, enum event_id id);

void automaton__start(const struct automaton *a, struct automaton_run *r);  /* the initial state */
void automaton__forget(const struct automaton *a, struct automaton_run *r); /* any state */

/* The next event; at is its automaton__event(). After a violation the run goes on where the event
 * would have led. */
enum automaton_says automaton__step(const struct automaton *a, struct automaton_run *r, unsigned at,
				    const struct event *e);

/* Time has come to now without an event: is the state's invariant over? SAYS_LATE or
 * SAYS_NOTHING. */
enum automaton_says automaton__at(const struct automaton *a, const struct automaton_run *r,
				  __u64 now);

/* The FIELD()s that a guard asks for. */
__u64 automaton__guard_fields(const struct automaton_edge *edge);

/* What the states in `set` allow, a line each: "EVENT;GUARD -> STATE". Cut at size. */
void automaton__allowed(const struct automaton *a, __u32 set, char *out, size_t size);

/* The states in set: "loaded", "loaded or out". Cut at size. */
void automaton__states(const struct automaton *a, __u32 set, char *out, size_t size);

#endif
