// SPDX-License-Identifier: BSD-2-Clause
/* Judging. What is said of it is in verdict_explain.c and the formats. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "units.h"
#include "verdict.h"

const char *verdict__name(enum verdict_status s)
{
	static const char *const names[VERDICT_CNT] = {
		[VERDICT_OK] = "ok",
		[VERDICT_VIOLATED] = "violated",
		[VERDICT_INCONCLUSIVE] = "inconclusive",
		[VERDICT_SKIPPED] = "skipped",
	};

	return names[s];
}

int verdict__exit(const struct verdict *v)
{
	return v->status == VERDICT_VIOLATED ? EXIT_VIOLATED
	       : v->status == VERDICT_OK     ? EXIT_FINE
					     : EXIT_INCONCLUSIVE;
}

static void __attribute__((format(printf, 3, 4)))
put_why(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
}

/* Why nothing can pass here. */
static void doubt(struct verdict *v, const struct check *c)
{
	const struct summary *s = v->summary;
	unsigned long long missing = check__missing(c);

	if (s->lost)
		missing = s->lost;
	if (!s->vcpus)
		put_why(v->doubt, sizeof(v->doubt), "no vCPU was seen");
	else if (missing)
		put_why(v->doubt, sizeof(v->doubt), "%llu records were lost", missing);
	else if (s->damaged || check__disorder(c) || (s->odd && !check__violations(c)))
		put_why(v->doubt, sizeof(v->doubt), "the recording is damaged");
	else if (s->session->untracked)
		put_why(v->doubt, sizeof(v->doubt), "%llu vCPUs were not tracked",
			(unsigned long long)s->session->untracked);
	else if (s->unfinished)
		put_why(v->doubt, sizeof(v->doubt), "the recorder was killed");
}

static void set_inconclusive(struct verdict_test *t, const char *why)
{
	t->status = VERDICT_INCONCLUSIVE;
	put_why(t->why, sizeof(t->why), "%s", why);
}

static void judge_rule(const struct verdict *v, struct verdict_test *t, const struct check_rule *r)
{
	*t = (struct verdict_test){.name = r->a->name, .help = r->a->help, .rule = r};
	t->decided = r->decided;
	t->violations = r->violations;
	if (r->skip) {
		t->status = VERDICT_SKIPPED;
		put_why(t->why, sizeof(t->why), "%s", r->skip);
	} else if (r->violations && v->summary->damaged) {
		/* torn bytes may look like anything */
		t->status = VERDICT_INCONCLUSIVE;
		put_why(t->why, sizeof(t->why), "%s, so its violations may not be real", v->doubt);
	} else if (r->violations) {
		t->status = VERDICT_VIOLATED;
	} else if (*v->doubt) {
		set_inconclusive(t, v->doubt);
	} else if (!r->decided) {
		set_inconclusive(t, "no event decided it");
	}
}

static void judge_assertion(const struct verdict *v, struct verdict_test *t,
			    const struct assertion *a, const struct assertion_result *r)
{
	*t = (struct verdict_test){
		.name = a->text, .help = a->measure->help, .assertion = a, .result = r};
	t->decided = r->groups;
	t->violations = r->failed;
	if (!r->groups && r->absent) {
		t->status = VERDICT_SKIPPED;
		put_why(t->why, sizeof(t->why), "%s: %s", a->measure->name, r->absent);
	} else if (r->failed && (r->sure || !*v->doubt)) {
		t->status = VERDICT_VIOLATED;
	} else if (*v->doubt) {
		set_inconclusive(t, v->doubt);
	} else if (!r->groups) {
		set_inconclusive(t, "there was nothing to measure");
	}
}

/* violated before inconclusive; nothing decided at all is inconclusive too. */
static enum verdict_status overall(const struct verdict *v)
{
	if (v->count[VERDICT_VIOLATED])
		return VERDICT_VIOLATED;
	if (v->count[VERDICT_INCONCLUSIVE] || !v->count[VERDICT_OK] || *v->doubt)
		return VERDICT_INCONCLUSIVE;
	return VERDICT_OK;
}

int verdict__judge(struct verdict *v, const struct check *c, const struct summary *s,
		   const struct assertion *a, const struct assertion_breach *breach,
		   unsigned assertions)
{
	unsigned rules = check__rules(c);
	int err = 0;

	memset(v, 0, sizeof(*v));
	v->summary = s;
	v->test = calloc(rules + assertions + 1, sizeof(*v->test));
	v->result = calloc(assertions + 1, sizeof(*v->result));
	if (!v->test || !v->result)
		return -ENOMEM;
	doubt(v, c);
	for (unsigned i = 0; i < rules; i++)
		judge_rule(v, &v->test[v->tests++], check__rule(c, i));
	for (unsigned i = 0; !err && i < assertions; i++) {
		err = assertion__evaluate(&a[i], s, &v->result[i]);
		judge_assertion(v, &v->test[v->tests], &a[i], &v->result[i]);
		v->test[v->tests++].breach = breach && breach[i].v ? &breach[i] : NULL;
	}
	for (unsigned i = 0; i < v->tests; i++)
		v->count[v->test[i].status]++;
	v->status = overall(v);
	return err;
}

void verdict__free(struct verdict *v)
{
	free(v->test);
	free(v->result);
	memset(v, 0, sizeof(*v));
}
