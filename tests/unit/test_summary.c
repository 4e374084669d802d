// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records through the model into a summary: what is clipped at the window's edges and what is not,
 * preemptors, quantiles, totals, filters, names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "scene.h"

#define T0 SCENE_START

static struct session session;
static struct filter filter;
static struct model *model;
static struct summary summary;

static void begin(enum session_mode mode, __u64 from, __u64 to)
{
	struct model_listener l;

	session = scene_session(mode);
	summary__init(&summary, &session, &filter, from, to, &l);
	model = model__new(&session, &filter, &l);
	assert_non_null(model);
}

static void feed(union rec r)
{
	assert_int_equal(model__record(model, &r.h), 0);
}

static void finish(__u64 end, __u64 lost)
{
	session.end_ns = end;
	if (summary.to_ns == ~0ULL)
		summary.to_ns = end;
	model__end(model, end);
	assert_int_equal(summary__finish(&summary, model, lost), 0);
}

static int teardown(void **state)
{
	(void)state;
	summary__free(&summary);
	model__free(model);
	model = NULL;
	memset(&filter, 0, sizeof(filter));
	return 0;
}

/* VM 1 with one vCPU. */
static void one_vcpu(void)
{
	feed(rec_vm(1, T0));
	feed(rec_vcpu(1, T0, 1, 0, 0));
}

/* The states add up to the window. */
static void assert_partition(const struct summary_vcpu *v)
{
	__u64 sum = 0;

	for (int i = 0; i < ST_CNT; i++)
		sum += v->state_ns[i];
	assert_int_equal(sum, summary.to_ns - summary.from_ns);
}

/* ---- the window --------------------------------------------------------------------------- */

/* running to 100, preempted to 200, running to 300, halted to 400 (run delay 30), running to 500 */
static void two_absences(void)
{
	one_vcpu();
	feed(rec_out(1, 1, T0 + 100, KS_R_PREEMPTED));
	feed(rec_in(1, 2, T0 + 200, 0));
	feed(rec_out(1, 3, T0 + 300, KS_R_HALTED));
	feed(rec_in(1, 4, T0 + 400, 30));
	finish(T0 + 500, 0);
	assert_int_equal(summary.vcpus, 1);
	assert_partition(&summary.vcpu[0]);
	assert_partition(&summary.total);
}

static void test_whole(void **state)
{
	const struct summary_vcpu *v;

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	two_absences();
	v = &summary.vcpu[0];
	assert_int_equal(summary.from_ns, T0);
	assert_int_equal(v->state_ns[ST_RUNNING], 300);
	assert_int_equal(v->state_ns[ST_PREEMPTED], 100);
	assert_int_equal(v->state_ns[ST_HALTED], 100);
	assert_int_equal(v->switches, 2);
	assert_int_equal(v->reloads, 2);
	assert_int_equal(v->absence.count, 2);
	assert_int_equal(v->absence.sum, 200);
	assert_int_equal(v->run_delay.sum, 130);
	assert_int_equal(v->by_state[ST_HALTED].count, 1);
	assert_int_equal(v->state_cnt[ST_PREEMPTED], 1);
	assert_int_equal(v->migrations, 0);
	assert_int_equal(summary.events, 6);
}

/* Times are clipped; a distribution has the whole of an absence that ends inside. */
static void test_clip_start(void **state)
{
	const struct summary_vcpu *v;

	(void)state;
	begin(MODE_DEFAULT, T0 + 150, ~0ULL);
	two_absences();
	v = &summary.vcpu[0];
	assert_int_equal(v->state_ns[ST_PREEMPTED], 50);
	assert_int_equal(v->state_ns[ST_RUNNING], 200);
	assert_int_equal(v->by_state[ST_PREEMPTED].count, 1);
	assert_int_equal(v->by_state[ST_PREEMPTED].sum, 100);
	assert_int_equal(v->switches, 1);
	assert_int_equal(v->reloads, 2);
	assert_int_equal(summary.preemptors, 1);
	assert_int_equal(summary.preemptor[0].time_ns, 50);
}

