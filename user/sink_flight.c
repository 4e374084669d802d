// SPDX-License-Identifier: BSD-2-Clause
/* See sink_flight.h. */
#include <errno.h>
#include "err.h"
#include "sink_flight.h"

static int begin(void *ctx, const struct session *session, const struct model *m)
{
	struct sink_flight *s = ctx;

	(void)m;
	s->check = check__new(session, s->rule, s->rules);
	return s->check ? 0 : err__say(ENOMEM, "starting");
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
