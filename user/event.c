// SPDX-License-Identifier: BSD-2-Clause
/* The two tables. A new event or field: a row here, its value in enrich.c, a line in the man page.
 */
#include <stdio.h>
#include <string.h>
#include "event.h"
#include "units.h"
#include "wire.h"

#define ALL	  (1U << MODE_DEFAULT | 1U << MODE_FULL | 1U << MODE_LIGHT)
#define NOT_LIGHT (1U << MODE_DEFAULT | 1U << MODE_FULL)
#define ONLY_FULL (1U << MODE_FULL)

#define FLAGS                                                                                   \
	(FIELD(F_SCHEDULED_OUT) | FIELD(F_PREEMPTED) | FIELD(F_READY) | FIELD(F_WANTS_TO_RUN) | \
	 FIELD(F_SAME_WANTS_TO_RUN))
#define PLACE (FIELD(F_CPU) | FIELD(F_TID))
#define TASK  (FIELD(F_ON_RQ) | FIELD(F_SCHED_DELAYED) | FIELD(F_RUNNABLE) | FIELD(F_WANTS_CPU))
#define OUT   (FLAGS | PLACE | TASK | FIELD(F_NEXT_TID) | FIELD(F_THROTTLED))
#define GOING (OUT | FIELD(F_BLOCKING))
#define IN    (FLAGS | PLACE)
#define ENDS  FIELD(F_INSIDE)

const struct event_kind event_kinds[EV_CNT] = {
	[EV_CREATED] = {"created", ALL, 0, 0, "the vCPU is created"},
	[EV_SCHED_OUT] = {"sched_out", NOT_LIGHT, 0,
			  OUT | FIELD(F_SAME_TASK) | FIELD(F_SAME_CPU) | FIELD(F_ALONE),
			  "kvm_sched_out() is entered: the scheduler takes the vCPU's CPU away"},
	[EV_SCHED_PUT] = {"sched_put", NOT_LIGHT, 0, GOING,
			  "inside it, kvm_arch_vcpu_put() is entered"},
	[EV_SCHED_PUT_END] = {"sched_put_end", ONLY_FULL, 0, OUT | ENDS, "... and returns"},
	[EV_SCHED_OUT_END] = {"sched_out_end", ALL, 0, GOING | ENDS,
			      "kvm_sched_out() returns: the absence begins"},
	[EV_PREEMPT] = {"preempt", ALL, 0, GOING,
			"right after sched_out_end: the vCPU is still runnable, inside KVM_RUN"},
	[EV_PREEMPT_IOCTL] = {"preempt_ioctl", ALL, 0, GOING,
			      "... still runnable, inside another vCPU ioctl"},
	[EV_HALT] = {"halt", ALL, 0, GOING,
		     "... blocked in kvm_vcpu_block(), waiting for an event"},
	[EV_SLEEP] = {"sleep", ALL, 0, GOING, "... blocked in the kernel for anything else"},
	[EV_SCHED_IN] = {"sched_in", ALL, 0,
			 IN | TASK | FIELD(F_SAME_TASK) | FIELD(F_SAME_CPU) | FIELD(F_TOLD_CPU) |
				 FIELD(F_ABSENCE) | FIELD(F_RUN_DELAY) | FIELD(F_THROTTLED),
			 "kvm_sched_in() is entered: the absence is over"},
	[EV_RELOAD] = {"reload", NOT_LIGHT, 0, IN | FIELD(F_TOLD_CPU),
		       "inside it, kvm_arch_vcpu_load() is entered"},
	[EV_RELOAD_END] = {"reload_end", ONLY_FULL, 0, IN | ENDS, "... and returns"},
	[EV_SCHED_IN_END] = {"sched_in_end", NOT_LIGHT, 0, IN | ENDS, "kvm_sched_in() returns"},
	[EV_LOADS] =
		{"loads", NOT_LIGHT, -1,
		 FIELD(F_SCHEDULED_OUT) | FIELD(F_PREEMPTED) | FIELD(F_CPU) | FIELD(F_LOADS) |
			 FIELD(F_PUTS),
		 "the bare loads and puts since the vCPU's last record, added up; a flag is 1 if "
		 "any of them saw it"},
	[EV_LOAD] = {"load", NOT_LIGHT, 1, FLAGS | PLACE | FIELD(F_TOLD_CPU),
		     "a bare kvm_arch_vcpu_load(), from vcpu_load() in an ioctl, is entered"},
	[EV_LOAD_END] = {"load_end", ONLY_FULL, 1, FLAGS | PLACE | ENDS, "... and returns"},
	[EV_PUT] = {"put", NOT_LIGHT, 1,
		    FLAGS | PLACE | FIELD(F_SAME_TASK) | FIELD(F_SAME_CPU) | FIELD(F_ALONE),
		    "a bare kvm_arch_vcpu_put() is entered"},
	[EV_PUT_END] = {"put_end", ONLY_FULL, 1, FLAGS | PLACE | ENDS, "... and returns"},
	[EV_GONE] = {"gone", ALL, 0, 0, "the vCPU is destroyed"},
};

#define NO_SCHEDULED_OUT "this kernel has no kvm_vcpu.scheduled_out (Linux 6.11)"
#define NO_WANTS_TO_RUN	 "this kernel has no kvm_vcpu.wants_to_run (Linux 6.11)"
#define NO_BLOCKING	 "this kernel has no kvm_vcpu.stat.generic.blocking (Linux 5.16)"
#define NO_DELAYED	 "this kernel has no sched_entity.sched_delayed (Linux 6.12)"
#define NO_RUN_DELAY	 "this kernel has no sched_info.run_delay (CONFIG_SCHED_INFO)"
#define NO_QUOTA	 "this kernel does not tell whether a task is throttled"