static void test_clip_end(void **state)
{
	const struct summary_vcpu *v;

	(void)state;
	begin(MODE_DEFAULT, 0, T0 + 350);
	two_absences();
	v = &summary.vcpu[0];
	assert_int_equal(v->state_ns[ST_HALTED], 50);
	assert_int_equal(v->state_ns[ST_RUNNING], 200);
	assert_int_equal(v->by_state[ST_HALTED].count, 0);
	assert_int_equal(v->absence.count, 1);
	assert_int_equal(v->switches, 2);
	assert_int_equal(v->reloads, 1);
}

/* Ends with the window's last nanosecond, or just after it. */
static void test_edge(void **state)
{
	(void)state;
	begin(MODE_DEFAULT, 0, T0 + 200);
	two_absences();
	assert_int_equal(summary.vcpu[0].absence.count, 1);
	teardown(state);
	begin(MODE_DEFAULT, 0, T0 + 199);
	two_absences();
	assert_int_equal(summary.vcpu[0].absence.count, 0);
	teardown(state);
	begin(MODE_DEFAULT, T0 + 200, ~0ULL);
	two_absences();
	assert_int_equal(summary.vcpu[0].absence.count, 1);
	assert_int_equal(summary.vcpu[0].state_ns[ST_PREEMPTED], 0);
}

/* Where in its span the user time lay is not known: a clipped span has its part of it. */
static void test_clip_user(void **state)
{
	(void)state;
	begin(MODE_DEFAULT, T0 + 75, ~0ULL);
	one_vcpu();
	feed(rec_loads(1, 1, T0 + 100, 4, 40));
	finish(T0 + 100, 0);
	assert_int_equal(summary.vcpu[0].state_ns[ST_USER], 10);
	assert_int_equal(summary.vcpu[0].state_ns[ST_RUNNING], 15);
	assert_int_equal(summary.vcpu[0].loads, 4);
}

static void test_open(void **state)
{
	const struct summary_vcpu *v = NULL;

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	feed(rec_out(1, 1, T0 + 100, KS_R_PREEMPTED));
	finish(T0 + 500, 0);
	v = &summary.vcpu[0];
	assert_int_equal(v->state_ns[ST_PREEMPTED], 400);
	assert_int_equal(v->absence.count, 0);
	assert_int_equal(v->run_delay.count, 0);
	assert_int_equal(v->unmeasured, 0);
	assert_int_equal(v->switches, 1);
	assert_int_equal(summary.preemptor[0].time_ns, 400);
}

/* An absence whose beginning was not seen has time, but no place in a distribution. */
static void test_not_whole(void **state)
{
	union rec in = rec_in(1, 1, T0 + 100, 0);

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	in.in.reason = KS_R_HALTED;
	feed(in);
	finish(T0 + 500, 0);
	assert_int_equal(summary.vcpu[0].state_ns[ST_HALTED], 100);
	assert_int_equal(summary.vcpu[0].absence.count, 0);
	assert_int_equal(summary.vcpu[0].migrations, 0);
	assert_int_equal(summary.odd, 0);
}

/* ---- run delays --------------------------------------------------------------------------- */

static void test_unmeasured(void **state)
{
	union rec in = rec_in(1, 2, T0 + 200, 0);

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	in.h.mask &= ~KS_M_RUN_DELAY;
	feed(rec_out(1, 1, T0 + 100, KS_R_HALTED));
	feed(in);
	feed(rec_out(1, 3, T0 + 300, KS_R_HALTED));
	feed(rec_in(1, 4, T0 + 310, 11));
	finish(T0 + 500, 0);
	assert_int_equal(summary.vcpu[0].unmeasured, 1);
	assert_int_equal(summary.vcpu[0].clamped, 1);
	assert_int_equal(summary.vcpu[0].run_delay.max, 10);
	assert_int_equal(summary.total.unmeasured, 1);
}

