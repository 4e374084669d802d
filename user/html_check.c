// SPDX-License-Identifier: BSD-2-Clause
/* What the rules found, for the page. See html_json.h. */
#include <errno.h>
#include <stdlib.h>
#include "html_json.h"

/* The first violation, in words. */
static int put_explained(struct json *j, const struct html_json *h, const struct verdict_test *t)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return -ENOMEM;
	verdict__explain(h->verdict, t, "", ESCAPE_TERMINAL, f);
	if (fclose(f)) {
		free(text);
		return -ENOMEM;
	}
	json__key(j, "first");
	json__mem(j, text, size);
	free(text);
	return 0;
}

static int put_test(struct json *j, const struct html_json *h, const struct verdict_test *t)
{
	int err = 0;

	json__object(j);
	json__key_str(j, "name", t->name);
	json__key_str(j, "help", t->help);
	json__key_str(j, "verdict", verdict__name(t->status));
	json__key_str(j, "why", t->why);
	if (t->status != VERDICT_SKIPPED) {
		json__key_u64(j, "decided", t->decided);
		json__key_u64(j, "violations", t->violations);
	}
	if (t->status == VERDICT_VIOLATED)
		err = put_explained(j, h, t);
	json__end_object(j);
	return err;
}

static void put_marks(struct json *j, const struct html_json *h)
{
	json__key_array(j, "marks");
	for (unsigned i = 0; i < h->marks->count; i++) {
		json__array(j);
		json__u64(j, h->marks->at[i].vcpu);
		json__u64(j, html_json__since(h, h->marks->at[i].ts));
		json__u64(j, h->marks->at[i].rule);
		json__end_array(j);
	}
	json__end_array(j);
	json__key_u64(j, "marks_left_out", h->marks->left_out);
}

int html_json__check(struct json *j, const struct html_json *h)
{
	const struct verdict *v = h->verdict;
	int err = 0;

	json__key_object(j, "check");
	json__key_str(j, "verdict", verdict__name(v->status));
	json__key_str(j, "doubt", v->doubt);
	json__key_object(j, "totals");
	for (enum verdict_status s = 0; s < VERDICT_CNT; s++)
		json__key_u64(j, verdict__name(s), v->count[s]);
	json__end_object(j);
	json__key_array(j, "tests");
	for (unsigned i = 0; !err && i < v->tests; i++)
		err = put_test(j, h, &v->test[i]);
	json__end_array(j);
	put_marks(j, h);
	json__end_object(j);
	return err;
}
