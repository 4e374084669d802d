// SPDX-License-Identifier: BSD-2-Clause
/*
 * libcgraph reads the graph. What makes it a model: it is directed, and the edge from a node named
 * __init_STATE to STATE says where it begins.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <graphviz/cgraph.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dot.h"
#include "err.h"

#define INIT	  "__init_"
#define BYTES_MAX (1 << 20)

void dot__free(struct dot *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < d->states; i++) {
		free(d->state[i].name);
		free(d->state[i].label);
	}
	for (unsigned i = 0; i < d->edges; i++)
		free(d->edge[i].label);
	free(d->state);
	free(d->edge);
	free(d->file);
	free(d->name);
	free(d->help);
	free(d->text);
	free(d);
}

/* ---- the file ----------------------------------------------------------------------------- */

static char *name_of(const char *file)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	const char *dot = strrchr(base, '.');

	return dot && dot > base ? strndup(base, dot - base) : strdup(base);
}

/* It is the rule's, and stands in all formats. */
static int verify_name(const char *name)
{
	for (; *name; name++)
		if (*name < ' ' || *name > '~')
			return err__say(
				0,
				"--model: the file's name is the rule's, so it has to be plain ASCII");
	return 0;
}

static int load(struct dot *d)
{
	FILE *f = fopen(d->file, "re");
	size_t n;

	if (!f)
		return err__say(errno, "%s", d->file);
	d->text = malloc(BYTES_MAX);
	n = d->text ? fread(d->text, 1, BYTES_MAX, f) : 0;
	if (!d->text || ferror(f) || n == BYTES_MAX) {
		fclose(f);
		return err__say(d->text && n == BYTES_MAX ? EFBIG : errno, "%s", d->file);
	}
	fclose(f);
	d->text[n] = '\0';
	for (size_t i = 0, line = 1; i < n; i++) {
		unsigned char c = d->text[i];

		line += c == '\n';
		if ((c < ' ' && !strchr("\n\r\t", c)) || !c || c == 0x7f)
			return err__say(0, "%s:%zu: a control character: not a text file", d->file,
					line);
	}
	return 0;
}

/* ---- libcgraph ---------------------------------------------------------------------------- */

static char said[512]; /* by libcgraph, in pieces */

static int listen(char *text)
{
	strncat(said, text, sizeof(said) - strlen(said) - 1);
	return 0;
}

/* "Error: FILE: syntax error in line 3 near '['" as FILE:3: syntax error near '['. */
static int say_syntax(const struct dot *d)
{
	static const char in_line[] = " in line ";
	char *what = strstr(said, "syntax error"), *line, *rest, *end;

	line = what ? strstr(what, in_line) : NULL;
	if (!line)
		return err__say(0, "%s: no graph in DOT%s%s", d->file, *said ? ": " : "", said);
	*line = '\0';
	line += strlen(in_line);
	rest = line + strspn(line, "0123456789");
	end = strchrnul(rest, '\n');
	return err__say(0, "%s:%.*s: %s%.*s", d->file, (int)(rest - line), line, what,
			(int)(end - rest), rest);
}

static Agraph_t *parse(const struct dot *d)
{
	size_t bytes = strlen(d->text);
	FILE *f = bytes ? fmemopen(d->text, bytes, "r") : NULL;
	Agraph_t *g, *more;

	*said = '\0';
	if (!f) {
		say_syntax(d);
		return NULL;
	}
	agseterrf(listen);
	agsetfile(d->file);
	agreadline(1);
	g = agread(f, NULL);
	more = g ? agread(f, NULL) : NULL;
	if (more || *said || !g) {
		if (more)
			err__say(0, "%s: more than one graph", d->file);
		else
			say_syntax(d);
		if (more)
			agclose(more);
		if (g)
			agclose(g);
		g = NULL;
	}
	fclose(f);
	return g;
}