/* As a time, a run delay is clipped to the window; a blocked absence waits last. */
static void run_delay_in(__u64 from, __u64 to, __u64 want, __u64 count, enum summary_apart apart)
{
	begin(MODE_DEFAULT, from, to);
	two_absences(); /* preempted from 100 to 200; halted to 400, waiting from 370 */
	assert_int_equal(summary.vcpu[0].run_delay_ns, want);
	assert_int_equal(summary.vcpu[0].apart.why, apart);
	assert_int_equal(summary.total.run_delay_ns, want);
	assert_int_equal(summary.vcpu[0].run_delay.count, count);
	teardown(NULL);
}

static void test_run_delay_clipped(void **state)
{
	(void)state;
	run_delay_in(0, ~0ULL, 130, 2, APART_NOT);
	run_delay_in(T0 + 150, ~0ULL, 80, 2, APART_NOT);
	run_delay_in(T0 + 150, T0 + 170, 20, 0, APART_LATER);
	run_delay_in(T0 + 300, T0 + 370, 0, 0, APART_NOT);
	run_delay_in(T0 + 300, T0 + 380, 10, 0, APART_LATER);
	run_delay_in(T0 + 390, ~0ULL, 10, 1, APART_NOT);
}

/* One that is open at the window's end, or began before the trace, waits as far as it is known. */
static void test_run_delay_open(void **state)
{
	union rec in = rec_in(1, 1, T0 + 100, 0);

	(void)state;
	begin(MODE_DEFAULT, T0 + 40, ~0ULL);
	one_vcpu();
	in.in.reason = KS_R_PREEMPTED;
	feed(in);
	feed(rec_out(1, 2, T0 + 300, KS_R_PREEMPTED));
	finish(T0 + 500, 0);
	assert_int_equal(summary.vcpu[0].run_delay_ns, 60 + 200);
	assert_int_equal(summary.vcpu[0].run_delay_ns, summary.vcpu[0].state_ns[ST_PREEMPTED]);
	assert_int_equal(summary.vcpu[0].run_delay.count, 0);
	assert_int_equal(summary.vcpu[0].apart.why, APART_OPEN);
	assert_int_equal(summary.vcpu[0].apart.run_delay_ns, 200);
	assert_true(summary.vcpu[0].apart.whole);
	assert_int_equal(summary.total.apart.run_delay_ns, 200);
	teardown(NULL);
	begin(MODE_DEFAULT, T0 + 40, ~0ULL);
	one_vcpu();
	feed(in);
	finish(T0 + 500, 0);
	assert_int_equal(summary.vcpu[0].apart.why, APART_UNSEEN);
	assert_int_equal(summary.vcpu[0].apart.run_delay_ns, 100);
	assert_false(summary.vcpu[0].apart.whole);
}

static void test_quantiles(void **state)
{
	__u64 ts = T0;

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	for (unsigned i = 1; i <= 200; i++) { /* 1 .. 200 ns, all in buckets of their own */
		feed(rec_out(1, 2 * i - 1, ts, KS_R_PREEMPTED));
		feed(rec_in(1, 2 * i, ts + i, 0));
		ts += i + 1;
	}
	finish(ts, 0);
	assert_int_equal(hist__quantile(&summary.total.absence, 500), 100);
	assert_int_equal(hist__quantile(&summary.total.absence, 900), 180);
	assert_int_equal(hist__quantile(&summary.total.absence, 990), 198);
	assert_int_equal(hist__quantile(&summary.total.absence, 999), 200);
	assert_int_equal(summary.total.absence.min, 1);
}

/* ---- preemptors --------------------------------------------------------------------------- */

