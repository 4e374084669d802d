// SPDX-License-Identifier: BSD-2-Clause
/* The bar of states, and what its marks, the columns and the keys mean. */
#include <string.h>
#include "style.h"
#include "top.h"

static const struct {
	enum state state;
	const char *utf8, *ascii, *name;
} marks[] = {
	{ST_RUNNING, "█", "R", "running"},   {ST_ON_OR_USER, "█", "R", "running or user"},
	{ST_USER, "▒", "u", "user"},	     {ST_PREEMPTED, "▓", "P", "preempted"},
	{ST_SLEEPING, "░", "s", "sleeping"}, {ST_HALTED, "·", ".", "halted"},
	{ST_UNKNOWN, "?", "?", "unknown"},   {ST_ELSEWHERE, " ", " ", "elsewhere"},
	{ST_ABSENT, " ", " ", "absent"},
};

#define MARKS (sizeof(marks) / sizeof(*marks))

/* Each cell is the state at its middle; but what took a fiftieth of the time or more is seen. */
void top__bar(struct canvas *c, const struct term *term, const struct summary_vcpu *v, __u64 window,
	      unsigned width)
{
	unsigned from = c->column, cells[MARKS], used = 0, most = 0;
	char text[3 * 256 + 1];

	width = width > 256 ? 256 : width;
	for (unsigned i = 0; i < MARKS; i++) {
		__u64 ns = v->state_ns[marks[i].state];

		cells[i] = window ? ((unsigned __int128)ns * width + window / 2) / window : 0;
		if (!cells[i] && window && ns >= window / 50)
			cells[i] = 1;
		used += cells[i];
		most = cells[i] > cells[most] ? i : most;
	}
	cells[most] = used - cells[most] < width ? width - (used - cells[most]) : 0;
	for (unsigned i = 0; i < MARKS; i++) {
		const char *mark = term->utf8 ? marks[i].utf8 : marks[i].ascii;

		*text = '\0';
		for (unsigned k = 0; k < cells[i]; k++)
			strcpy(text + k * strlen(mark), mark);
		canvas__put(c, style__of_state(marks[i].state), text);
	}
	canvas__to(c, from + width);
}

static void put_mark(struct canvas *c, const struct term *term, unsigned i)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %s", term->utf8 ? marks[i].utf8 : marks[i].ascii,
		 marks[i].name);
	canvas__flow(c, style__of_state(marks[i].state), text);
}

void top__legend(const struct top *t, struct canvas *c, const struct term *term)
{
	__u64 ns[MARKS] = {0};

	for (unsigned v = 0; v < t->sum.vcpus; v++)
		for (unsigned i = 0; i < MARKS; i++)
			ns[i] += t->sum.vcpu[v].state_ns[marks[i].state];
	for (unsigned i = 0; i < MARKS; i++)
		if (ns[i] && *marks[i].ascii != ' ')
			put_mark(c, term, i);
	if (!c->column)
		return; /* there is nobody */
	canvas__flow(c, STYLE_DIM, "p99 max: delay per absence");
	canvas__newline(c);
}

/* On as many lines as it takes: broken at blanks, all but the first indented. */
static void put_wrapped(struct canvas *c, const char *text)
{
	char part[128];

	while (strlen(text) > c->columns - c->column && c->columns > c->column + 1) {
		unsigned n = c->columns - c->column;

		while (n && text[n] != ' ')
			n--;
		if (!n)
			break; /* a word as long as a line */
		snprintf(part, sizeof(part), "%.*s", n, text);
		canvas__put(c, STYLE_PLAIN, part);
		canvas__newline(c);
		canvas__put(c, STYLE_PLAIN, "  ");
		c->column = 2;
		text += n + strspn(text + n, " ");
	}
	canvas__put(c, STYLE_PLAIN, text);
	canvas__newline(c);
}

/* The mode does not have it. */
static bool never(const struct top *t, enum state s)
{
	enum session_mode mode = t->sum.session->mode;
	bool told_apart = mode == MODE_DEFAULT || mode == MODE_FULL;

	return told_apart ? s == ST_ON_OR_USER : s == ST_RUNNING || s == ST_USER;
}

void top__help(const struct top *t, struct canvas *c, const struct term *term)
{
	static const char *const lines[] = {
		"up down PgUp PgDn Home End: the row that Enter means; here, scroll",
		"Enter: a vCPU's details; of a VM or CPU, its vCPUs",
		"Esc: back; all vCPUs again",
		"< >: sort by another column (it is marked); also left and right",
		"r: the other way round",
		"g: a line per vCPU, per VM, per host CPU",
		"/: only VMs of this name; * ? [] match, else a part of it",
		"m: who takes whose CPU",
		"p, space: pause; of a recording n is the next interval",
		"h, ?: this; q: quit",
		"",
		"delay: the share of the interval in which it was runnable but waited for a CPU; > at least, as a part is unknown",
		"p99, max: of the run delay of each absence that ended in the interval; > one that goes on",
		"now, for: its state when the interval ended, and since when; CPU: where it was then",
		"taken by: who preempted it for the longest time, and which part of its delay that is; own: of the same VM; ? (woken): it waited when it had been woken, and who had the CPU then is not known",
		"time: the interval by states:",
	};

	for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		put_wrapped(c, lines[i]);
	for (unsigned i = 0; i < MARKS; i++)
		if (*marks[i].ascii != ' ' && !(t->have && never(t, marks[i].state)))
			put_mark(c, term, i);
	canvas__newline(c);
}