/* In one line: labels are printed, also between the lines of a protocol. */
static char *attribute(void *object, char *name)
{
	char *value = strdup(agget(object, name) ?: "");

	for (char *p = value; p && *p; p++)
		if (strchr("\n\r\t", *p))
			*p = ' ';
	return value;
}

static bool is_init(const Agnode_t *n)
{
	return !strncmp(agnameof((void *)n), INIT, strlen(INIT));
}

static unsigned find(const struct dot *d, const char *name)
{
	unsigned i = 0;

	while (i < d->states && strcmp(d->state[i].name, name))
		i++;
	return i;
}

static int take_states(struct dot *d, Agraph_t *g)
{
	d->state = calloc(agnnodes(g) + 1, sizeof(*d->state));
	if (!d->state)
		return -ENOMEM;
	for (Agnode_t *n = agfstnode(g); n; n = agnxtnode(g, n)) {
		struct dot_state *s = &d->state[d->states];

		if (is_init(n))
			continue;
		s->name = strdup(agnameof(n));
		s->label = attribute(n, "label");
		d->states++;
		if (strpbrk(agnameof(n), "\n\r\t"))
			return err__say(0, "%s: a state's name has more than one line", d->file);
		if (!s->name || !s->label)
			return -ENOMEM;
	}
	return 0;
}

static int take_initial(struct dot *d, Agraph_t *g, Agnode_t *n, bool *found)
{
	Agedge_t *e = agfstout(g, n);
	const char *name = agnameof(n) + strlen(INIT);

	if (!e || agnxtout(g, e) || strcmp(agnameof(aghead(e)), name))
		return err__say(0, "%s: node \"%s\": wants one edge, to \"%s\"", d->file,
				agnameof(n), name);
	if (*found)
		return err__say(0, "%s: node \"%s\": the second initial state", d->file,
				agnameof(n));
	d->initial = find(d, name);
	*found = true;
	return 0;
}

static int take_edges(struct dot *d, Agraph_t *g)
{
	bool found = false;
	int err;

	d->edge = calloc(agnedges(g) + 1, sizeof(*d->edge));
	if (!d->edge)
		return -ENOMEM;
	for (Agnode_t *n = agfstnode(g); n; n = agnxtnode(g, n)) {
		err = is_init(n) ? take_initial(d, g, n, &found) : 0;
		if (err)
			return err;
		for (Agedge_t *e = is_init(n) ? NULL : agfstout(g, n); e; e = agnxtout(g, e)) {
			struct dot_edge *to = &d->edge[d->edges];

			if (is_init(aghead(e)))
				return err__say(0,
						"%s: edge \"%s\" -> \"%s\": leads to a marker, "
						"not to a state",
						d->file, agnameof(n), agnameof(aghead(e)));
			to->from = find(d, agnameof(n));
			to->to = find(d, agnameof(aghead(e)));
			to->label = attribute(e, "label");
			d->edges++;
			if (!to->label)
				return -ENOMEM;
		}
	}
	return found ? 0
		     : err__say(0, "%s: no initial state: an edge \"" INIT "X\" -> \"X\" names it",
				d->file);
}

static int take(struct dot *d, Agraph_t *g)
{
	int err;

	if (!agisdirected(g))
		return err__say(0, "%s: not a digraph", d->file);
	d->help = attribute(g, "label");
	if (!d->help)
		return -ENOMEM;
	err = take_states(d, g);
	return err ?: take_edges(d, g);
}

int dot__read(struct dot **out, const char *file)
{
	struct dot *d = calloc(1, sizeof(*d));
	Agraph_t *g = NULL;
	int err = -ENOMEM;

	if (d) {
		d->file = strdup(file);
		d->name = name_of(file);
	}
	if (d && d->file && d->name)
		err = verify_name(d->name) ?: load(d);
	if (!err) {
		g = parse(d);
		err = g ? take(d, g) : -EINVAL;
	}
	if (g)
		agclose(g);
	if (err == -ENOMEM)
		err__say(ENOMEM, "reading %s", file);
	if (err)
		dot__free(d);
	else
		*out = d;
	return err;
}