static void absence_by(__u32 seq, __u64 from, __u64 to, __u8 by, __u32 tid)
{
	union rec out = rec_out(1, seq, from, KS_R_PREEMPTED);

	out.h.what = by;
	out.out.next_tid = tid;
	feed(out);
	feed(rec_in(1, seq + 1, to, 0));
}

static void test_preemptors(void **state)
{
	const struct summary_preemptor *p;

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	feed(rec_task(7, T0, KS_K_HOST, "make", 0, 0));
	feed(rec_task(8, T0, KS_K_KERNEL, "kworker", 0, 0));
	absence_by(1, T0 + 10, T0 + 20, KS_BY_HOST, 7);
	absence_by(3, T0 + 30, T0 + 80, KS_BY_KERNEL, 8);
	absence_by(5, T0 + 90, T0 + 95, KS_BY_HOST, 7);
	absence_by(7, T0 + 100, T0 + 101, KS_BY_HOST, 9);  /* never introduced */
	absence_by(9, T0 + 110, T0 + 113, KS_BY_QUOTA, 7); /* the same task in another role */
	finish(T0 + 200, 0);
	assert_int_equal(summary.preemptors, 4);
	p = summary.preemptor;
	assert_string_equal(p[0].task.comm, "kworker");
	assert_int_equal(p[0].time_ns, 50);
	assert_string_equal(p[1].task.comm, "make");
	assert_int_equal(p[1].time_ns, 15);
	assert_int_equal(p[1].count, 2);
	assert_int_equal(p[2].by, KS_BY_QUOTA);
	assert_int_equal(p[3].task.tid, 9);
	assert_string_equal(p[3].task.comm, "");
	assert_int_equal(p[0].victim_vm, 1);
}

/* A tid that is used again is another task. */
static void test_tid_again(void **state)
{
	union rec other = rec_task(7, T0 + 50, KS_K_HOST, "cc1", 0, 0);

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	feed(rec_task(7, T0, KS_K_HOST, "make", 0, 0));
	absence_by(1, T0 + 10, T0 + 20, KS_BY_HOST, 7);
	other.task.start_ns = 99;
	feed(other);
	absence_by(3, T0 + 60, T0 + 90, KS_BY_HOST, 7);
	finish(T0 + 200, 0);
	assert_int_equal(summary.preemptors, 2);
	assert_string_equal(summary.preemptor[0].task.comm, "cc1");
	assert_string_equal(summary.preemptor[1].task.comm, "make");
}

/* A task that is introduced again is what it was introduced as last: a thread before its first
 * KVM_RUN is not yet a vCPU's. */
static void test_introduced_again(void **state)
{
	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	feed(rec_task(7, T0, KS_K_VMM, "qemu", 2, 0));
	absence_by(1, T0 + 10, T0 + 20, KS_BY_OTHER_VM, 7);
	feed(rec_task(7, T0 + 30, KS_K_VCPU, "CPU 0/KVM", 2, 5));
	absence_by(3, T0 + 40, T0 + 50, KS_BY_OTHER_VM, 7);
	feed(rec_task(7, T0 + 60, KS_K_VCPU, "CPU 1/KVM", 2, 6));
	finish(T0 + 200, 0);
	assert_int_equal(summary.preemptors, 1);
	assert_int_equal(summary.preemptor[0].time_ns, 20);
	assert_int_equal(summary.preemptor[0].count, 2);
	assert_int_equal(summary.preemptor[0].task.vcpu, 6);
	assert_string_equal(summary.preemptor[0].task.comm, "CPU 1/KVM");
}

