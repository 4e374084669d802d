/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules and assertions against what happens; the verdict at the end. */
#ifndef KVMSCHED_SINK_CHECK_H
#define KVMSCHED_SINK_CHECK_H

#include "assertion.h"
#include "check.h"
#include "sink.h"
#include "term.h"

enum check_format { CHECK_TEXT, CHECK_KTAP, CHECK_JUNIT, CHECK_JSON };

struct sink_check {
	/* set by the caller, whose they stay */
	const struct automaton *const *rule;
	unsigned rules;
	const struct assertion *assertion;
	unsigned assertions;
	enum check_format format;
	enum term_color color;
	/* its own */
	struct sink *sink;
	const struct session *session;
	struct check *check;
	struct assertion_breach *breach; /* [assertions] */
};

/* "text", "ktap", "junit", "json". 0 or -EINVAL. */
int sink_check__parse_format(const char *name, enum check_format *format);

/* Fills sink; ctx is c, which must live as long. sink_check__free() after the run. */
void sink_check__init(struct sink *sink, struct sink_check *c);
void sink_check__free(struct sink_check *c);

#endif
