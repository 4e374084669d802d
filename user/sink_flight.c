// SPDX-License-Identifier: BSD-2-Clause
/* See sink_flight.h. */
#include <errno.h>
#include "err.h"
#include "sink_flight.h"

/* A rule that this trace cannot decide will never be a reason. */
static int tell_skipped(const struct check *c)
{
	const struct check_rule *last = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < check__rules(c); i++)
		if (check__rule(c, i)->skip) {
			last = check__rule(c, i);
			n++;
		}
	if (!n)
		return 0;
	if (n == check__rules(c))
		return err__say(0, "no rule that --on asks for can be decided here: %s: %s",
				last->a->name, last->skip);
	err__say(0, "%u of the %u rules that --on asks for cannot be decided here, such as %s: %s",
		 n, check__rules(c), last->a->name, last->skip);
	return 0;
}

static int begin(void *ctx, const struct session *session, const struct model *m)
{
	struct sink_flight *s = ctx;

	(void)m;
	s->check = check__new(session, s->rule, s->rules);
	return s->check ? tell_skipped(s->check) : err__say(ENOMEM, "starting");
}

static int event(void *ctx, struct model_vcpu *v, const struct ks_head *r, bool asked)
{
	struct sink_flight *s = ctx;
	__u64 before = check__violations(s->check);
	int err = check__record(s->check, v, r, asked);

	if (err || check__violations(s->check) == before)
		return err;
	for (unsigned i = 0; i < check__rules(s->check); i++) {
		const struct check_rule *rule = check__rule(s->check, i);

		if (rule->violations == s->violations[i])
			continue;
		s->violations[i] = rule->violations;
		flight__violated(s->flight, rule->a->name, v->id, r->ts);
	}
	return 0;
}

void sink_flight__init(struct sink *sink, struct sink_flight *s)
{
	*sink = (struct sink){.begin = begin, .event = event, .times_only = true, .ctx = s};
}

void sink_flight__free(struct sink_flight *s)
{
	check__free(s->check);
	s->check = NULL;
}
