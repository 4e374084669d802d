// SPDX-License-Identifier: BSD-2-Clause
/* For people: the violations first, each explained, then a line per test. */
#include <errno.h>
#include "table.h"
#include "units.h"
#include "verdict.h"

static enum term_style style_of(enum verdict_status s)
{
	static const enum term_style styles[VERDICT_CNT] = {
		[VERDICT_OK] = STYLE_GOOD,
		[VERDICT_VIOLATED] = STYLE_BAD,
		[VERDICT_INCONCLUSIVE] = STYLE_WARN,
		[VERDICT_SKIPPED] = STYLE_DIM,
	};

	return styles[s];
}

static void put_status(const struct term *t, enum verdict_status s, FILE *f)
{
	fprintf(f, "%s%s%s", term__on(t, style_of(s)), verdict__name(s), term__off(t, style_of(s)));
}

static void put_violation(const struct verdict *v, const struct verdict_test *test,
			  const struct term *t, FILE *f)
{
	put_status(t, VERDICT_VIOLATED, f);
	fprintf(f, ": %s%s%s%s%s\n", term__on(t, STYLE_HEADER), test->name,
		term__off(t, STYLE_HEADER), *test->help ? ": " : "", test->help);
	verdict__explain(v, test, "  ", t->escape, f);
	fputc('\n', f);
}

static int put_table(const struct verdict *v, const struct term *term, FILE *f)
{
	struct table *t = table__new();
	char text[UNITS_LEN];
	int err;

	table__add_col(t, "rule", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "verdict", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "decided", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "violated", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "", TABLE_LEFT, 20, TABLE_KEEP);
	for (unsigned i = 0; i < v->tests; i++) {
		const struct verdict_test *test = &v->test[i];

		table__cell(t, test->name);
		table__styled(t, style_of(test->status), verdict__name(test->status));
		table__cell(t, test->status == VERDICT_SKIPPED ? NULL
							       : units__count(text, test->decided));
		table__cell(t, test->status == VERDICT_SKIPPED
				       ? NULL
				       : units__count(text, test->violations));
		table__cell(t, test->why);
	}
	err = table__print(t, term, f);
	table__free(t);
	return err < 0 ? err : 0;
}

int verdict__text(const struct verdict *v, const struct term *t, FILE *f)
{
	const struct summary *s = v->summary;
	char window[UNITS_LEN];
	int err;

	for (unsigned i = 0; i < v->tests; i++)
		if (v->test[i].status == VERDICT_VIOLATED)
			put_violation(v, &v->test[i], t, f);
	err = put_table(v, t, f);
	if (err)
		return err;
	fprintf(f, "\n%s, %s mode: %llu events, %llu lost, %u vCPUs over %s\n", s->session->release,
		session__mode_name(s->session->mode), (unsigned long long)s->events,
		(unsigned long long)s->lost, s->vcpus, units__own(window, s->to_ns - s->from_ns));
	for (enum verdict_status st = 0; st < VERDICT_CNT; st++)
		fprintf(f, "%u %s%s", v->count[st], verdict__name(st),
			st + 1 < VERDICT_CNT ? ", " : ": ");
	put_status(t, v->status, f);
	fprintf(f, "%s%s\n", v->status == VERDICT_INCONCLUSIVE && *v->doubt ? ": " : "",
		v->status == VERDICT_INCONCLUSIVE ? v->doubt : "");
	return ferror(f) ? -EIO : 0;
}
