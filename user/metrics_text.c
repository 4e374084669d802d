// SPDX-License-Identifier: BSD-2-Clause
/* See metrics_text.h. What the formats differ in: the name of a counter's family, the kind info,
 * the end. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include "escape.h"
#include "metrics_text.h"

/* ---- which format ------------------------------------------------------------------------- */

/* One entry of an Accept header: "text/plain; version=0.0.4; q=0.5". */
struct wish {
	char type[48];
	char version[16];
	unsigned q; /* thousandths */
};

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* Copies what lies before any of `ends`; what is too long is cut, and matches nothing. */
static const char *word(const char *s, const char *ends, char *out, size_t size)
{
	size_t len = strcspn(s, ends), n = len < size ? len : size - 1;

	memcpy(out, s, n);
	while (n && (out[n - 1] == ' ' || out[n - 1] == '\t'))
		n--;
	out[n] = '\0';
	return s + len;
}

/* RFC 9110: 0, 1, and up to three decimals. Anything else is no wish at all. */
static unsigned quality(const char *s)
{
	unsigned q = 0, unit = 1000;

	if (*s != '0' && *s != '1')
		return 0;
	q = (*s++ - '0') * 1000;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9' && unit > 1; s++)
			q += (*s - '0') * (unit /= 10);
	return q > 1000 ? 1000 : q;
}

/* Reads the entry at s; returns where the next begins, NULL after the last. */
static const char *next_wish(const char *s, struct wish *w)
{
	char name[16], value[32];

	*w = (struct wish){.q = 1000};
	s = word(skip_blanks(s), ",;", w->type, sizeof(w->type));
	while (*s == ';') {
		s = word(skip_blanks(s + 1), "=,;", name, sizeof(name));
		value[0] = '\0';
		if (*s == '=')
			s = word(skip_blanks(s + 1), ",;", value, sizeof(value));
		if (!strcasecmp(name, "q"))
			w->q = quality(value);
		else if (!strcasecmp(name, "version"))
			word(value, "", w->version, sizeof(w->version));
	}
	return *s ? s + 1 : NULL;
}

/* 0.0.1 is what OpenMetrics was called before it was finished; scrapers that name it read 1.0. */
static bool is_openmetrics(const struct wish *w)
{
	return !strcasecmp(w->type, "application/openmetrics-text") &&
	       (!w->version[0] || !strcmp(w->version, "1.0.0") || !strcmp(w->version, "0.0.1"));
}

static bool is_plain(const struct wish *w)
{
	return !strcasecmp(w->type, "text/plain") || !strcasecmp(w->type, "text/*");
}

enum metrics_format metrics_format__of_accept(const char *accept)
{
	unsigned open = 0, plain = 0;
	struct wish w;

	while (accept) {
		accept = next_wish(accept, &w);
		if (is_openmetrics(&w) && w.q > open)
			open = w.q;
		else if (is_plain(&w) && w.q > plain)
			plain = w.q;
	}
	return open && open >= plain ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
}

const char *metrics_format__type(enum metrics_format f)
{
	return f == METRICS_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- lines -------------------------------------------------------------------------------- */

/* The first error says why; what comes after it may succeed, or say less. */
static void put_out(struct metrics_text *t, const char *s, size_t n)
{
	errno = 0;
	if (fwrite(s, 1, n, t->f) != n && !t->err)
		t->err = -(errno ?: EIO);
}

static void flush(struct metrics_text *t)
{
	put_out(t, t->buf, t->used);
	t->used = 0;
}

/* Text comes in pieces of a few bytes: stdio would take longer for each than for all of them. */
static void put_mem(struct metrics_text *t, const char *s, size_t n)
{
	if (n > sizeof(t->buf) - t->used)
		flush(t);
	if (n > sizeof(t->buf)) {
		put_out(t, s, n);
		return;
	}
	memcpy(t->buf + t->used, s, n);
	t->used += n;
}

static void put(struct metrics_text *t, const char *s)
{
	put_mem(t, s, strlen(s));
}

static const char *suffix_of(enum metrics_kind kind)
{
	return kind == METRICS_COUNTER ? "_total" : kind == METRICS_INFO ? "_info" : "";
}

static void comment(struct metrics_text *t, const char *word, const char *suffix, const char *text)
{
	put(t, word);
	put(t, t->name);
	put(t, suffix);
	put(t, " ");
	put(t, text);
	put(t, "\n");
}

void metrics_text__family(struct metrics_text *t, const char *name, enum metrics_kind kind,
			  const char *help)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram", "info"};
	bool open = t->format == METRICS_OPENMETRICS;
	const char *suffix = open ? "" : suffix_of(kind);

	t->name = name;
	t->kind = kind;
	comment(t, "# HELP ", suffix, help);
	comment(t, "# TYPE ", suffix, kind == METRICS_INFO && !open ? "gauge" : kinds[kind]);
}

void metrics_text__sample(struct metrics_text *t, const char *suffix)
{
	put(t, t->name);
	put(t, suffix ?: suffix_of(t->kind));
	t->labels = 0;
}

void metrics_text__label_raw(struct metrics_text *t, const char *label, const char *value)
{
	put_mem(t, t->labels++ ? "," : "{", 1);
	put(t, label);
	put_mem(t, "=\"", 2);
	put(t, value);
	put_mem(t, "\"", 1);
}

void metrics_text__label(struct metrics_text *t, const char *label, const char *value)
{
	int err;

	metrics_text__label_raw(t, label, "");
	t->used--; /* its end quote, which has just been put */
	flush(t);
	err = escape__put(ESCAPE_LABEL, value, t->f);
	t->err = t->err ?: err;
	put_mem(t, "\"", 1);
}

/* Digits by hand: printf() would be half of a scrape's cost. Returns where they begin. */
static char *digits(char *end, __u64 n)
{
	do
		*--end = '0' + n % 10;
	while (n /= 10);
	return end;
}

static void value(struct metrics_text *t, const char *text)
{
	put(t, t->labels ? "} " : " ");
	put(t, text);
	put_mem(t, "\n", 1);
}

void metrics_text__count(struct metrics_text *t, __u64 n)
{
	char text[24] = "";

	value(t, digits(text + sizeof(text) - 1, n));
}

void metrics_text__seconds(struct metrics_text *t, __u64 ns)
{
	char text[40] = "", *end = text + 30, *p = end;
	unsigned part = ns % 1000000000;

	for (int i = 0; i < 9; i++, part /= 10)
		*--p = '0' + part % 10;
	*--p = '.';
	p = digits(p, ns / 1000000000);
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	*end = '\0';
	value(t, p);
}

void metrics_text__end(struct metrics_text *t)
{
	if (t->format == METRICS_OPENMETRICS)
		put(t, "# EOF\n");
	flush(t);
}
