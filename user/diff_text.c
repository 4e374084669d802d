// SPDX-License-Identifier: BSD-2-Clause
/*
 * A comparison for people: a sentence or three per VM, then what changed as a table, then in a line
 * each what did not and what could not be compared.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "diff_show.h"
#include "err.h"
#include "report_json.h"
#include "units.h"

#define BLUNT_RELATIVE 0.3
#define BLUNT_POINTS   0.1
#define ONLY_MAX       20 /* names of VMs that are in one only */

#define LABEL (ESCAPE_SIZE(PROFILE_NAME) + 80) /* an escaped name and some words */

struct page {
	const struct diff *d;
	struct term term;
	bool all;
};

/* ---- words -------------------------------------------------------------------------------- */

static void taker_label(const struct page *p, const struct profile_taker *t, char *out, size_t size)
{
	char name[ESCAPE_SIZE(PROFILE_NAME)], cut[ESCAPE_SIZE(PROFILE_NAME) + 4];

	escape__str(p->term.escape, t->name, name, sizeof(name));
	escape__shorten(name, 30, p->term.utf8, cut);
	snprintf(out, size, "taken by %s (%s)", cut, report_class_names[t->by]);
}

static void label(const struct page *p, const struct diff_line *l, char *out, size_t size)
{
	char name[40];

	if (l->kind == DIFF_TAKEN) {
		taker_label(p, l->taker, out, size);
		return;
	}
	if (l->kind == DIFF_CLASS) {
		snprintf(out, size, "taken by %s", report_class_names[l->taker->by]);
		return;
	}
	snprintf(name, sizeof(name), "%s", l->measure->name);
	for (char *c = name; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	if (l->kind == DIFF_QUANTILE && l->permille % 10)
		snprintf(out, size, "%s p%u.%u", name, l->permille / 10, l->permille % 10);
	else if (l->kind == DIFF_QUANTILE)
		snprintf(out, size, "%s p%u", name, l->permille / 10);
	else
		snprintf(out, size, "%s%s", name,
			 l->kind == DIFF_MEAN  ? " mean"
			 : l->kind == DIFF_MAX ? " max"
					       : "");
}

static enum term_style style_of(const struct diff_line *l)
{
	return l->worse ? STYLE_BAD : l->better ? STYLE_GOOD : STYLE_PLAIN;
}

static bool changed(const struct diff_line *l)
{
	return l->verdict == DIFF_ROSE || l->verdict == DIFF_FELL;
}

static const char *verb(const struct diff_line *l)
{
	return l->verdict == DIFF_ROSE ? "rose" : l->verdict == DIFF_FELL ? "fell" : "";
}

/* ---- head --------------------------------------------------------------------------------- */

static void put_recording(const struct page *p, const char *which, const struct profile *r)
{
	char text[LABEL], window[UNITS_LEN], block[UNITS_LEN];
	unsigned at = 0;

	term__flow(&p->term, stdout, &at, "", STYLE_HEADER, which);
	escape__str(p->term.escape, r->session.host, text, sizeof(text));
	term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, text);
	escape__str(p->term.escape, r->session.release, text, sizeof(text));
	term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%s mode", session__mode_name(r->session.mode));
	term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%s in %u blocks of %s",
		 units__own(window, r->to_ns - r->from_ns), r->blocks,
		 units__own(block, (r->to_ns - r->from_ns) / r->blocks));
	term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, text);
	if (r->lost) {
		snprintf(text, sizeof(text), "%llu lost", (unsigned long long)r->lost);
		term__flow(&p->term, stdout, &at, "  ", STYLE_WARN, text);
	}
	puts("");
}

static void put_vms(const struct page *p, const char *what, const struct profile_vm **list,
		    unsigned count)
{
	char name[ESCAPE_SIZE(PROFILE_NAME)];
	unsigned at = 0;

	if (!count)
		return;
	term__flow(&p->term, stdout, &at, "", STYLE_WARN, what);
	for (unsigned i = 0; i < count && (i < ONLY_MAX || p->all); i++) {
		escape__str(p->term.escape, list[i]->name, name, sizeof(name));
		term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, name);
	}
	if (count > ONLY_MAX && !p->all) {
		snprintf(name, sizeof(name), "and %u more (--all)", count - ONLY_MAX);
		term__flow(&p->term, stdout, &at, "  ", STYLE_PLAIN, name);
	}
	puts("");
}

