// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_top VCPUS REFRESHES COLUMNSxROWS: an interval of so many vCPUs, each preempted and halted
 * some times, shown so often, from the end of the interval to the screen as text. tests/bench-top
 * counts the instructions of refresh().
 */
#include <errno.h>
#include <locale.h>
#include "scene.h"
#include "top.h"

#define ROUNDS 20

static struct session session;
static struct filter filter;
static struct intervals intervals;
static struct model *model;
static struct top top;
static struct canvas canvas;
static struct term term = {.utf8 = true};

static int record(union rec r)
{
	return model__record(model, &r.h);
}

static int introduce(__u32 vcpus)
{
	char name[32];
	int err = 0;

	for (__u32 i = 1; !err && i <= vcpus; i++) {
		struct ks_name n;

		if (i % 4 == 1) {
			snprintf(name, sizeof(name), "guest-%u", i / 4);
			n = rec_name(1 + i / 4, SCENE_START, name);
			err = record(rec_vm(1 + i / 4, SCENE_START)) || model__record(model, &n.h);
		}
		err = err || record(rec_vcpu(i, SCENE_START, 1 + (i - 1) / 4, (i - 1) % 4, 0)) ||
		      record(rec_task(100 + i, SCENE_START, KS_K_VCPU, "CPU 0/KVM", 1 + (i - 1) / 4,
				      i));
	}
	return err;
}

/* Every vCPU once away and back, taken by another one. */
static int go_round(__u32 vcpus, unsigned round, __u64 at, __u64 step)
{
	int err = 0;

	for (__u32 i = 1; !err && i <= vcpus; i++) {
		union rec out =
			rec_out(i, 2 * round + 1, at + i, round % 3 ? KS_R_PREEMPTED : KS_R_HALTED);

		if (out.out.h.what) {
			out.out.h.what = KS_BY_OTHER_VM;
			out.out.next_tid = 101 + (i * 7 + round) % vcpus;
		}
		err = record(out);
	}
	for (__u32 i = 1; !err && i <= vcpus; i++)
		err = record(
			rec_in(i, 2 * round + 2, at + step / 2 + i * (i % 13), 1000 * (i % 50)));
	return err;
}

__attribute__((noinline)) static int refresh(void)
{
	struct tick t;
	int err = intervals__cut(&intervals, model, 0, &t);

	if (!err)
		err = top__tick(&top, &t);
	if (!err)
		err = top__layout(&top, &canvas, &term, false);
	intervals__next(&intervals);
	return err;
}

int main(int argc, char **argv)
{
	__u32 vcpus = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned refreshes = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
	__u64 step = 1000000000 / (ROUNDS + 1);
	int err;

	if (!vcpus || !refreshes || sscanf(argv[3], "%ux%u", &term.columns, &term.rows) != 2)
		return 1;
	setlocale(LC_ALL, "");
	term.limit = term.columns;
	session = scene_session(MODE_DEFAULT);
	intervals__init(&intervals, &session, &filter, 0, ~0ULL, 1000000000, true);
	model = model__new(&session, &filter, &intervals.to);
	top__init(&top);
	canvas__init(&canvas, term.columns, true);
	err = !model || introduce(vcpus);
	for (unsigned n = 0; !err && n < refreshes; n++) {
		for (unsigned k = 0; !err && k < ROUNDS; k++)
			err = go_round(vcpus, n * ROUNDS + k,
				       SCENE_START + n * 1000000000ULL + k * step + 1, step);
		err = err || refresh();
	}
	printf("%u rows, %u pieces of text\n", top.rows, canvas.runs);
	top__free(&top);
	canvas__free(&canvas);
	intervals__free(&intervals);
	model__free(model);
	return err || top.rows ? 1 : 0;
}
