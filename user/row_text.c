// SPDX-License-Identifier: BSD-2-Clause
/* See row_text.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "escape.h"
#include "json.h"
#include "row_text.h"

struct text {
	char *bytes;
	size_t size;
	FILE *f;
};

static int begin_text(struct text *t)
{
	t->bytes = NULL;
	t->f = open_memstream(&t->bytes, &t->size);
	return t->f ? 0 : -ENOMEM;
}

/* Keeps `back` bytes less at the end. */
static int end_text(struct text *t, int err, size_t back, struct row_text *to)
{
	if (fclose(t->f))
		err = -ENOMEM;
	if (!err && t->size - back > sizeof(to->bytes))
		err = -E2BIG;
	if (!err) {
		to->len = t->size - back;
		memcpy(to->bytes, t->bytes, to->len);
	}
	free(t->bytes);
	return err;
}

static void csv_text(FILE *f, const char *text, char end)
{
	escape__put(ESCAPE_CSV, text, f);
	fputc(end, f);
}

static void csv_number(FILE *f, __s64 n)
{
	if (n >= 0)
		fprintf(f, "%lld", (long long)n);
}

int row_text__vcpu(struct row_text *to, bool csv, const struct session *s, const struct model *m,
		   const struct model_vcpu *v)
{
	const struct model_vm *vm = model__vm(m, v->vm);
	const char *uuid = vm ? vm->uuid : "";
	char name[WHO_NAME_SIZE];
	struct text t;
	struct json *j;

	model__vm_name(m, v->vm, name, sizeof(name));
	if (begin_text(&t))
		return -ENOMEM;
	if (csv) {
		csv_text(t.f, s->host, ',');
		csv_text(t.f, name, ',');
		csv_text(t.f, uuid, ',');
		fprintf(t.f, "%u,", v->tgid);
		csv_number(t.f, v->vcpu_id);
		fprintf(t.f, ",%u", v->v.tid);
		return end_text(&t, 0, 0, to);
	}
	j = json__new(t.f, 0);
	json__object(j);
	json__key_str(j, "host", s->host);
	json__key_str(j, "vm", name);
	if (*uuid)
		json__key_str(j, "vm_uuid", uuid);
	json__key_u64(j, "vm_pid", v->tgid);
	if (v->vcpu_id >= 0)
		json__key_u64(j, "vcpu", v->vcpu_id);
	json__key_u64(j, "tid", v->v.tid);
	json__end_object(j);
	return end_text(&t, json__close(j), strlen("}\n"), to);
}

static int taker_csv(struct row_text *to, const struct taker_words *w)
{
	struct text t;

	if (begin_text(&t))
		return -ENOMEM;
	fprintf(t.f, ",%s,", w->by);
	csv_text(t.f, w->comm ?: "", ',');
	fprintf(t.f, "%u,", w->tid);
	csv_number(t.f, w->pid);
	fputc(',', t.f);
	csv_text(t.f, w->vm ?: "", ',');
	csv_number(t.f, w->vcpu);
	return end_text(&t, 0, 0, to);
}

static int taker_json(struct row_text *to, const struct taker_words *w)
{
	struct text t;
	struct json *j;
	int err;

	if (begin_text(&t))
		return -ENOMEM;
	j = json__new(t.f, 0);
	json__object(j);
	json__key_str(j, "by", w->by);
	if (w->comm)
		json__key_str(j, "by_comm", w->comm);
	json__key_u64(j, "by_tid", w->tid);
	if (w->pid >= 0)
		json__key_s64(j, "by_pid", w->pid);
	if (w->vm)
		json__key_str(j, "by_vm", w->vm);
	if (w->vcpu >= 0)
		json__key_s64(j, "by_vcpu", w->vcpu);
	json__end_object(j);
	err = end_text(&t, json__close(j), strlen("}\n"), to);
	if (!err)
		to->bytes[0] = ','; /* instead of the brace */
	return err;
}

int row_text__taker(struct row_text *to, bool csv, const struct taker_words *w)
{
	return csv ? taker_csv(to, w) : taker_json(to, w);
}
