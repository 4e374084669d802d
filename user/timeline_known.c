// SPDX-License-Identifier: BSD-2-Clause
/* How much the summary knows of the rows: see struct timeline_known. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "measure.h"
#include "timeline_parts.h"

/* Of blocked absences a kernel may not tell how long they waited; that of an open one is known when
 * it ends. */
static bool is_blind(const struct summary *s, const struct summary_vcpu *v)
{
	bool blocked = v->state_ns[ST_HALTED] || v->state_ns[ST_SLEEPING];

	return v->unmeasured || (blocked && !(s->session->fields & KS_M_RUN_DELAY));
}

static struct timeline_known known_of(const struct summary *s, const struct summary_vcpu *v)
{
	const struct measure *m = measure__find("run_delay", strlen("run_delay"));
	struct timeline_known k = {.unknown_ns = v->state_ns[ST_UNKNOWN]};

	for (int st = 0; st < ST_CNT; st++)
		if (st != ST_ABSENT)
			k.lived_ns += v->state_ns[st];
	if (!s->session)
		return k;
	k.blind = is_blind(s, v);
	if (!measure__time(m, s, v, &k.run_delay_ns))
		return k;
	if (!k.run_delay_ns && k.lived_ns && (k.blind || k.unknown_ns == k.lived_ns))
		return k;
	k.how = k.blind || k.unknown_ns ? KNOWN_PART : KNOWN_ALL;
	return k;
}

static int known_of_vm(struct timeline_vm *vm, const struct summary *s)
{
	struct summary_vcpu sum;
	int err = summary__add_up(s, vm->first, vm->rows, &sum);

	vm->known = known_of(s, &sum);
	summary__free_vcpu(&sum);
	return err;
}

int timeline_known__init(struct timeline *t, const struct summary *s)
{
	unsigned n;

	t->vm = calloc(t->rows + 1, sizeof(*t->vm));
	if (!t->vm)
		return -ENOMEM;
	t->known = known_of(s, &s->total);
	for (unsigned i = 0; i < t->rows; i += n) {
		struct timeline_vm *vm = &t->vm[t->vms++];

		n = summary__group(s, SUMMARY_BY_VM, i);
		vm->first = i;
		vm->rows = n;
		if (known_of_vm(vm, s))
			return -ENOMEM;
		for (unsigned k = i; k < i + n; k++)
			t->row[k].known = known_of(s, &s->vcpu[k]);
	}
	return 0;
}
