/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules a command line asks for: of the built-in ones and of users' own files (--model) those
 * that one of its patterns matches. Errors are printed; calls return 0 or another number then.
 */
#ifndef KVMSCHED_RULE_SET_H
#define KVMSCHED_RULE_SET_H

#include "automaton.h"
#include "check.h"

#define MODELS_MAX 64

/* All zeros is one that nothing was asked of. */
struct rule_set {
	const struct automaton *rule[CHECK_RULES_MAX]; /* the result */
	unsigned rules;
	/* its own */
	char *patterns; /* all of them, with commas; NULL: none, which matches all */
	const char *file[MODELS_MAX];
	struct automaton *model[MODELS_MAX];
	unsigned files;
};

/* Several are one list: NAME[,NAME...], each with * ? []. -ENOMEM. */
int rule_set__want(struct rule_set *s, const char *patterns);

/* path must stay. -E2BIG: there are MODELS_MAX already. */
int rule_set__add_file(struct rule_set *s, const char *path);

/* Reads the files and chooses. A pattern that matches no rule is an error, but for the only one
 * being "none". option: how the command line has patterns, for that error. */
int rule_set__choose(struct rule_set *s, const char *option);

/* After rule_set__choose(): any rule, chosen or not; NULL: there is none of that name. */
const struct automaton *rule_set__find(const struct rule_set *s, const char *name);

void rule_set__free(struct rule_set *s);

#endif
