// SPDX-License-Identifier: BSD-2-Clause
/* See sink_check.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "err.h"
#include "sink_check.h"
#include "verdict.h"

int sink_check__parse_format(const char *name, enum check_format *format)
{
	static const char *const names[] = {"text", "ktap", "junit", "json"};

	for (enum check_format f = CHECK_TEXT; f <= CHECK_JSON; f++) {
		if (strcmp(names[f], name))
			continue;
		*format = f;
		return 0;
	}
	return -EINVAL;
}

static int begin(void *ctx, const struct session *s, const struct model *m)
{
	struct sink_check *c = ctx;

	(void)m;
	c->session = s;
	c->check = check__new(s, c->rule, c->rules);
	c->breach = calloc(c->assertions + 1, sizeof(*c->breach));
	return c->check && c->breach ? 0 : err__say(ENOMEM, "starting");
}

static int event(void *ctx, struct model_vcpu *v, const struct ks_head *r, bool asked)
{
	struct sink_check *c = ctx;
	int err = check__record(c->check, v, r, asked);

	if (check__violations(c->check))
		c->sink->status = EXIT_VIOLATED; /* as soon as it is known */
	return err;
}

static int absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		   const struct model_task *task)
{
	struct sink_check *c = ctx;

	(void)task;
	for (unsigned i = 0; i < c->assertions; i++) {
		if (c->breach[i].v || !assertion__broken_by(&c->assertion[i], a))
			continue;
		c->breach[i] = (struct assertion_breach){.v = v, .absence = *a};
		c->sink->status = EXIT_VIOLATED;
	}
	return 0;
}

static int print(const struct sink_check *c, const struct verdict *v)
{
	struct term t;

	switch (c->format) {
	case CHECK_KTAP:
		return verdict__ktap(v, stdout);
	case CHECK_JUNIT:
		return verdict__junit(v, stdout);
	case CHECK_JSON:
		return verdict__json(v, stdout);
	default:
		term__look(&t, STDOUT_FILENO, c->color);
		return verdict__text(v, &t, stdout);
	}
}

static int end(void *ctx, const struct summary *s)
{
	struct sink_check *c = ctx;
	struct verdict v;
	int err;

	err = check__end(c->check, s->session->end_ns, s->to_ns >= s->session->end_ns);
	if (!err)
		err = verdict__judge(&v, c->check, s, c->assertion, c->breach, c->assertions);
	if (err)
		return err__say(err, "judging");
	err = print(c, &v);
	c->sink->status = verdict__exit(&v);
	verdict__free(&v);
	return err;
}

void sink_check__init(struct sink *sink, struct sink_check *c)
{
	*sink = (struct sink){.begin = begin,
			      .event = event,
			      .absence = absence,
			      .end = end,
			      .all_of_cmd = true,
			      .ctx = c};
	c->sink = sink;
}

void sink_check__free(struct sink_check *c)
{
	check__free(c->check);
	c->check = NULL;
	free(c->breach);
	c->breach = NULL;
}
