// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched hist: distributions, drawn. */
#include <errno.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "run.h"
#include "sink_hist.h"

enum { OPT_MEASURE = 0x200, OPT_BY, OPT_RING };

struct hist_cmd {
	struct options o; /* first: the groups see only this */
	struct sink_hist out;
};

static void add_measures(struct sink_hist *h, const char *list, struct argp_state *state)
{
	const char *bad;
	size_t len;
	int err = sink_hist__parse(h, list, &bad, &len);

	if (err == -ENOENT)
		argp_error(state, "--measure %.*s: no such measure; see --list-measures", (int)len,
			   bad);
	else if (err == -EINVAL)
		argp_error(state, "--measure %.*s: not a distribution; see --list-measures",
			   (int)len, bad);
	else if (err)
		argp_error(state, "--measure: at most %d measures", HIST_MEASURES);
}

static void set_by(struct sink_hist *h, const char *word, struct argp_state *state)
{
	static const char *const words[] = {"all", "vm", "vcpu"};

	for (enum summary_by by = SUMMARY_BY_ALL; by <= SUMMARY_BY_VCPU; by++) {
		if (strcmp(word, words[by]))
			continue;
		h->by = by;
		return;
	}
	argp_error(state, "--by %s: not all, vm or vcpu", word);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct hist_cmd *h = state->input;

	switch (key) {
	case OPT_MEASURE:
		add_measures(&h->out, arg, state);
		break;
	case OPT_BY:
		set_by(&h->out, arg, state);
		break;
	case OPT_RING:
		h->o.ring = true;
		h->o.live_only = "--ring";
		break;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to draw:", 6},
	{"measure", OPT_MEASURE, "NAME[,NAME]", 0,
	 "these distributions (default " HIST_DEFAULT "); --list-measures names them", 6},
	{"ring", OPT_RING, NULL, 0,
	 "live: by records, in buckets of 0.8 %, and not by the kernel's sums (12.5 %)", 6},
	{"by", OPT_BY, "GROUP", 0, "all: one for all vCPUs (default); vm: per VM; vcpu: per vCPU",
	 6},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- CMD [ARG...]]",
	.doc = "How long vCPUs waited for a CPU and were absent: histograms.\v"
	       "Live (until -d TIME, CMD's end or Ctrl-C), or of a recording with -i. "
	       "Exit status: 0 fine; 1 an error; 3 records were lost, or nothing was seen; else CMD's.",
	.children = options_show,
};

int cmd_hist(int argc, char **argv)
{
	struct hist_cmd h = {0};
	const char *bad;
	struct sink sink;
	size_t len;

	options__init(&h.o);
	if (options__parse(&argp, argc, argv, &h.o, &h))
		return EXIT_ERROR;
	if (h.o.list_measures)
		return options__list_measures();
	if (!h.out.measures)
		sink_hist__parse(&h.out, HIST_DEFAULT, &bad, &len);
	h.out.json = h.o.json;
	h.out.color = h.o.color;
	sink_hist__init(&sink, &h.out);
	return run(&h.o, &sink);
}
