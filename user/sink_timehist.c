// SPDX-License-Identifier: BSD-2-Clause
/*
 * A line per absence. Nothing is kept between lines, so a recording of any length streams through;
 * and nothing is known of the lines to come, so columns have fixed widths and units (us, with ns
 * behind the point). An absence whose beginning or end was not seen is longer than what is known:
 * it gets a '>'.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "report_json.h"
#include "sink_timehist.h"
#include "style.h"
#include "units.h"

#define NAME_SIZE 160
#define VM_WIDTH  24	       /* at most; longer names push the rest of their line */
#define FLUSH_NS  100000000ULL /* live: a reader behind a pipe is this much behind, or one line */

int timehist__parse_states(const char *list, unsigned *reasons)
{
	static const struct {
		const char *name;
		unsigned bits;
	} states[] = {
		{"preempted", 1 << KS_R_PREEMPTED | 1 << KS_R_IOCTL},
		{"ioctl", 1 << KS_R_IOCTL},
		{"halted", 1 << KS_R_HALTED},
		{"sleeping", 1 << KS_R_SLEEPING},
	};
	unsigned bits = 0;

	for (const char *p = list, *end;; p = end + 1) {
		size_t i = 0;

		end = strchrnul(p, ',');
		while (i < 4 && (strlen(states[i].name) != (size_t)(end - p) ||
				 memcmp(states[i].name, p, end - p)))
			i++;
		if (i == 4)
			return -EINVAL;
		bits |= states[i].bits;
		if (!*end)
			break;
	}
	*reasons = bits;
	return 0;
}

static bool wanted(const struct sink_timehist *t, const struct absence *a)
{
	if (t->opts.reasons && !(t->opts.reasons & 1U << a->reason))
		return false;
	return a->to - a->from >= t->opts.min_ns;
}

/* The idle task has no thread id, and its descriptor may be missing. */
static const char *comm_of(const struct absence *a, const struct model_task *task)
{
	return task && task->comm[0] ? task->comm : a->next_tid ? NULL : "swapper";
}

static __u32 vm_of(const struct absence *a, const struct model_task *task)
{
	return task ? task->vm : a->next_vm;
}

/* ---- for people --------------------------------------------------------------------------- */

static const char *vm_name(const struct sink_timehist *t, __u32 vm, char *out, size_t size)
{
	char name[NAME_SIZE];

	model__vm_name(t->model, vm, name, sizeof(name));
	escape__str(t->term.escape, name, out, size);
	return out;
}

/* The names that are known when the first line is due decide how wide their column is. */
static void header(struct sink_timehist *t)
{
	char name[ESCAPE_SIZE(NAME_SIZE)];
	const struct model_vcpu *v;

	t->headed = true;
	t->vm_width = strlen("VM");
	for (unsigned at = 0; (v = model__next(t->model, &at));) {
		int width = escape__width(vm_name(t, v->vm, name, sizeof(name)));

		if (width > t->vm_width)
			t->vm_width = width < VM_WIDTH ? width : VM_WIDTH;
	}
	printf("%s%18s  %-*s %4s %7s %8s  %-16s %15s %15s  %s%s\n",
	       term__on(&t->term, STYLE_HEADER), t->opts.wall ? "time" : "time s", t->vm_width,
	       "VM", "vCPU", "tid", "CPU", "state", "absence us", "run delay us", "taken by",
	       term__off(&t->term, STYLE_HEADER));
}

static void put_time(const struct sink_timehist *t, __u64 ns)
{
	const struct session *s = t->session;
	char text[UNITS_LEN];

	if (t->opts.wall)
		units__clock(text, ns, s->wall_start_ns, 9);
	else
		units__seconds(text, ns > s->start_ns ? ns - s->start_ns : 0, 9);
	printf("%18s", text);
}

static void put_vcpu(const struct sink_timehist *t, const struct model_vcpu *v)
{
	char name[ESCAPE_SIZE(NAME_SIZE)], number[16] = "-";
	int pad;

	vm_name(t, v->vm, name, sizeof(name));
	pad = t->vm_width - (int)escape__width(name);
	if (v->vcpu_id >= 0)
		snprintf(number, sizeof(number), "%d", v->vcpu_id);
	printf("  %s%*s %4s %7u", name, pad > 0 ? pad : 0, "", number, v->v.tid);
}