static void head(const struct page *p)
{
	const struct session *a = &p->d->a->session, *b = &p->d->b->session;

	put_recording(p, "A", p->d->a);
	put_recording(p, "B", p->d->b);
	if (strcmp(a->release, b->release) || strcmp(a->arch, b->arch))
		puts("The kernels differ.");
	if (a->mode != b->mode)
		puts("The modes differ: what one of them lacks is not compared, and what tracing costs differs.");
	put_vms(p, "only in A:", p->d->only_a, p->d->only_as);
	put_vms(p, "only in B:", p->d->only_b, p->d->only_bs);
}

/* ---- verdicts ----------------------------------------------------------------------------- */

static void put_sentence(const struct page *p, const struct diff_line *l)
{
	char what[LABEL], a[UNITS_LEN], b[UNITS_LEN], change[DIFF_NUMBER], interval[DIFF_NUMBER];
	char text[LABEL + 3 * UNITS_LEN];
	unsigned at = 0;

	label(p, l, what, sizeof(what));
	diff_number__change(l, change, interval);
	snprintf(text, sizeof(text), "  %s %s from %s to %s%s,", what, verb(l),
		 diff_number__value(a, l->kind, l->e.a), diff_number__value(b, l->kind, l->e.b),
		 diff__is_share(l->kind) ? " of the time" : "");
	term__flow(&p->term, stdout, &at, "", style_of(l), text);
	strcat(change, " ");
	strcat(change, interval);
	term__flow(&p->term, stdout, &at, " ", style_of(l), change);
	puts("");
}

static bool is_delay(const struct diff_line *l)
{
	return l->measure && !strcmp(l->measure->name, "run_delay");
}

/* The changes that are worth a sentence: how long the wait for a CPU is, who took more of it and
 * who less, and what is clearest of the rest. NULL: there is none. */
enum { DELAY, TOOK_MORE, TOOK_LESS, OTHER, SENTENCES };

/* Of the wait for a CPU: its tails, else its share of the time, which most people ask for. */
static unsigned weight(const struct diff_line *l)
{
	return l->kind == DIFF_SHARE ? 800 : l->permille;
}

static unsigned sentence_of(const struct diff_line *l)
{
	if (l->taker)
		return l->verdict == DIFF_ROSE ? TOOK_MORE : TOOK_LESS;
	return is_delay(l) ? DELAY : OTHER;
}

/* Who it is says more than of which class, unless it is the lesser part of the change. */
static double tells(const struct diff_line *l)
{
	return fabs(l->e.change) * (l->kind == DIFF_TAKEN ? 2 : 1);
}

static void choose(const struct diff_vm *vm, const struct diff_line *line[SENTENCES])
{
	for (unsigned i = 0; i < vm->changed; i++) {
		const struct diff_line *l = &vm->line[i];
		unsigned what = sentence_of(l);
		const struct diff_line *have = line[what];

		if (l->repeats)
			continue;
		if (!have || (l->taker && tells(l) > tells(have)) ||
		    (what == DELAY && weight(l) > weight(have)))
			line[what] = l;
	}
}

/* How many changes they told. */
static unsigned put_sentences(const struct page *p, const struct diff_vm *vm)
{
	const struct diff_line *line[SENTENCES] = {NULL};
	unsigned told = 0;

	choose(vm, line);
	for (unsigned i = 0; i < SENTENCES; i++) {
		if (line[i])
			put_sentence(p, line[i]);
		told += line[i] != NULL;
	}
	return told;
}

/* ---- tables ------------------------------------------------------------------------------- */

static void row(const struct page *p, struct table *t, const struct diff_line *l)
{
	char what[LABEL], a[UNITS_LEN], b[UNITS_LEN], change[DIFF_NUMBER], interval[DIFF_NUMBER];

	label(p, l, what, sizeof(what));
	table__cell(t, what);
	table__cell(t, diff_number__value(a, l->kind, l->e.a));
	table__cell(t, diff_number__value(b, l->kind, l->e.b));
	if (l->why) {
		table__cell(t, NULL);
		table__cell(t, NULL);
		table__styled(t, STYLE_DIM, l->why);
		return;
	}
	diff_number__change(l, change, interval);
	table__styled(t, style_of(l), change);
	table__cell(t, interval);
	table__styled(t, style_of(l), verb(l));
}

