// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_serve records|sums VCPUS SCRAPES [vcpu]: so many vCPUs, scraped once a second: what the
 * second brought is added up, and written as metrics, per vCPU too where asked for. sums: from
 * memory as the kernel leaves it, instead of records. tests/bench-serve counts the instructions of
 * add_up() and of render(). Prints the text's bytes and the resident memory in KB.
 */
#include <errno.h>
#include "aggregate.h"
#include "bench_scene.h"
#include "clock.h"
#include "metrics.h"
#include "step.h"
#include "totals.h"

#define PLACES 1024 /* as `serve` has by default */

static struct session session;
static struct filter filter;
static struct intervals intervals;
static struct model *model;
static struct totals totals;
static struct ks_slot slot[KS_SLOTS];
static struct ks_agg agg[PLACES];
static __u32 owner[KS_SLOTS];
static struct ks_ctl ctl;
static const struct sums sums = {slot, agg, owner, &ctl, PLACES};
static struct aggregate *aggregate; /* NULL: from records */
static struct summary now, before;
static struct metrics_opts opts = {.max_vms = METRICS_VMS, .version = "bench", .commit = "bench"};
static size_t bytes;

static int add_up_records(void)
{
	struct tick t;
	int err = intervals__cut(&intervals, model, 0, &t) ?: totals__add(&totals, &t);

	intervals__next(&intervals);
	return err;
}

static int add_up_sums(void)
{
	struct summary part = {0};
	struct tick t = {.summary = &part};
	int err = aggregate__read(aggregate, ctl.end_ns, opts.per_vcpu, &now);

	err = err ?: summary__since(&part, &now, &before) ?: totals__add(&totals, &t);
	summary__free(&part);
	summary__free(&before);
	before = now;
	now = (struct summary){0};
	return err;
}

__attribute__((noinline)) static int add_up(void)
{
	return aggregate ? add_up_sums() : add_up_records();
}

/* ---- sums, as the hooks would leave them ---- */

static void absence(struct ks_agg_hist *h, __u64 ns)
{
	h->sum_ns += ns;
	h->max_ns = ns > h->max_ns ? ns : h->max_ns;
	h->bucket[ks_bucket(ns)]++;
}

/* The same absences as go_round()'s. */
static void go_round_sums(__u32 vcpus, unsigned round, __u64 at, __u64 step)
{
	for (__u32 i = 0; i < vcpus; i++) {
		__u64 ns = step / 2 + (i + 1) * (i % 13);

		if (round % 3) {
			absence(&agg[i].hist[KS_H_PREEMPTED], ns);
			agg[i].by_ns[KS_BY_OTHER_VM] += ns;
			agg[i].by_cnt[KS_BY_OTHER_VM]++;
		} else {
			absence(&agg[i].hist[KS_H_HALTED], ns);
			absence(&agg[i].hist[KS_H_WOKEN], 1000 * (i % 50));
		}
		slot[i].agg.since = at + ns;
		slot[i].agg.what = KS_A_IN;
	}
}

/* Its end is always in the past, so that what is read is as of then. */
static int begin_sums(__u32 vcpus, unsigned scrapes)
{
	static const struct model_listener nobody;
	struct model_listener unused;
	int err;

	if (vcpus > PLACES)
		return -E2BIG;
	session = scene_session(MODE_AGGREGATES);
	session.start_ns = ctl.start_ns = now_ns() - (scrapes + 1) * 1000000000ULL;
	model = model__new(&session, &filter, &nobody);
	aggregate = model ? aggregate__new(&session, &filter, model, &sums) : NULL;
	err = aggregate ? introduce(model, vcpus) : -ENOMEM;
	for (__u32 i = 0; i < vcpus; i++) {
		slot[i].id = owner[i] = i + 1;
		slot[i].keep = KS_KEEP;
		slot[i].agg.at = i;
	}
	summary__init(&before, &session, &filter, session.start_ns, session.start_ns, &unused);
	return err;
}

static int begin_records(__u32 vcpus)
{
	session = scene_session(MODE_DEFAULT);
	intervals__init(&intervals, &session, &filter, 0, ~0ULL, 1000000000, false);
	intervals__add_up(&intervals);
	model = model__new(&session, &filter, &intervals.to);
	return model ? introduce(model, vcpus) : -ENOMEM;
}

__attribute__((noinline)) static int render(void)
{
	struct self self;
	struct metrics m = {.summary = &totals.sum, .self = &self};
	char *text = NULL;
	FILE *f = open_memstream(&text, &bytes);
	int err = f ? self__read(&self) : -ENOMEM;

	if (!err)
		err = metrics__write(f, METRICS_OPENMETRICS, &m, &opts);
	if (f)
		fclose(f);
	free(text);
	return err;
}

int main(int argc, char **argv)
{
	bool from_sums = argc > 3 && strcmp(argv[1], "sums") == 0;
	__u32 vcpus = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned scrapes = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	__u64 step = 1000000000 / (ROUNDS + 1);
	struct self self = {0};
	int err;

	if (!vcpus || !scrapes)
		return 1;
	opts.per_vcpu = argc > 4;
	err = from_sums ? begin_sums(vcpus, scrapes) : begin_records(vcpus);
	totals__init(&totals, opts.per_vcpu);
	for (unsigned n = 0; !err && n < scrapes; n++) {
		for (unsigned k = 0; !err && k < ROUNDS; k++) {
			__u64 at = session.start_ns + n * 1000000000ULL + k * step + 1;

			if (from_sums)
				go_round_sums(vcpus, n * ROUNDS + k, at, step);
			else
				err = go_round(model, vcpus, n * ROUNDS + k, at, step);
		}
		ctl.end_ns = session.start_ns + (n + 1) * 1000000000ULL;
		err = err ?: add_up() ?: render();
	}
	err = err ?: self__read(&self);
	printf("%zu %llu\n", bytes, self.rss_bytes / 1024);
	totals__free(&totals);
	summary__free(&before);
	aggregate__free(aggregate);
	if (!from_sums)
		intervals__free(&intervals);
	model__free(model);
	return err ? 1 : 0;
}
