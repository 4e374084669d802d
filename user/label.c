// SPDX-License-Identifier: BSD-2-Clause
/* See label.h. Blanks do not matter anywhere. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "label.h"
#include "units.h"

static int wrong(struct label *l, const char *why)
{
	l->why = why;
	return -EINVAL;
}

/* Copies the line at *at without the blanks around it. A line ends at a newline or at one of DOT's
 * two-character ones, \n \l \r. */
static int take_line(const char **at, struct label *l)
{
	const char *p = *at, *end = p;

	while (*end && *end != '\n' && !(end[0] == '\\' && end[1] && strchr("nlr", end[1])))
		end++;
	*at = !*end ? end : *end == '\n' ? end + 1 : end + 2;
	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	memset(l, 0, sizeof(*l));
	memcpy(l->text, p, end - p < LABEL_MAX ? end - p : LABEL_MAX - 1);
	return end - p < LABEL_MAX ? 0 : wrong(l, "too long");
}

static const char *blank(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static bool identifier(const char **p, char name[LABEL_NAME])
{
	size_t n = 0;

	*p = blank(*p);
	if (isdigit((unsigned char)**p))
		return false;
	for (; isalnum((unsigned char)**p) || **p == '_'; (*p)++) {
		if (n + 1 >= LABEL_NAME)
			return false;
		name[n++] = **p;
	}
	name[n] = '\0';
	*p = blank(*p);
	return n;
}

static int value(struct label *l, struct label_term *t, const char **p)
{
	const char *end;

	*p = blank(*p);
	if (!isdigit((unsigned char)**p)) {
		if (!identifier(p, t->symbol))
			return wrong(l, "no value behind the comparison");
		if (!strncmp(*p, "()", 2))
			*p = blank(*p + 2);
		return 0;
	}
	if (!units__scan_time(*p, &t->value, &end) && end[-1] == 's') {
		t->timed = true;
		*p = blank(end);
		return 0;
	}
	t->value = 0;
	for (; isdigit((unsigned char)**p); (*p)++)
		if (__builtin_mul_overflow(t->value, 10, &t->value) ||
		    __builtin_add_overflow(t->value, **p - '0', &t->value))
			return wrong(l, "the number is too large");
	if (isalnum((unsigned char)**p) || **p == '_' || **p == '.')
		return wrong(l, "not a number, nor a time: units are ns, us, ms and s");
	*p = blank(*p);
	return 0;
}

static int constraint(struct label *l, const char **p)
{
	bool alternative = true;

	if (l->terms)
		return wrong(l, "a second guard: combine them by && or ||");
	for (;;) {
		struct label_term *t = &l->term[l->terms];

		if (l->terms == LABEL_TERMS)
			return wrong(l, "too many comparisons");
		t->alternative = alternative;
		if (!identifier(p, t->name))
			return wrong(l, "a comparison begins with a field or a clock");
		if (compare__scan(*p, &t->op, p))
			return wrong(l, "not a comparison: < <= == != >= or > is missing");
		if (value(l, t, p))
			return -EINVAL;
		l->terms++;
		if (strncmp(*p, "&&", 2) && strncmp(*p, "||", 2))
			return 0;
		alternative = **p == '|';
		*p += 2;
	}
}

static bool reset(struct label *l, const char **p)
{
	const char *at = *p;

	if (strncmp(at, "reset", 5) || *blank(at + 5) != '(')
		return false;
	at = blank(at + 5) + 1;
	if (l->resets == sizeof(l->reset) / sizeof(*l->reset) ||
	    !identifier(&at, l->reset[l->resets]) || *at != ')')
		return false;
	l->resets++;
	*p = blank(at + 1);
	return true;
}

int label__next(const char **at, struct label *l)
{
	const char *p;

	if (!**at)
		return 0;
	if (take_line(at, l))
		return -EINVAL;
	p = l->text;
	if (!identifier(&p, l->event))
		return wrong(l, "no event");
	while (*p == ';') {
		p = blank(p + 1);
		if (!reset(l, &p) && constraint(l, &p))
			return -EINVAL;
	}
	return *p ? wrong(l, "what follows the event stands behind a ;") : 1;
}

int label__state(const char *text, struct label *l)
{
	const char *at = text, *p;
	struct label line;

	if (take_line(&at, l))
		return -EINVAL;
	memcpy(l->event, l->text, LABEL_NAME - 1);
	if (!*at)
		return 0;
	if (take_line(&at, &line))
		return wrong(l, line.why);
	memcpy(l->text, line.text, sizeof(l->text));
	p = l->text;
	if (constraint(l, &p))
		return -EINVAL;
	if (*at || *p || l->terms > 1)
		return wrong(l, "a state has one invariant");
	if (l->term[0].op != CMP_LT && l->term[0].op != CMP_LE)
		return wrong(l, "an invariant is of the form CLOCK < TIME");
	return 0;
}
