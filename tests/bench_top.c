// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_top VCPUS REFRESHES COLUMNSxROWS: an interval of so many vCPUs, each preempted and halted
 * some times, shown so often, from the end of the interval to the screen as text. tests/bench-top
 * counts the instructions of refresh().
 */
#include <errno.h>
#include <locale.h>
#include "bench_scene.h"
#include "top.h"

static struct session session;
static struct filter filter;
static struct intervals intervals;
static struct model *model;
static struct top top;
static struct canvas canvas;
static struct term term = {.utf8 = true};

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
	err = !model || introduce(model, vcpus);
	for (unsigned n = 0; !err && n < refreshes; n++) {
		for (unsigned k = 0; !err && k < ROUNDS; k++)
			err = go_round(model, vcpus, n * ROUNDS + k,
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
