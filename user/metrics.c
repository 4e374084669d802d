// SPDX-License-Identifier: BSD-2-Clause
/* Family after family, as both formats want it; each goes through the VMs. */
#include <stdio.h>
#include "metrics.h"
#include "metrics_vms.h"
#include "report_json.h"

struct page {
	struct metrics_text t;
	const struct metrics *m;
	const struct metrics_opts *o;
	struct metrics_vms vms;
};

/* A series each: a VM's, and those of its vCPUs. */
struct series {
	const struct metrics_vm *vm;
	const char *vcpu; /* NULL: the VM as a whole */
	struct metrics_row row;
};

typedef void (*series_fn)(struct page *p, const struct series *s);

/* vCPUs come in order of their numbers, and a label must not come twice: the youngest has it. */
static bool has_series(const struct summary *s, unsigned i, unsigned end)
{
	const struct summary_vcpu *v = &s->vcpu[i];

	if (v->folded || v->v->vcpu_id < 0)
		return false;
	return i + 1 == end || v[1].folded || v[1].v->vcpu_id != v->v->vcpu_id;
}

/* What is folded has none: a series that it all were in would leap when a vCPU is gone, and a
 * rate() of it would be nonsense. */
static void each_vcpu(struct page *p, const struct metrics_vm *vm, series_fn fn)
{
	const struct summary *s = p->m->summary;
	char number[16];

	for (unsigned i = vm->first; i < vm->first + vm->count; i++) {
		const struct summary_vcpu *v = &s->vcpu[i];
		struct series one = {.vm = vm, .vcpu = number};

		if (!has_series(s, i, vm->first + vm->count))
			continue;
		snprintf(number, sizeof(number), "%d", v->v->vcpu_id);
		metrics_row__fill(&one.row, s, v);
		fn(p, &one);
	}
}

static void each(struct page *p, series_fn fn)
{
	for (unsigned i = 0; i < p->vms.vms; i++) {
		const struct metrics_vm *vm = &p->vms.vm[i];

		if (p->o->per_vcpu)
			each_vcpu(p, vm, fn);
		else
			fn(p, &(struct series){.vm = vm, .row = vm->row});
	}
}

static void begin(struct page *p, const struct series *s)
{
	metrics_text__sample(&p->t, NULL);
	metrics_text__label_raw(&p->t, "vm", s->vm->label);
	if (s->vcpu)
		metrics_text__label_raw(&p->t, "vcpu", s->vcpu);
}

/* ---- what vCPUs do ------------------------------------------------------------------------ */

static void states(struct page *p, const struct series *s)
{
	for (unsigned st = 0; st < ST_CNT; st++) {
		if (!(s->row.states & 1U << st))
			continue;
		begin(p, s);
		metrics_text__label_raw(&p->t, "state", state__name(st));
		metrics_text__seconds(&p->t, s->row.state_ns[st]);
	}
}

static void switches(struct page *p, const struct series *s)
{
	begin(p, s);
	metrics_text__count(&p->t, s->row.switches);
}

static void migrations(struct page *p, const struct series *s)
{
	begin(p, s);
	metrics_text__count(&p->t, s->row.migrations);
}

static void delay(struct page *p, const struct metrics_vm *vm)
{
	struct metrics_text *t = &p->t;

	for (unsigned i = 0; i <= METRICS_EDGES; i++) {
		metrics_text__sample(t, "_bucket");
		metrics_text__label_raw(t, "vm", vm->label);
		metrics_text__label_raw(t, "le", i < METRICS_EDGES ? metrics_edges[i].le : "+Inf");
		metrics_text__count(t, i < METRICS_EDGES ? vm->bucket[i] : vm->delays);
	}
	metrics_text__sample(t, "_sum");
	metrics_text__label_raw(t, "vm", vm->label);
	metrics_text__seconds(t, vm->delay_sum_ns);
	metrics_text__sample(t, "_count");
	metrics_text__label_raw(t, "vm", vm->label);
	metrics_text__count(t, vm->delays);
}

static void delays(struct page *p)
{
	metrics_text__family(&p->t, "kvmsched_run_delay_seconds", METRICS_HISTOGRAM,
			     "How long vCPUs were runnable but waited for a CPU, per absence.");
	for (unsigned i = 0; i < p->vms.vms; i++)
		if (p->vms.vm[i].has_delay)
			delay(p, &p->vms.vm[i]);
}

/* ---- who took their CPUs ------------------------------------------------------------------ */

/* A class that did not occur is 0, so that its first time is seen as a growth. One that this kernel
 * does not tell is absent. */
static bool has_class(const struct page *p, const struct metrics_vm *vm, unsigned by)
{
	return by != KS_BY_QUOTA || p->m->summary->session->fields & KS_M_QUOTA || vm->by_cnt[by] ||
	       vm->by_ns[by];
}

static void by_class(struct page *p, bool time)
{
	for (unsigned i = 0; i < p->vms.vms; i++) {
		const struct metrics_vm *vm = &p->vms.vm[i];

		for (unsigned by = KS_BY_NONE + 1; by < KS_BY_CNT; by++) {
			if (!has_class(p, vm, by))
				continue;
			begin(p, &(struct series){.vm = vm});
			metrics_text__label_raw(&p->t, "by", report_class_names[by]);
			if (time)
				metrics_text__seconds(&p->t, vm->by_ns[by]);
			else
				metrics_text__count(&p->t, vm->by_cnt[by]);
		}
	}
}

