// SPDX-License-Identifier: BSD-2-Clause
/*
 * KTAP (Documentation/dev-tools/ktap.rst) and JUnit XML. A violation is a failure, what is
 * inconclusive an error, what cannot be decided here a skip.
 */
#include <errno.h>
#include <stdlib.h>
#include "verdict.h"

/* ---- KTAP --------------------------------------------------------------------------------- */

/* A test's name as KTAP can have it: a # would begin a directive. */
static void put_name(const char *name, FILE *f)
{
	for (; *name; name++)
		fputc(*name == '#' || *name < ' ' ? '_' : *name, f);
}

static void ktap_test(const struct verdict *v, unsigned i, FILE *f)
{
	const struct verdict_test *t = &v->test[i];
	bool ok = t->status == VERDICT_OK || t->status == VERDICT_SKIPPED;

	if (t->status == VERDICT_VIOLATED) {
		if (*t->help)
			fprintf(f, "# %s\n", t->help);
		verdict__explain(v, t, "# ", ESCAPE_ASCII, f);
	}
	if (t->status != VERDICT_SKIPPED)
		fprintf(f, "# decided %llu, violated %llu\n", (unsigned long long)t->decided,
			(unsigned long long)t->violations);
	fprintf(f, "%s %u ", ok ? "ok" : "not ok", i + 1);
	put_name(t->name, f);
	if (t->status == VERDICT_SKIPPED)
		fprintf(f, " # SKIP %s", t->why);
	else if (t->status == VERDICT_INCONCLUSIVE)
		fprintf(f, " # ERROR inconclusive: %s", t->why);
	fputc('\n', f);
}

int verdict__ktap(const struct verdict *v, FILE *f)
{
	fprintf(f, "KTAP version 1\n1..%u\n", v->tests);
	for (unsigned i = 0; i < v->tests; i++)
		ktap_test(v, i, f);
	fprintf(f, "# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:%u\n",
		v->count[VERDICT_OK], v->count[VERDICT_VIOLATED], v->count[VERDICT_SKIPPED],
		v->count[VERDICT_INCONCLUSIVE]);
	return ferror(f) ? -EIO : 0;
}

/* ---- JUnit -------------------------------------------------------------------------------- */

static void attribute(const char *name, const char *value, FILE *f)
{
	fprintf(f, " %s=\"", name);
	escape__put(ESCAPE_HTML, value, f);
	fputc('"', f);
}

static int junit_failure(const struct verdict *v, const struct verdict_test *t, FILE *f)
{
	char *text = NULL;
	size_t len;
	FILE *m = open_memstream(&text, &len);

	if (!m)
		return -ENOMEM;
	verdict__explain(v, t, "", ESCAPE_TERMINAL, m);
	if (fclose(m)) {
		free(text);
		return -ENOMEM;
	}
	fputs("\t\t\t<failure type=\"violated\"", f);
	attribute("message", t->help, f);
	fputs(">", f);
	for (char *line = text, *end; *line; line = end) { /* newlines stay */
		for (end = line; *end && *end != '\n'; end++)
			;
		if (*end)
			*end++ = '\0';
		escape__put(ESCAPE_MARKUP, line, f);
		fputc('\n', f);
	}
	fputs("</failure>\n", f);
	free(text);
	return 0;
}

static int junit_test(const struct verdict *v, const struct verdict_test *t, FILE *f)
{
	int err = 0;

	fputs("\t\t<testcase classname=\"kvmsched.check\"", f);
	attribute("name", t->name, f);
	if (t->status != VERDICT_SKIPPED)
		fprintf(f, " assertions=\"%llu\"", (unsigned long long)t->decided);
	if (t->status == VERDICT_OK) {
		fputs("/>\n", f);
		return 0;
	}
	fputs(">\n", f);
	if (t->status == VERDICT_VIOLATED) {
		err = junit_failure(v, t, f);
	} else {
		fputs(t->status == VERDICT_SKIPPED ? "\t\t\t<skipped"
						   : "\t\t\t<error type=\"inconclusive\"",
		      f);
		attribute("message", t->why, f);
		fputs("/>\n", f);
	}
	fputs("\t\t</testcase>\n", f);
	return err;
}

int verdict__junit(const struct verdict *v, FILE *f)
{
	const struct summary *s = v->summary;
	__u64 ns = s->to_ns - s->from_ns;
	char counts[160];
	int err = 0;

	snprintf(counts, sizeof(counts),
		 "tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%llu.%06llu\"",
		 v->tests, v->count[VERDICT_VIOLATED], v->count[VERDICT_INCONCLUSIVE],
		 v->count[VERDICT_SKIPPED], (unsigned long long)(ns / 1000000000),
		 (unsigned long long)(ns / 1000 % 1000000));
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites %s>\n", counts);
	fprintf(f, "\t<testsuite name=\"kvmsched check\"");
	attribute("hostname", s->session->host, f);
	fprintf(f, " %s>\n", counts);
	for (unsigned i = 0; !err && i < v->tests; i++)
		err = junit_test(v, &v->test[i], f);
	fprintf(f, "\t</testsuite>\n</testsuites>\n");
	return err ?: ferror(f) ? -EIO : 0;
}