static void put_cpus(const struct absence *a)
{
	char text[24], out[8] = "-", in[8] = "-";

	if (a->cpu_out != VCPU_NO_CPU)
		snprintf(out, sizeof(out), "%u", a->cpu_out);
	if (!a->open)
		snprintf(in, sizeof(in), "%u", a->cpu_in);
	snprintf(text, sizeof(text), "%s>%s", out, in);
	printf(" %8s", text);
}

static void put_state(const struct sink_timehist *t, const struct absence *a)
{
	enum term_style style = style__of_state(state__of_reason(a->reason));

	printf("  %s%-16s%s", term__on(&t->term, style),
	       a->reason == KS_R_IOCTL ? "preempted(ioctl)"
				       : state__name(state__of_reason(a->reason)),
	       term__off(&t->term, style));
}

static void put_times(const struct absence *a)
{
	const char *more = a->open || !a->whole ? ">" : "";
	char number[UNITS_LEN], text[UNITS_LEN + 1];

	snprintf(text, sizeof(text), "%s%s", more, units__number(number, a->to - a->from, UNIT_US));
	printf(" %15s", text);
	if (!a->has_run_delay) {
		printf(" %15s", "-");
		return;
	}
	snprintf(text, sizeof(text), "%s%s", more, units__number(number, a->run_delay_ns, UNIT_US));
	printf(" %15s", text);
}

/* "other_vm  CPU 1/KVM[4242] of web vCPU 1" */
static void put_taker(const struct sink_timehist *t, const struct absence *a,
		      const struct model_task *task)
{
	const char *comm = comm_of(a, task);
	char text[ESCAPE_SIZE(NAME_SIZE)];
	const struct model_vcpu *v;

	if (a->by == KS_BY_NONE)
		return;
	escape__str(t->term.escape, comm ? comm : "?", text, sizeof(text));
	printf("  %-8s  %s[%u]", report_class_names[a->by], text, a->next_tid);
	if (!vm_of(a, task))
		return;
	if (!model__vm_known(t->model, vm_of(a, task))) {
		if (task && task->tgid)
			printf(" of pid %u", task->tgid);
		return;
	}
	printf(" of %s", vm_name(t, vm_of(a, task), text, sizeof(text)));
	v = task ? model__vcpu(t->model, task->vcpu) : NULL;
	if (v && v->vcpu_id >= 0)
		printf(" vCPU %d", v->vcpu_id);
}

static void line(struct sink_timehist *t, const struct model_vcpu *v, const struct absence *a,
		 const struct model_task *task)
{
	if (!t->headed)
		header(t);
	put_time(t, a->to);
	put_vcpu(t, v);
	put_cpus(a);
	put_state(t, a);
	put_times(a);
	put_taker(t, a, task);
	if (a->open)
		printf("  %sstill absent%s", term__on(&t->term, STYLE_WARN),
		       term__off(&t->term, STYLE_WARN));
	else if (!a->whole)
		fputs("  since before the start", stdout);
	putchar('\n');
}

/* ---- for machines ------------------------------------------------------------------------- */

static void json_header(struct sink_timehist *t)
{
	const struct session *s = t->session;
	struct json *j = t->json;

	json__object(j);
	json__key_u64(j, "schema", 1);
	json__key_str(j, "type", "header");
	json__key_str(j, "host", s->host);
	json__key_str(j, "kernel", s->release);
	json__key_str(j, "mode", session__mode_name(s->mode));
	json__key_u64(j, "start_ns", s->start_ns);
	json__key_s64(j, "wall_offset_ns", s->wall_start_ns);
	json__key_u64(j, "min_ns", t->opts.min_ns);
	json__key_array(j, "reasons");
	for (unsigned i = 1; i < KS_R_CNT; i++)
		if (!t->opts.reasons || t->opts.reasons & 1U << i)
			json__str(j, report_reason_names[i]);
	json__end_array(j);
	json__end_object(j);
	json__line(j);
}

