// SPDX-License-Identifier: BSD-2-Clause
/*
 * Run while building: reads the built-in rules (user/models/NAME.dot) with the reader that --model
 *has and prints them as C constants, so that the program itself needs libcgraph for --model only.
 *
 *	generate FILE.dot...
 */
#include <stdio.h>
#include <string.h>
#include "automaton_build.h"
#include "err.h"

static void put_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n\"\n\t\"", stdout);
		else if (*s == '\t')
			fputs("\\t", stdout);
		else if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void put_names(const char *what, unsigned rule, const char *const *names, unsigned count)
{
	printf("static const char *const %s_%u[] = {", what, rule);
	for (unsigned i = 0; i < count; i++) {
		put_string(names[i]);
		printf(", ");
	}
	printf("NULL};\n");
}

static void put_guard(const struct automaton_edge *e, unsigned rule, unsigned edge)
{
	for (unsigned c = 0; c < e->conjs; c++) {
		if (!e->conj[c].terms)
			continue;
		printf("static const struct automaton_term term_%u_%u_%u[] = {", rule, edge, c);
		for (unsigned i = 0; i < e->conj[c].terms; i++) {
			const struct automaton_term *t = &e->conj[c].term[i];

			printf("{%d, %u, %u, %lluULL}, ", t->clock, t->index, t->op,
			       (unsigned long long)t->value);
		}
		printf("};\n");
	}
	if (!e->conjs)
		return;
	printf("static const struct automaton_conj conj_%u_%u[] = {", rule, edge);
	for (unsigned c = 0; c < e->conjs; c++) {
		printf("{0x%llxULL, 0x%llxULL, ", (unsigned long long)e->conj[c].mask,
		       (unsigned long long)e->conj[c].value);
		if (e->conj[c].terms)
			printf("term_%u_%u_%u, %u}, ", rule, edge, c, e->conj[c].terms);
		else
			printf("NULL, 0}, ");
	}
	printf("};\n");
}

static void put_edges(const struct automaton *a, unsigned rule)
{
	unsigned edges = a->states * a->events;

	for (unsigned i = 0; i < edges; i++)
		put_guard(&a->edge[i], rule, i);
	printf("static const struct automaton_edge edge_%u[] = {\n", rule);
	for (unsigned i = 0; i < edges; i++) {
		const struct automaton_edge *e = &a->edge[i];

		printf("\t{%u, %u, %u, ", e->to, e->resets, e->conjs);
		if (e->conjs)
			printf("conj_%u_%u, ", rule, i);
		else
			printf("NULL, ");
		put_string(e->text ?: "");
		printf("},\n");
	}
	printf("};\n");
}

static void put_invariants(const struct automaton *a, unsigned rule)
{
	if (!a->invariant)
		return;
	printf("static const struct automaton_invariant invariant_%u[] = {\n", rule);
	for (unsigned i = 0; i < a->states; i++) {
		const struct automaton_invariant *v = &a->invariant[i];

		printf("\t{");
		if (v->text)
			put_string(v->text);
		else
			printf("NULL");
		printf(", %u, %u, %lluULL},\n", v->clock, v->op, (unsigned long long)v->value);
	}
	printf("};\n");
}

static void put_automaton(const struct automaton *a, unsigned rule)
{
	put_names("state", rule, a->state, a->states);
	put_names("clock", rule, a->clock, a->clocks);
	printf("static const __u8 event_%u[] = {", rule);
	for (unsigned i = 0; i < a->events; i++)
		printf("%u, ", a->event[i]);
	printf("};\n");
	put_edges(a, rule);
	put_invariants(a, rule);
	printf("static const struct automaton rule_%u = {\n\t.name = ", rule);
	put_string(a->name);
	printf(",\n\t.help = ");
	put_string(a->help);
	printf(",\n\t.dot = ");
	put_string(a->dot);
	printf(",\n\t.states = %u, .events = %u, .clocks = %u, .initial = %u,\n", a->states,
	       a->events, a->clocks, a->initial);
	printf("\t.state = state_%u, .clock = clock_%u, .event = event_%u, .edge = edge_%u,\n",
	       rule, rule, rule, rule);
	if (a->invariant)
		printf("\t.invariant = invariant_%u,\n", rule);
	printf("\t.fields = 0x%llxULL,\n};\n\n", (unsigned long long)a->fields);
}

static int generate(const char *file, unsigned rule)
{
	struct automaton *a = NULL;
	struct dot *d = NULL;
	int err = dot__read(&d, file);

	if (!err)
		err = automaton__build(&a, d);
	if (!err && !*a->help)
		err = err__say(
			0, "%s: a built-in rule says in a sentence, the graph's label, what it is",
			file);
	if (!err)
		put_automaton(a, rule);
	automaton__free(a);
	dot__free(d);
	return err;
}

int main(int argc, char **argv)
{
	printf("/* Made from user/models/NAME.dot; do not edit. */\n#include \"rules.h\"\n\n");
	for (int i = 1; i < argc; i++)
		if (generate(argv[i], i))
			return EXIT_ERROR;
	printf("const struct automaton *const rules_builtin[] = {");
	for (int i = 1; i < argc; i++)
		printf("&rule_%d, ", i);
	printf("NULL};\n");
	return fflush(stdout) || ferror(stdout) ? EXIT_ERROR : EXIT_FINE;
}
