// SPDX-License-Identifier: BSD-2-Clause
/* See apart.h. */
#include <stdio.h>
#include "apart.h"
#include "json.h"
#include "units.h"

static const struct {
	const char *key, *words, *sentence; /* with the wait's length */
} reasons[] = {
	[APART_NOT] = {"", "", ""},
	[APART_OPEN] = {"open", "still going on at the end",
			"a wait of %s was still going on at the end"},
	[APART_LATER] = {"later", "until after the window", "a wait of %s ended after the window"},
	[APART_UNSEEN] = {"unseen", "its beginning was not seen",
			  "the beginning of a wait of %s was not seen"},
};

const char *apart__words(enum summary_apart why)
{
	return reasons[why].words;
}

bool apart__is_longest(const struct summary_vcpu *v)
{
	return v->apart.run_delay_ns > (v->run_delay.count ? v->run_delay.max : 0);
}

/* The longest, and how many are marked. */
static const struct summary_vcpu *longest(const struct summary *s, unsigned *count)
{
	const struct summary_vcpu *most = NULL;

	*count = 0;
	for (unsigned i = 0; i < s->vcpus; i++) {
		const struct summary_vcpu *v = &s->vcpu[i];

		if (!apart__is_longest(v))
			continue;
		++*count;
		if (!most || v->apart.run_delay_ns > most->apart.run_delay_ns)
			most = v;
	}
	return most;
}

const char *apart__note(const struct summary *s, char *out)
{
	char name[160], time[UNITS_LEN], length[UNITS_LEN + 16], more[48] = "";
	const struct summary_vcpu *v;
	unsigned count;
	int n;

	out[0] = '\0';
	v = longest(s, &count);
	if (!v)
		return out;
	snprintf(length, sizeof(length), "%s%s", v->apart.whole ? "" : "at least ",
		 units__own(time, v->apart.run_delay_ns));
	if (count > 1)
		snprintf(more, sizeof(more), "; %u more such", count - 1);
	n = snprintf(out, APART_SIZE, reasons[v->apart.why].sentence, length);
	snprintf(out + n, APART_SIZE - n,
		 " (%.120s vCPU %d%s): it counts in time, not in p99 and max",
		 summary__vm_name(s, v->v->vm, name, sizeof(name)), v->v->vcpu_id, more);
	return out;
}

void apart__print(const struct summary *s, const struct term *term, FILE *f)
{
	char raw[APART_SIZE + 2] = APART_MARK " ", text[ESCAPE_SIZE(APART_SIZE + 2)];
	unsigned at = 0;

	if (!*apart__note(s, raw + 2))
		return;
	escape__str(term->escape, raw, text, sizeof(text));
	term__words(term, f, &at, STYLE_PLAIN, text);
	fputc('\n', f);
}

void apart__json(struct json *j, const struct summary_vcpu *v)
{
	if (v->apart.why == APART_NOT)
		return;
	json__key_object(j, "run_delay_apart");
	json__key_str(j, "why", reasons[v->apart.why].key);
	json__key_bool(j, "whole", v->apart.whole && v->apart.why != APART_OPEN);
	json__key_u64(j, "run_delay_ns", v->apart.run_delay_ns);
	json__end_object(j);
}