static void test_many_preemptors(void **state)
{
	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	for (unsigned i = 0; i < 3000; i++)
		absence_by(2 * i + 1, T0 + 10 * i, T0 + 10 * i + 5, KS_BY_HOST, 1 + i % 1000);
	finish(T0 + 100000, 0);
	assert_int_equal(summary.preemptors, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(summary.preemptor[i].count, 3);
}

/* ---- costs -------------------------------------------------------------------------------- */

static void costs(bool loads)
{
	union rec out = rec_out(1, 2, T0 + 100, KS_R_HALTED), in = rec_in(1, 3, T0 + 200, 0);
	union rec sums = rec_loads(1, 1, T0 + 90, 2, 0), single = rec_load(KS_LOAD, 1, 1, T0 + 90);

	begin(MODE_FULL, 0, ~0ULL);
	session.loads = loads;
	one_vcpu();
	out.h.mask |= KS_M_POINTS;
	out.out.put_entry_ns = 70;
	out.out.put_exit_ns = 20;
	in.h.mask |= KS_M_POINTS;
	in.in.load_entry_ns = 10;
	in.in.load_exit_ns = 25;
	sums.h.mask |= KS_M_POINT(KS_PT_INNER_EXIT);
	sums.loads.load_ns = 30;
	sums.loads.load_max_ns = 18;
	single.h.mask |= KS_M_POINT(KS_PT_INNER_EXIT);
	single.load.cost_ns = 30;
	feed(loads ? single : sums);
	feed(out);
	feed(in);
	finish(T0 + 500, 0);
}

static void test_costs(void **state)
{
	(void)state;
	costs(false);
	assert_true(summary.total.reload.known && summary.total.reload.whole);
	assert_int_equal(summary.total.sched_put.dist.max, 50);
	assert_int_equal(summary.total.reload.sum_ns, 15);
	assert_true(summary.total.load.known && !summary.total.load.whole);
	assert_int_equal(summary.total.load.count, 2);
	assert_int_equal(summary.total.load.max_ns, 18);
	teardown(state);
	costs(true);
	assert_true(summary.total.load.whole);
	assert_int_equal(summary.total.load.dist.max, 30);
	assert_int_equal(summary.total.loads, 1);
}

/* ---- many ---------------------------------------------------------------------------------- */

static int on_record(void *ctx, const struct ks_head *r, unsigned stream)
{
	(void)ctx;
	(void)stream;
	return model__record(model, r);
}

static void play(enum session_mode mode, __u64 from, __u64 to)
{
	struct scene sc = {.mode = mode, .seed = 11, .fn = on_record};

	begin(mode, from, to);
	assert_int_equal(scene_play(&sc, 30000), 0);
	finish(sc.now, 0);
}

static void test_totals(void **state)
{
	const struct summary_vcpu *t = &summary.total;
	__u64 switches = 0, absences = 0, halted = 0, taken = 0;

	(void)state;
	play(MODE_DEFAULT, 0, ~0ULL);
	assert_int_equal(summary.vcpus, SCENE_VCPUS);
	for (unsigned i = 0; i < summary.vcpus; i++) {
		const struct summary_vcpu *v = &summary.vcpu[i];

		assert_partition(v);
		assert_int_equal(v->absence.count, v->reloads); /* all were seen from the start */
		assert_int_equal(v->v->vcpu_id, i % 3);		/* sorted */
		switches += v->switches;
		absences += v->absence.count;
		halted += v->state_ns[ST_HALTED];
	}
	for (unsigned i = 0; i < summary.preemptors; i++)
		taken += summary.preemptor[i].time_ns;
	assert_int_equal(t->switches, switches);
	assert_int_equal(t->absence.count, absences);
	assert_int_equal(t->state_ns[ST_HALTED], halted);
	assert_int_equal(t->state_ns[ST_PREEMPTED], taken);
	assert_int_equal(t->absence.count, t->by_state[ST_PREEMPTED].count +
						   t->by_state[ST_HALTED].count +
						   t->by_state[ST_SLEEPING].count);
	assert_int_equal(summary.odd, 0);
}

/* Two halves have the times, counts and ended absences of the whole. */
static void test_halves(void **state)
{
	__u64 middle, end, time[ST_CNT], counts[4];

	(void)state;
	play(MODE_DEFAULT, 0, ~0ULL);
	end = summary.to_ns;
	middle = (summary.from_ns + end) / 2;
	memcpy(time, summary.total.state_ns, sizeof(time));
	counts[0] = summary.total.switches;
	counts[1] = summary.total.absence.count;
	counts[2] = summary.total.migrations;
	counts[3] = summary.total.loads;
	for (int half = 0; half < 2; half++) {
		teardown(state);
		play(MODE_DEFAULT, half ? middle : 0, half ? ~0ULL : middle);
		for (int i = 0; i < ST_CNT; i++)
			time[i] -= summary.total.state_ns[i];
		counts[0] -= summary.total.switches;
		counts[1] -= summary.total.absence.count;
		counts[2] -= summary.total.migrations;
		counts[3] -= summary.total.loads;
	}
	for (int i = ST_PREEMPTED; i < ST_CNT; i++)
		assert_int_equal(time[i], 0);
	assert_true(time[ST_RUNNING] + time[ST_USER] == 0); /* user time is clipped in proportion */
	for (int i = 0; i < 4; i++)
		assert_int_equal(counts[i], 0);
}

static void test_light(void **state)
{
	(void)state;
	play(MODE_LIGHT, 0, ~0ULL);
	assert_int_equal(summary.total.state_ns[ST_RUNNING], 0);
	assert_int_equal(summary.total.state_ns[ST_USER], 0);
	assert_true(summary.total.state_ns[ST_ON_OR_USER] > 0);
	assert_int_equal(summary.odd, 0);
}

/* ---- filters and names -------------------------------------------------------------------- */

static void test_filter(void **state)
{
	(void)state;
	assert_int_equal(filter__add(&filter, 'V', "1"), 0);
	assert_int_equal(filter__add(&filter, 'p', "20"), 0);
	play(MODE_DEFAULT, 0, ~0ULL);
	assert_int_equal(summary.vcpus, 1);
	assert_int_equal(summary.vcpu[0].v->id, 5);
	teardown(state);
	assert_int_equal(filter__add(&filter, 'p', "21"), 0);
	play(MODE_DEFAULT, 0, ~0ULL);
	assert_int_equal(summary.vcpus, 0);
}

/* A vCPU is its creator's until its own thread runs it; it was that thread's at the end. */
static void by_thread(const char *tid, unsigned vcpus)
{
	union rec made = rec_vcpu(1, T0, 1, 0, 0), out = rec_out(1, 1, T0 + 10, KS_R_HALTED),
		  in = rec_in(1, 2, T0 + 30, 0);

	made.vcpu.tid = out.out.tid = 50;
	in.in.tid = 77;
	assert_int_equal(filter__add(&filter, 't', tid), 0);
	begin(MODE_DEFAULT, 0, ~0ULL);
	assert_int_equal(model__describe(model, &made.h), 0);
	assert_int_equal(model__foretell(model, &in.h), 0); /* streams may come in any order */
	assert_int_equal(model__foretell(model, &out.h), 0);
	assert_int_equal(model__foretell(model, &made.h), 0);
	feed(rec_vm(1, T0));
	feed(made);
	feed(out);
	feed(in);
	finish(T0 + 100, 0);
	assert_int_equal(summary.vcpus, vcpus);
	for (unsigned i = 0; i < vcpus; i++) {
		assert_int_equal(summary.vcpu[i].v->v.tid, 77);
		assert_int_equal(summary.vcpu[i].state_ns[ST_HALTED], 20);
	}
}

static void test_filter_thread(void **state)
{
	by_thread("50", 0);
	teardown(state);
	by_thread("77", 1);
}

static void test_filter_cpu(void **state)
{
	__u64 switches = 0;

	(void)state;
	for (int cpu = 0; cpu < 4; cpu++) {
		char arg[2] = {'0' + cpu, 0};

		assert_int_equal(filter__add(&filter, 'C', arg), 0);
		play(MODE_DEFAULT, 0, ~0ULL);
		for (unsigned i = 0; i < summary.vcpus; i++)
			assert_partition(&summary.vcpu[i]);
		assert_true(summary.total.state_ns[ST_ELSEWHERE] > 0);
		switches += summary.total.switches;
		teardown(state);
	}
	play(MODE_DEFAULT, 0, ~0ULL);
	assert_int_equal(summary.total.switches, switches);
	assert_int_equal(summary.total.state_ns[ST_ELSEWHERE], 0);
}

/* Loads too belong to the CPU that their record names; a filter that no CPU matches is noticed. */
static void filtered_by_cpu(const char *cpus)
{
	union rec loads = rec_loads(1, 1, T0 + 50, 4, 0), load = rec_load(KS_LOAD, 1, 2, T0 + 60);

	assert_int_equal(filter__add(&filter, 'C', cpus), 0);
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	feed(rec_vcpu(2, T0, 1, 1, 0)); /* all of it on CPU 3 */
	loads.loads.cpu = 2;
	feed(loads);
	feed(load);
	feed(rec_load(KS_PUT, 1, 3, T0 + 70));
	load = rec_load(KS_LOAD, 2, 1, T0 + 80);
	load.load.cpu = 3;
	feed(load);
	finish(T0 + 100, 0);
	assert_int_equal(summary.vcpus, 2);
}

static void test_filter_cpu_loads(void **state)
{
	filtered_by_cpu("1");
	assert_int_equal(summary.vcpu[0].loads, 1);
	assert_int_equal(summary.vcpu[0].puts, 1);
	assert_int_equal(summary.vcpu[1].loads, 0);
	assert_false(summary__nothing(&summary));
	teardown(state);
	filtered_by_cpu("2");
	assert_int_equal(summary.vcpu[0].loads, 4);
	assert_int_equal(summary.vcpu[0].puts, 4);
	teardown(state);
	filtered_by_cpu("77");
	assert_int_equal(summary.total.loads + summary.total.puts, 0);
	assert_true(summary__nothing(&summary));
}

static void test_names(void **state)
{
	struct ks_name same = rec_name(2, T0, "web"), other = rec_name(1, T0, "web");
	char name[32];

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	feed(rec_vm(1, T0));
	assert_string_equal(model__vm_name(model, 1, name, sizeof(name)), "qemu-10");
	assert_int_equal(model__record(model, &other.h), 0);
	assert_string_equal(model__vm_name(model, 1, name, sizeof(name)), "web");
	feed(rec_vm(2, T0));
	assert_int_equal(model__record(model, &same.h), 0);
	finish(T0 + 1, 0);
	assert_string_equal(summary__vm_name(&summary, 1, name, sizeof(name)), "web#10");
	assert_string_equal(summary__vm_name(&summary, 2, name, sizeof(name)), "web#20");
	assert_string_equal(summary__vm_name(&summary, 3, name, sizeof(name)), "vm3");
	assert_string_equal(summary__vm_name(&summary, 1 << 21, name, 4), "vm2");
}

static void named(__u32 vm, const char *name)
{
	struct ks_name r = rec_name(vm, T0, name);

	assert_int_equal(model__record(model, &r.h), 0);
}

static void assert_name(__u32 vm, const char *want)
{
	char name[32];

	assert_string_equal(model__vm_name(model, vm, name, sizeof(name)), want);
}

/* Only VMs that live at the same time are told apart; a VM's life ends with its last vCPU. */
static void namesakes(bool ahead)
{
	struct ks_name web = rec_name(1, T0, "web");
	union rec gone[] = {rec_gone(1, 0, T0 + 10), rec_gone(2, 0, T0 + 11)};

	begin(MODE_DEFAULT, 0, ~0ULL);
	feed(rec_vm(1, T0));
	feed(rec_vcpu(1, T0, 1, 0, 0));
	feed(rec_vcpu(2, T0, 1, 1, 0));
	named(1, "web");
	for (int i = 0; i < 2; i++)
		assert_int_equal(ahead ? model__describe(model, &gone[i].h)
				       : model__record(model, &gone[i].h),
				 0);
	feed(rec_vm(2, T0 + 20));
	feed(rec_vcpu(3, T0 + 20, 2, 0, 0));
	named(2, "web");
	assert_name(1, "web");
	assert_name(2, "web");
	for (int i = 0; ahead && i < 2; i++)
		feed(gone[i]);
	assert_int_equal(model__record(model, &web.h), 0); /* again: changes nothing */
	assert_name(2, "web");
	feed(rec_vm(3, T0 + 30));
	named(3, "web");
	feed(rec_gone(3, 0, T0 + 40)); /* they did live together */
	finish(T0 + 100, 0);
	assert_name(1, "web");
	assert_name(2, "web#20");
	assert_name(3, "web#30");
}

static void test_namesakes(void **state)
{
	namesakes(false);
	teardown(state);
	namesakes(true);
}

/* Two VMs of one process. */
static void test_names_one_process(void **state)
{
	union rec second = rec_vm(2, T0);

	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	second.vm.tgid = 10;
	feed(rec_vm(1, T0));
	feed(second);
	assert_name(1, "qemu-10#10.1");
	named(1, "web");
	named(2, "web");
	assert_name(1, "web#10.1");
	assert_name(2, "web#10.2");
	finish(T0 + 100, 0);
}

static void test_lost(void **state)
{
	(void)state;
	begin(MODE_DEFAULT, 0, ~0ULL);
	one_vcpu();
	feed(rec_out(1, 1, T0 + 100, KS_R_HALTED));
	feed(rec_in(1, 5, T0 + 300, 0));
	finish(T0 + 500, 3);
	assert_int_equal(summary.lost, 3);
	assert_int_equal(summary.vcpu[0].v->v.lost, 3);
	assert_int_equal(model__missing(model), 3);
	assert_int_equal(summary.vcpu[0].state_ns[ST_UNKNOWN], 200);
	assert_int_equal(summary.vcpu[0].absence.count, 0);
	assert_int_equal(summary.odd, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_whole, teardown),
		cmocka_unit_test_teardown(test_clip_start, teardown),
		cmocka_unit_test_teardown(test_clip_end, teardown),
		cmocka_unit_test_teardown(test_edge, teardown),
		cmocka_unit_test_teardown(test_clip_user, teardown),
		cmocka_unit_test_teardown(test_open, teardown),
		cmocka_unit_test_teardown(test_not_whole, teardown),
		cmocka_unit_test_teardown(test_unmeasured, teardown),
		cmocka_unit_test_teardown(test_run_delay_clipped, teardown),
		cmocka_unit_test_teardown(test_run_delay_open, teardown),
		cmocka_unit_test_teardown(test_quantiles, teardown),
		cmocka_unit_test_teardown(test_preemptors, teardown),
		cmocka_unit_test_teardown(test_tid_again, teardown),
		cmocka_unit_test_teardown(test_introduced_again, teardown),
		cmocka_unit_test_teardown(test_many_preemptors, teardown),
		cmocka_unit_test_teardown(test_costs, teardown),
		cmocka_unit_test_teardown(test_totals, teardown),
		cmocka_unit_test_teardown(test_halves, teardown),
		cmocka_unit_test_teardown(test_light, teardown),
		cmocka_unit_test_teardown(test_filter, teardown),
		cmocka_unit_test_teardown(test_filter_thread, teardown),
		cmocka_unit_test_teardown(test_filter_cpu, teardown),
		cmocka_unit_test_teardown(test_filter_cpu_loads, teardown),
		cmocka_unit_test_teardown(test_names, teardown),
		cmocka_unit_test_teardown(test_namesakes, teardown),
		cmocka_unit_test_teardown(test_names_one_process, teardown),
		cmocka_unit_test_teardown(test_lost, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
