// SPDX-License-Identifier: BSD-2-Clause
/* See html_tasks.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include "html_tasks.h"

static int compare(const void *a, const void *b)
{
	const struct model_task *x = &((const struct html_task *)a)->task;
	const struct model_task *y = &((const struct html_task *)b)->task;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static struct html_task *add(struct html_tasks *t, const struct html_task *key)
{
	struct html_task *new;

	if (t->count == t->room) {
		unsigned room = t->room ? t->room * 2 : 64;
		struct html_task **at = realloc(t->at, room * sizeof(*at));

		if (!at)
			return NULL;
		t->at = at;
		t->room = room;
	}
	new = malloc(sizeof(*new));
	if (!new)
		return NULL;
	*new = *key;
	new->number = t->count;
	if (!tsearch(new, &t->tree, compare)) {
		free(new);
		return NULL;
	}
	return t->at[t->count++] = new;
}

int html_tasks__number(struct html_tasks *t, const struct absence *a, const struct model_task *task,
		       unsigned *number)
{
	struct html_task key = {.introduced = task}, **found, *at;

	if (task)
		key.task = *task;
	else
		key.task = (struct model_task){.tid = a->next_tid, .vm = a->next_vm};
	found = tfind(&key, &t->tree, compare);
	at = found ? *found : add(t, &key);
	if (!at)
		return -ENOMEM;
	if (task)
		at->task = *task;
	*number = at->number;
	return 0;
}

void html_tasks__free(struct html_tasks *t)
{
	for (unsigned i = 0; i < t->count; i++) {
		tdelete(t->at[i], &t->tree, compare);
		free(t->at[i]);
	}
	free(t->at);
	*t = (struct html_tasks){0};
}
