// SPDX-License-Identifier: BSD-2-Clause
/* See rule_set.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "automaton_build.h"
#include "err.h"
#include "rule_set.h"
#include "rules.h"

int rule_set__want(struct rule_set *s, const char *patterns)
{
	char *before = s->patterns, *all;

	if (asprintf(&all, "%s%s%s", before ?: "", before ? "," : "", patterns) < 0)
		return -ENOMEM;
	free(before);
	s->patterns = all;
	return 0;
}

int rule_set__add_file(struct rule_set *s, const char *path)
{
	if (s->files == MODELS_MAX)
		return -E2BIG;
	s->file[s->files++] = path;
	return 0;
}

const struct automaton *rule_set__find(const struct rule_set *s, const char *name)
{
	for (unsigned i = 0; rules_builtin[i]; i++)
		if (!strcmp(rules_builtin[i]->name, name))
			return rules_builtin[i];
	for (unsigned i = 0; i < s->files; i++)
		if (s->model[i] && !strcmp(s->model[i]->name, name))
			return s->model[i];
	return NULL;
}

static int read_file(struct rule_set *s, unsigned i)
{
	struct automaton *a = NULL;
	struct dot *d = NULL;
	int err = dot__read(&d, s->file[i]);

	if (!err)
		err = automaton__build(&a, d);
	if (!err && rule_set__find(s, a->name)) {
		err = err__say(0, "%s: there is a rule %s already", s->file[i], a->name);
		automaton__free(a);
	} else if (!err) {
		s->model[i] = a;
	}
	dot__free(d);
	return err;
}

static bool matches(const char *name, const char *pattern, size_t len)
{
	char text[128];

	if (len >= sizeof(text))
		return false;
	memcpy(text, pattern, len);
	text[len] = '\0';
	return !fnmatch(text, name, 0);
}

static bool wanted(const struct rule_set *s, const char *name)
{
	for (const char *p = s->patterns, *end; p; p = *end ? end + 1 : NULL) {
		end = strchrnul(p, ',');
		if (matches(name, p, end - p))
			return true;
	}
	return !s->patterns;
}

static void choose(struct rule_set *s, const struct automaton *a)
{
	if (wanted(s, a->name) && s->rules < CHECK_RULES_MAX)
		s->rule[s->rules++] = a;
}

static int verify_patterns(const struct rule_set *s, const char *option)
{
	for (const char *p = s->patterns, *end; p; p = *end ? end + 1 : NULL) {
		bool used = false;

		end = strchrnul(p, ',');
		for (unsigned i = 0; i < s->rules; i++)
			used |= matches(s->rule[i]->name, p, end - p);
		if (!used && strcmp(s->patterns, "none"))
			return err__say(0,
					"%s%.*s: no such rule; 'kvmsched check --list' names them",
					option, (int)(end - p), p);
	}
	return 0;
}

int rule_set__choose(struct rule_set *s, const char *option)
{
	int err = 0;

	for (unsigned i = 0; !err && i < s->files; i++)
		err = read_file(s, i);
	if (err)
		return err;
	for (unsigned i = 0; rules_builtin[i]; i++)
		choose(s, rules_builtin[i]);
	for (unsigned i = 0; i < s->files; i++)
		choose(s, s->model[i]);
	return verify_patterns(s, option);
}

void rule_set__free(struct rule_set *s)
{
	for (unsigned i = 0; i < s->files; i++)
		automaton__free(s->model[i]);
	free(s->patterns);
}