const struct field_kind field_kinds[F_CNT] = {
	[F_SCHEDULED_OUT] = {"scheduled_out", 'b', KS_M_SCHEDULED_OUT, NO_SCHEDULED_OUT,
			     "kvm_vcpu.scheduled_out: this load or put is the scheduler's"},
	[F_PREEMPTED] = {"preempted", 'b', 0, NULL,
			 "kvm_vcpu.preempted: scheduled out while it wanted to run"},
	[F_READY] = {"ready", 'b', 0, NULL, "kvm_vcpu.ready: preempted, or woken up since"},
	[F_WANTS_TO_RUN] = {"wants_to_run", 'b', KS_M_WANTS_TO_RUN, NO_WANTS_TO_RUN,
			    "kvm_vcpu.wants_to_run: inside KVM_RUN, and not to leave at once"},
	[F_BLOCKING] = {"blocking", 'b', KS_M_BLOCKING, NO_BLOCKING, "inside kvm_vcpu_block()"},
	[F_ON_RQ] = {"on_rq", 'b', 0, NULL, "the thread is on the run queue (task_struct.on_rq)"},
	[F_SCHED_DELAYED] = {"sched_delayed", 'b', KS_M_SCHED_DELAYED, NO_DELAYED,
			     "... but only until delayed dequeue takes it off"},
	[F_RUNNABLE] = {"runnable", 'b', 0, NULL,
			"on_rq and not sched_delayed; of sched_in: when it was scheduled out"},
	[F_WANTS_CPU] = {"wants_cpu", 'b', 0, NULL,
			 "it has to be marked as preempted: runnable and, since Linux 6.11, "
			 "wants_to_run; of sched_in: when it was scheduled out"},
	[F_THROTTLED] = {"throttled", 'b', KS_M_QUOTA, NO_QUOTA,
			 "the thread's cgroup is out of CPU bandwidth"},
	[F_SAME_TASK] = {"same_task", 'b', 0, NULL,
			 "the thread is the one of the vCPU's previous event"},
	[F_SAME_CPU] = {"same_cpu", 'b', 0, NULL,
			"the CPU is the one of the vCPU's previous event"},
	[F_SAME_WANTS_TO_RUN] = {"same_wants_to_run", 'b', KS_M_WANTS_TO_RUN, NO_WANTS_TO_RUN,
				 "wants_to_run is what it was since the vCPU was loaded"},
	[F_TOLD_CPU] = {"told_cpu", 'b', 0, NULL,
			"the function's argument is the CPU that it runs on"},
	[F_ALONE] = {"alone", 'b', 0, NULL,
		     "no other vCPU was loaded on this CPU since this one was"},
	[F_CPU] = {"cpu", 'n', 0, NULL, "the CPU"},
	[F_TID] = {"tid", 'n', 0, NULL, "the vCPU's thread"},
	[F_NEXT_TID] = {"next_tid", 'n', 0, NULL, "the task switched in; 0 = idle"},
	[F_LOADS] = {"loads", 'n', 0, NULL, "how many bare loads"},
	[F_PUTS] = {"puts", 'n', 0, NULL, "how many bare puts"},
	[F_INSIDE] = {"inside", 't', 0, NULL, "the time since the function was entered"},
	[F_ABSENCE] = {"absence", 't', 0, NULL, "the time since sched_out_end"},
	[F_RUN_DELAY] = {"run_delay", 't', KS_M_RUN_DELAY, NO_RUN_DELAY,
			 "the growth of sched_info.run_delay since then"},
};

enum event_id event__find(const char *name)
{
	enum event_id id = 0;

	while (id < EV_CNT && strcmp(event_kinds[id].name, name))
		id++;
	return id;
}

enum field field__find(const char *name)
{
	enum field f = 0;

	while (f < F_CNT && strcmp(field_kinds[f].name, name))
		f++;
	return f;
}

__u64 event__field(const struct event *e, enum field f)
{
	switch (f) {
	case F_CPU:
		return e->cpu;
	case F_TID:
		return e->tid;
	case F_NEXT_TID:
		return e->next_tid;
	case F_LOADS:
		return e->loads;
	case F_PUTS:
		return e->puts;
	case F_INSIDE:
		return e->inside_ns;
	case F_ABSENCE:
		return e->absence_ns;
	case F_RUN_DELAY:
		return e->run_delay_ns;
	default:
		return e->bits >> f & 1;
	}
}

const char *event__why_absent(enum event_id id, const struct session *s)
{
	const struct event_kind *k = &event_kinds[id];

	if (!(k->modes & 1U << s->mode))
		return k->modes == ONLY_FULL
			       ? "needs --full: the trace has no ends of loads and puts"
			       : "--light sees neither loads nor puts";
	if (k->loads > 0 && !s->loads)
		return "needs --loads: bare loads and puts were added up";
	if (k->loads < 0 && s->loads)
		return "--loads records bare loads and puts one by one";
	return NULL;
}

const char *field__why_absent(enum field f, const struct session *s)
{
	if (f == F_ALONE && s->filtered)
		return "a filter leaves vCPUs out that may be on the same CPU";
	return field_kinds[f].needs & ~s->fields ? field_kinds[f].why : NULL;
}

const char *event__describe(const struct event *e, __u64 which, char *out, size_t size)
{
	char value[UNITS_LEN];
	size_t len = 0;

	if (size)
		*out = '\0';
	for (enum field f = 0; f < F_CNT && len < size; f++) {
		if (!(e->known & which & FIELD(f)))
			continue;
		if (field_kinds[f].unit == 't')
			units__own(value, event__field(e, f));
		else
			units__count(value, event__field(e, f));
		len += snprintf(out + len, size - len, "%s%s %s", len ? ", " : "",
				field_kinds[f].name, value);
	}
	return out;
}
