/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who took CPUs, each once, by number: what the page's absences refer to. A task that was
 * introduced is told by its tid and when it began; of others there is only the tid.
 */
#ifndef KVMSCHED_HTML_TASKS_H
#define KVMSCHED_HTML_TASKS_H

#include "model.h"

struct html_tasks {
	struct html_task **at; /* in order of number */
	unsigned count, room;
	void *tree;
};

struct html_task {
	unsigned number;
	bool introduced;
	struct model_task task; /* as last introduced; else only tid and vm */
};

/* A struct of zeros is an empty one. The task's number goes to *number. 0 or -ENOMEM. */
int html_tasks__number(struct html_tasks *t, const struct absence *a, const struct model_task *task,
		       unsigned *number);

void html_tasks__free(struct html_tasks *t);

#endif
