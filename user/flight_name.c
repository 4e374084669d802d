// SPDX-License-Identifier: BSD-2-Clause
/* What was forgotten last, and over it what is held: the newest introduction counts. */
#include <stdio.h>
#include <string.h>
#include "flight_name.h"
#include "units.h"

static void take(struct flight_names *n, const struct ks_head *r, __u32 vcpu, __u32 task)
{
	const void *p = r;

	switch (r->type) {
	case KS_VCPU:
		if (((const struct ks_vcpu *)p)->vcpu == vcpu)
			memcpy(&n->vcpu, p, sizeof(n->vcpu));
		break;
	case KS_VM:
		if (n->vcpu.vm && ((const struct ks_vm *)p)->vm == n->vcpu.vm)
			memcpy(&n->vm, p, sizeof(n->vm));
		break;
	case KS_NAME:
		if (n->vcpu.vm && ((const struct ks_name *)p)->vm == n->vcpu.vm)
			memcpy(&n->name, p, sizeof(n->name));
		break;
	case KS_TASK:
		if (task && ((const struct ks_task *)p)->tid == task)
			memcpy(&n->task, p, sizeof(n->task));
	}
}

static void take_held(struct flight_names *n, const struct hold *h, __u32 vcpu, __u32 task)
{
	struct hold_cursor c = {.block = NULL};
	const struct ks_head *r;

	while ((r = hold__next(h, h->streams - 1, &c)))
		take(n, r, vcpu, task);
}

/* Twice: which VM it is, the vCPU says. */
void flight_names__find(struct flight_names *n, const struct who *w, const struct hold *h,
			__u32 vcpu, __u32 task)
{
	memset(n, 0, sizeof(*n));
	who__vcpu(w, vcpu, &n->vcpu);
	take_held(n, h, vcpu, 0);
	who__vm(w, n->vcpu.vm, &n->vm, &n->name);
	who__task(w, task, &n->task);
	take_held(n, h, vcpu, task);
}

static const char *vm_name(const struct flight_names *n, char *out, size_t size)
{
	if (n->name.h.type)
		snprintf(out, size, "%.*s", (int)sizeof(n->name.name), n->name.name);
	else if (n->vm.h.type)
		snprintf(out, size, "%.*s-%u", KS_COMM_LEN, n->vm.comm, n->vm.tgid);
	else
		snprintf(out, size, "vm%u", n->vcpu.vm);
	return out;
}

bool flight_names__wanted(const struct flight_names *n, const struct filter *f,
			  const struct watch_hit *hit)
{
	char vm[sizeof(n->name.name) + 1], cgroup[sizeof(n->name.cgroup) + 1];

	if (!filter__any(f))
		return true;
	if (f->by_cpu && !filter__cpu(f, hit->absence.cpu_out))
		return false;
	if (!n->vcpu.h.type)
		return false;
	snprintf(cgroup, sizeof(cgroup), "%.*s", (int)sizeof(n->name.cgroup), n->name.cgroup);
	return filter__vcpu(f, vm_name(n, vm, sizeof(vm)), n->vcpu.tgid, cgroup, n->vcpu.vcpu_id,
			    hit->tid);
}

void flight_names__vcpu(const struct flight_names *n, __u32 tid, char *out, size_t size)
{
	char vm[sizeof(n->name.name) + 1];

	if (n->vcpu.h.type)
		snprintf(out, size, "%s vCPU %d (tid %u)", vm_name(n, vm, sizeof(vm)),
			 n->vcpu.vcpu_id, tid ?: n->vcpu.tid);
	else
		snprintf(out, size, "a vCPU that was not introduced (tid %u)", tid);
}

static bool is_run_delay(const struct watch_hit *hit)
{
	return !strcmp(hit->bound->measure->name, "run_delay");
}

void flight_names__hit(const struct flight_names *n, const struct watch_hit *hit, char *out,
		       size_t size)
{
	const struct absence *a = &hit->absence;
	char vcpu[160], length[UNITS_LEN], by[64] = "", cpu[32] = "";
	bool woken = is_run_delay(hit) && a->reason >= KS_R_HALTED;

	flight_names__vcpu(n, hit->tid, vcpu, sizeof(vcpu));
	units__own(length, woken ? a->run_delay_ns : a->to - a->from);
	if (a->by != KS_BY_NONE && n->task.h.type)
		snprintf(by, sizeof(by), ", by %.*s (tid %u)", KS_COMM_LEN, n->task.comm,
			 n->task.tid);
	else if (a->by != KS_BY_NONE)
		snprintf(by, sizeof(by), ", by tid %u", a->next_tid);
	snprintf(cpu, sizeof(cpu), ", CPU %u", a->cpu_out);
	snprintf(out, size, "%s: %s: %s%s%s%s%s%s", hit->bound->text, vcpu,
		 state__name(state__of_reason(a->reason)), woken ? ", woken, without a CPU" : "",
		 a->open ? " since " : " for ", length, cpu, by);
}