static void preemptors(struct page *p)
{
	if (p->m->summary->no_classes)
		return;
	metrics_text__family(&p->t, "kvmsched_preemptions", METRICS_COUNTER,
			     "Preemptions of vCPUs, by who got the CPU.");
	by_class(p, false);
	metrics_text__family(&p->t, "kvmsched_preempted_seconds", METRICS_COUNTER,
			     "Time for which vCPUs were preempted, by who got the CPU.");
	by_class(p, true);
}

/* ---- who, and the program itself ---------------------------------------------------------- */

static void info(struct page *p)
{
	const struct summary *s = p->m->summary;
	char pid[16];

	metrics_text__family(&p->t, "kvmsched_vm", METRICS_INFO, "Which VM that is.");
	for (unsigned i = 0; i < p->vms.vms; i++) {
		const struct metrics_vm *vm = &p->vms.vm[i];
		const struct model_vm *who = model__vm(s->model, vm->vm);

		snprintf(pid, sizeof(pid), "%u", s->vcpu[vm->first].v->tgid);
		begin(p, &(struct series){.vm = vm});
		metrics_text__label(&p->t, "uuid", who ? who->uuid : "");
		metrics_text__label_raw(&p->t, "pid", pid);
		metrics_text__label(&p->t, "cgroup", who ? who->cgroup : "");
		metrics_text__count(&p->t, 1);
	}
}

static void one(struct page *p, const char *name, enum metrics_kind kind, const char *help, __u64 n)
{
	metrics_text__family(&p->t, name, kind, help);
	metrics_text__sample(&p->t, NULL);
	metrics_text__count(&p->t, n);
}

static void seconds(struct page *p, const char *name, enum metrics_kind kind, const char *help,
		    __u64 ns)
{
	metrics_text__family(&p->t, name, kind, help);
	metrics_text__sample(&p->t, NULL);
	metrics_text__seconds(&p->t, ns);
}

static void completeness(struct page *p)
{
	one(p, "kvmsched_lost_records", METRICS_COUNTER,
	    "Records that found their ring full; what depends on them is state unknown.",
	    p->m->summary->lost);
	one(p, "kvmsched_vcpus_untracked", METRICS_GAUGE,
	    "vCPUs that did not fit into the table (--max-vcpus) and have no series.",
	    p->m->untracked);
	one(p, "kvmsched_vms_omitted", METRICS_GAUGE, "VMs beyond --max-vms, without series.",
	    p->vms.omitted);
}

static void build(struct page *p)
{
	metrics_text__family(&p->t, "kvmsched_build", METRICS_INFO, "Which kvmsched this is.");
	metrics_text__sample(&p->t, NULL);
	metrics_text__label(&p->t, "version", p->o->version);
	metrics_text__label(&p->t, "commit", p->o->commit);
	metrics_text__count(&p->t, 1);
}

/* The names that client libraries use: https://prometheus.io/docs/instrumenting/writing_clientlibs
 */
static void process(struct page *p)
{
	const struct self *s = p->m->self;

	seconds(p, "process_cpu_seconds", METRICS_COUNTER, "CPU time of kvmsched itself.",
		s->cpu_ns);
	one(p, "process_resident_memory_bytes", METRICS_GAUGE, "Resident memory of kvmsched.",
	    s->rss_bytes);
	one(p, "process_virtual_memory_bytes", METRICS_GAUGE, "Address space of kvmsched.",
	    s->vsize_bytes);
	one(p, "process_open_fds", METRICS_GAUGE, "Open file descriptors.", s->fds);
	one(p, "process_max_fds", METRICS_GAUGE, "File descriptors that may be open.", s->fds_max);
	seconds(p, "process_start_time_seconds", METRICS_GAUGE,
		"When kvmsched started, since the epoch.", s->start_ns);
}

static void write_all(struct page *p)
{
	metrics_text__family(
		&p->t, "kvmsched_state_seconds", METRICS_COUNTER,
		"Time of vCPUs in each state; all states of a VM grow by its vCPUs per second.");
	each(p, states);
	delays(p);
	metrics_text__family(&p->t, "kvmsched_switches", METRICS_COUNTER,
			     "How often vCPUs lost their CPU.");
	each(p, switches);
	metrics_text__family(&p->t, "kvmsched_migrations", METRICS_COUNTER,
			     "Absences that ended on another CPU.");
	each(p, migrations);
	preemptors(p);
	info(p);
	completeness(p);
	build(p);
	if (p->m->self)
		process(p);
	metrics_text__end(&p->t);
}

int metrics__write(FILE *f, enum metrics_format format, const struct metrics *m,
		   const struct metrics_opts *o)
{
	struct page p = {.t = {.f = f, .format = format}, .m = m, .o = o};
	int err = metrics_vms__init(&p.vms, m->summary, o->max_vms);

	if (err)
		return err;
	write_all(&p);
	metrics_vms__free(&p.vms);
	return p.t.err;
}