static int put_table(const struct page *p, const struct diff_vm *vm)
{
	unsigned lines = p->all ? vm->lines : vm->changed;
	struct table *t;
	int err;

	puts("");
	t = table__new();
	table__add_col(t, "", TABLE_LEFT, 12, TABLE_KEEP);
	table__add_col(t, "A", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "B", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "change", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(t, "95 % interval", TABLE_RIGHT, 0, 2);
	table__add_col(t, "verdict", TABLE_LEFT, 0, 1);
	for (unsigned i = 0; i < lines; i++)
		if (!vm->line[i].repeats)
			row(p, t, &vm->line[i]);
	err = table__print(t, &p->term, stdout);
	table__free(t);
	return err < 0 ? err : 0;
}

static const char *length(char *out, __u64 ns)
{
	bool minutes = ns >= 120000000000ULL;

	snprintf(out, UNITS_LEN, "%llu %s",
		 (unsigned long long)(ns / 1000000000 / (minutes ? 60 : 1)), minutes ? "min" : "s");
	return out;
}

/* How sharp the comparison was, so that nobody takes too little data for "nothing changed". */
static void put_sharpness(const struct page *p, const struct diff_vm *vm)
{
	struct diff_sharpness s = diff__sharpness(p->d, vm);
	char what[LABEL], least[UNITS_LEN], then[UNITS_LEN], time[UNITS_LEN], number[UNITS_LEN];
	char text[LABEL + 4 * UNITS_LEN];
	unsigned at = 0;

	if (!s.line || changed(s.line))
		return;
	label(p, s.line, what, sizeof(what));
	diff_number__value(number, s.line->kind, s.line->e.a);
	if (diff_number__beyond(s.line, s.least)) {
		snprintf(text, sizeof(text),
			 "  %s (%s of the time) varies too much for any change to show%s", what,
			 number, s.long_ns ? ";" : "");
	} else {
		diff_number__would_show(p->d, s.line, s.least, least);
		snprintf(text, sizeof(text),
			 "  %s (%s of the time) would have had to change by %s to show%s", what,
			 number, least, s.long_ns ? ";" : "");
	}
	term__flow(&p->term, stdout, &at, "", STYLE_PLAIN, text);
	if (s.long_ns && diff_number__beyond(s.line, s.least_then)) {
		snprintf(text, sizeof(text), "recordings of %s each would not do, either",
			 length(time, s.long_ns));
		term__flow(&p->term, stdout, &at, " ", STYLE_PLAIN, text);
	} else if (s.long_ns) {
		diff_number__would_show(p->d, s.line, s.least_then, then);
		snprintf(text, sizeof(text),
			 diff_number__beyond(s.line, s.least)
				 ? "in recordings of about %s each, one by %s would"
				 : "in recordings of about %s each, by %s",
			 length(time, s.long_ns), then);
		term__flow(&p->term, stdout, &at, " ", STYLE_PLAIN, text);
	}
	puts("");
}

/* Would only a large change have shown? */
static bool blunt(const struct page *p, const struct diff_vm *vm)
{
	struct diff_sharpness s = diff__sharpness(p->d, vm);

	return s.line && s.least > (s.line->e.log ? BLUNT_RELATIVE : BLUNT_POINTS);
}

static void put_rest(const struct diff_vm *vm)
{
	unsigned same = 0, too_short = 0;

	for (unsigned i = 0; i < vm->lines; i++) {
		same += vm->line[i].verdict == DIFF_SAME && !vm->line[i].repeats;
		too_short += vm->line[i].e.lack == RESAMPLE_BLOCKS;
	}
	if (same)
		printf("  no change that this data can show: %u %snumber%s\n", same,
		       vm->changed ? "other " : "", same == 1 ? "" : "s");
	if (!same && !vm->changed)
		printf("  no change that this data can show: %s\n",
		       too_short ? "the window is too short; record for 10 s at least"
				 : "there is too little to compare");
}

/* What one of them cannot give, with the reason; what has only too few values is in --all. */
static void put_lacking(const struct page *p, const struct diff_vm *vm)
{
	char what[LABEL], text[LABEL + 200];

	for (unsigned i = 0; !p->all && i < vm->lines; i++) {
		const struct diff_line *l = &vm->line[i];

		if (l->verdict != DIFF_UNKNOWN || !isnan(l->e.a) || !isnan(l->e.b) ||
		    l->e.lack != RESAMPLE_NONE || l->kind == DIFF_QUANTILE)
			continue;
		label(p, l, what, sizeof(what));
		snprintf(text, sizeof(text), "  not compared: %s: %s", what, l->why);
		puts(text);
	}
}

static int put_vm(const struct page *p, const struct diff_vm *vm)
{
	char a[ESCAPE_SIZE(PROFILE_NAME)], b[ESCAPE_SIZE(PROFILE_NAME)];
	unsigned told, changes = 0;
	int err;

	escape__str(p->term.escape, vm->a->name, a, sizeof(a));
	escape__str(p->term.escape, vm->b->name, b, sizeof(b));
	printf("\n%s%s%s", term__on(&p->term, STYLE_HEADER), a, term__off(&p->term, STYLE_HEADER));
	if (strcmp(a, b))
		printf(", in B %s%s", b,
		       vm->assumed ? " (taken for the same: there is no other)" : "");
	if (vm->a->vcpus != vm->b->vcpus)
		printf(", %u vCPU%s, in B %u", vm->a->vcpus, vm->a->vcpus == 1 ? "" : "s",
		       vm->b->vcpus);
	else
		printf(", %u vCPU%s", vm->a->vcpus, vm->a->vcpus == 1 ? "" : "s");
	printf(": %s\n", vm->changed	? "changed"
			 : blunt(p, vm) ? "no change found, but only a large one would have been"
					: "no change");
	if (!vm->changed)
		put_sharpness(p, vm);
	told = put_sentences(p, vm);
	for (unsigned i = 0; i < vm->changed; i++)
		changes += !vm->line[i].repeats;
	err = p->all || changes > told ? put_table(p, vm) : 0;
	put_rest(vm);
	if (vm->changed)
		put_sharpness(p, vm);
	put_lacking(p, vm);
	return err;
}

/* ---- limits ------------------------------------------------------------------------------- */

static void put_limit(const struct page *p, const struct diff_limit *l)
{
	static const char *const said[] = {[EXIT_FINE] = "ok",
					   [EXIT_VIOLATED] = "FAILED",
					   [EXIT_INCONCLUSIVE] = "inconclusive"};
	enum term_style style = l->status == EXIT_FINE	     ? STYLE_GOOD
				: l->status == EXIT_VIOLATED ? STYLE_BAD
							     : STYLE_WARN;
	struct diff_line line = {.kind = diff__limit_kind(l->limit), .e = l->e};
	char name[ESCAPE_SIZE(PROFILE_NAME)], text[ESCAPE_SIZE(200)];
	char a[UNITS_LEN], b[UNITS_LEN], change[DIFF_NUMBER], interval[DIFF_NUMBER];

	escape__str(p->term.escape, l->limit->text, text, sizeof(text));
	printf("%s%s%s: %s", term__on(&p->term, style), said[l->status], term__off(&p->term, style),
	       text);
	if (l->vm) {
		escape__str(p->term.escape, l->vm->a->name, name, sizeof(name));
		printf(": %s", name);
	}
	if (l->why) {
		printf(": %s\n", l->why);
		return;
	}
	diff_number__change(&line, change, interval);
	printf(": %s to %s, %s %s%s\n", diff_number__value(a, line.kind, l->e.a),
	       diff_number__value(b, line.kind, l->e.b), change, interval,
	       l->status == EXIT_INCONCLUSIVE ? ": on both sides of the limit" : "");
}

int diff_text__write(const struct diff *d, enum term_color color, bool all)
{
	struct page p = {.d = d, .all = all};
	int err = 0;

	term__look(&p.term, STDOUT_FILENO, color);
	head(&p);
	for (unsigned i = 0; !err && i < d->vms; i++)
		err = put_vm(&p, &d->vm[i]);
	if (d->limits)
		puts("");
	for (unsigned i = 0; i < d->limits; i++)
		put_limit(&p, &d->limit[i]);
	return err;
}
