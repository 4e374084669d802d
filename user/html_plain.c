// SPDX-License-Identifier: BSD-2-Clause
/* The page without its script: a few words and a table. See html_json.h. */
#include "apart.h"
#include "escape.h"
#include "html_json.h"
#include "measure.h"
#include "units.h"

#define NAME_SIZE 160

static void put_row(FILE *f, const struct summary *s, const struct summary_vcpu *v)
{
	__u64 window = s->to_ns - s->from_ns;
	const struct measure *m = measure__find("run_delay", 9);
	bool known = html_json__known(v);
	char name[NAME_SIZE], text[UNITS_LEN];
	__u64 delay_ns;

	summary__vm_name(s, v->v->vm, name, sizeof(name));
	fputs("<tr><th>", f);
	escape__put(ESCAPE_HTML, name, f);
	fprintf(f, "<td>%d", v->v->vcpu_id);
	fprintf(f, "<td>%s",
		known && measure__time(m, s, v, &delay_ns) ? units__percent(text, delay_ns, window)
							   : "-");
	fprintf(f, "<td>%s", known ? units__percent(text, v->state_ns[ST_PREEMPTED], window) : "-");
	fprintf(f, "<td>%s", units__percent(text, v->state_ns[ST_UNKNOWN], window));
	fprintf(f, "<td>%s%s", apart__is_longest(v) ? APART_MARK : "",
		v->run_delay.count ? units__own(text, v->run_delay.max) : "-");
	fputs("</tr>\n", f);
}

void html_json__plain(FILE *f, const struct summary *s)
{
	char text[UNITS_LEN], note[APART_SIZE];

	fputs("<p>", f);
	escape__put(ESCAPE_HTML, s->session->host, f);
	fprintf(f, ": %u vCPU%s over %s, ", s->vcpus, s->vcpus == 1 ? "" : "s",
		units__own(text, s->to_ns - s->from_ns));
	fprintf(f,
		"%llu records lost.</p>\n<table><thead><tr><th>VM<th>vCPU<th>run delay<th>preempted"
		"<th>unknown<th>longest run delay</tr></thead>\n<tbody>\n",
		(unsigned long long)s->lost);
	for (unsigned i = 0; i < s->vcpus; i++)
		put_row(f, s, &s->vcpu[i]);
	fputs("</tbody></table>\n", f);
	if (!*apart__note(s, note))
		return;
	fputs("<p>" APART_MARK " ", f);
	escape__put(ESCAPE_HTML, note, f);
	fputs("</p>\n", f);
}