static void json_taker(struct sink_timehist *t, const struct absence *a,
		       const struct model_task *task)
{
	const struct model_vcpu *v = task ? model__vcpu(t->model, task->vcpu) : NULL;
	struct json *j = t->json;
	char name[NAME_SIZE];

	json__key_object(j, "by");
	json__key_str(j, "class", report_class_names[a->by]);
	if (comm_of(a, task))
		json__key_str(j, "comm", comm_of(a, task));
	json__key_u64(j, "tid", a->next_tid);
	if (task)
		json__key_u64(j, "pid", task->tgid);
	if (model__vm_known(t->model, vm_of(a, task)))
		json__key_str(j, "vm",
			      model__vm_name(t->model, vm_of(a, task), name, sizeof(name)));
	if (v && v->vcpu_id >= 0)
		json__key_s64(j, "vcpu", v->vcpu_id);
	json__end_object(j);
}

static void json_line(struct sink_timehist *t, const struct model_vcpu *v, const struct absence *a,
		      const struct model_task *task)
{
	struct json *j = t->json;
	char name[NAME_SIZE];

	json__object(j);
	json__key_str(j, "type", "absence");
	json__key_str(j, "vm", model__vm_name(t->model, v->vm, name, sizeof(name)));
	json__key_u64(j, "vm_pid", v->tgid);
	json__key_s64(j, "vcpu", v->vcpu_id);
	json__key_u64(j, "tid", v->v.tid);
	json__key_str(j, "state", state__name(state__of_reason(a->reason)));
	json__key_str(j, "reason", report_reason_names[a->reason]);
	json__key_u64(j, "from_ns", a->from);
	json__key_u64(j, "to_ns", a->to);
	json__key_u64(j, "absence_ns", a->to - a->from);
	if (a->has_run_delay)
		json__key_u64(j, "run_delay_ns", a->run_delay_ns);
	json__key_bool(j, "whole", a->whole && !a->open);
	json__key_bool(j, "open", a->open);
	if (a->cpu_out != VCPU_NO_CPU)
		json__key_u64(j, "cpu_out", a->cpu_out);
	if (!a->open)
		json__key_u64(j, "cpu_in", a->cpu_in);
	if (a->by != KS_BY_NONE)
		json_taker(t, a, task);
	json__end_object(j);
	json__line(j);
}

static void json_trailer(struct sink_timehist *t, const struct summary *s)
{
	struct json *j = t->json;

	json__object(j);
	json__key_str(j, "type", "trailer");
	json__key_u64(j, "events", s->events);
	json__key_u64(j, "lost", s->lost);
	json__key_u64(j, "from_ns", s->from_ns);
	json__key_u64(j, "to_ns", s->to_ns);
	json__key_u64(j, "window_ns", s->to_ns - s->from_ns);
	json__key_u64(j, "vcpus", s->vcpus);
	json__key_u64(j, "absences", t->shown);
	json__key_u64(j, "open", t->shown_open);
	json__end_object(j);
	json__line(j);
}

/* ---- the sink ----------------------------------------------------------------------------- */

static int begin(void *ctx, const struct session *s, const struct model *m)
{
	struct sink_timehist *t = ctx;

	t->session = s;
	t->model = m;
	t->live = !s->end_ns;
	if (!t->opts.json) {
		term__look(&t->term, STDOUT_FILENO, t->opts.color);
		return 0;
	}
	t->json = json__new(stdout, 0);
	json_header(t);
	return json__error(t->json);
}

/* 0 or -errno; whoever runs us says so. */
static int written(struct sink_timehist *t, __u64 now)
{
	if (t->live && now >= t->flushed_ns + FLUSH_NS) {
		fflush(stdout);
		t->flushed_ns = now;
	}
	if (t->opts.json)
		return json__error(t->json);
	return ferror(stdout) ? -(errno ?: EIO) : 0;
}

static int absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		   const struct model_task *task)
{
	struct sink_timehist *t = ctx;

	if (!wanted(t, a))
		return 0;
	errno = 0;
	t->shown++;
	t->shown_open += a->open;
	if (t->opts.json)
		json_line(t, v, a, task);
	else
		line(t, v, a, task);
	return written(t, a->to);
}

static int end(void *ctx, const struct summary *s)
{
	struct sink_timehist *t = ctx;
	struct json *j = t->json;

	if (t->opts.json) {
		json_trailer(t, s);
		t->json = NULL;
		return json__close(j);
	}
	if (!t->headed)
		header(t);
	return 0;
}

void sink_timehist__init(struct sink *sink, struct sink_timehist *t,
			 const struct timehist_opts *opts)
{
	*t = (struct sink_timehist){.opts = *opts};
	*sink = (struct sink){.begin = begin, .absence = absence, .end = end, .ctx = t};
}
