// SPDX-License-Identifier: BSD-2-Clause
/* See export_who.h. */
#include "export_who.h"
#include "report_json.h"

/* The idle task has no thread id, and its descriptor may be missing. */
static const char *comm_of(const struct model_task *t)
{
	return t->comm[0] ? t->comm : t->tid ? NULL : "swapper";
}

void taker__words(const struct taker_key *k, const struct model *m, struct taker_words *w)
{
	const struct model_task *t = &k->task;
	const struct model_vcpu *v = k->known ? model__vcpu(m, t->vcpu) : NULL;

	*w = (struct taker_words){.by = report_class_names[k->by],
				  .comm = comm_of(t),
				  .tid = t->tid,
				  .pid = k->known ? (__s64)t->tgid : -1,
				  .vcpu = v ? v->vcpu_id : -1};
	if (model__vm_known(m, t->vm))
		w->vm = model__vm_name(m, t->vm, w->name, sizeof(w->name));
}
