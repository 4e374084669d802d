// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_serve VCPUS SCRAPES [vcpu]: so many vCPUs, scraped once a second: the interval is cut,
 * added up, and written as metrics, per vCPU too where asked for. tests/bench-serve counts the
 * instructions of add_up() and of render(). Prints the text's bytes and the resident memory in KB.
 */
#include <errno.h>
#include "bench_scene.h"
#include "metrics.h"
#include "totals.h"

static struct session session;
static struct filter filter;
static struct intervals intervals;
static struct model *model;
static struct totals totals;
static struct metrics_opts opts = {.max_vms = METRICS_VMS, .version = "bench", .commit = "bench"};
static size_t bytes;

__attribute__((noinline)) static int add_up(void)
{
	struct tick t;
	int err = intervals__cut(&intervals, model, 0, &t) ?: totals__add(&totals, &t);

	intervals__next(&intervals);
	return err;
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
	__u32 vcpus = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned scrapes = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	__u64 step = 1000000000 / (ROUNDS + 1);
	struct self self = {0};
	int err;

	if (!vcpus || !scrapes)
		return 1;
	opts.per_vcpu = argc > 3;
	session = scene_session(MODE_DEFAULT);
	intervals__init(&intervals, &session, &filter, 0, ~0ULL, 1000000000, false);
	intervals__add_up(&intervals);
	totals__init(&totals, opts.per_vcpu);
	model = model__new(&session, &filter, &intervals.to);
	err = !model || introduce(model, vcpus);
	for (unsigned n = 0; !err && n < scrapes; n++) {
		for (unsigned k = 0; !err && k < ROUNDS; k++)
			err = go_round(model, vcpus, n * ROUNDS + k,
				       SCENE_START + n * 1000000000ULL + k * step + 1, step);
		err = err ?: add_up() ?: render();
	}
	err = err ?: self__read(&self);
	printf("%zu %llu\n", bytes, self.rss_bytes / 1024);
	totals__free(&totals);
	intervals__free(&intervals);
	model__free(model);
	return err ? 1 : 0;
}
