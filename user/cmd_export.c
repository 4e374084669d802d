// SPDX-License-Identifier: BSD-2-Clause
/* kvmsched export: a recording in other tools' formats. */
#include <errno.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "export.h"
#include "outfile.h"
#include "run.h"

enum { OPT_TO = 0x200, OPT_WHAT, OPT_FORCE };

/* THE table of formats. */
static const struct export_format {
	const char *name;
	bool rows; /* --what makes a difference */
	int (*init)(struct sink *sink, struct export_out *o);
	void (*free)(void *ctx);
} formats[] = {
	{"json", true, sink_json_rows__new, sink_rows__free},
	{"csv", true, sink_csv_rows__new, sink_rows__free},
	{"perfetto", false, sink_perfetto__new, sink_perfetto__free},
	{"html", false, sink_html__new, sink_html__free},
};

#define FORMATS (sizeof(formats) / sizeof(*formats))

struct export_cmd {
	struct options o; /* first: the groups see only this */
	const struct export_format *format;
	struct export_out out;
	const char *file;
	bool what_given, force;
};

static void set_format(struct export_cmd *c, const char *arg, struct argp_state *state)
{
	char names[80] = "";

	for (unsigned i = 0; i < FORMATS; i++) {
		if (!strcmp(formats[i].name, arg))
			c->format = &formats[i];
		strcat(strcat(names, i ? ", " : ""), formats[i].name);
	}
	if (!c->format)
		argp_error(state, "--to %s: not of %s", arg, names);
}

static void set_what(struct export_cmd *c, const char *arg, struct argp_state *state)
{
	c->what_given = true;
	c->out.what = EXPORT_ABSENCES;
	if (!strcmp(arg, "spans"))
		c->out.what = EXPORT_SPANS;
	else if (strcmp(arg, "absences"))
		argp_error(state, "--what %s: not absences or spans", arg);
}

static void verify(const struct export_cmd *c, struct argp_state *state)
{
	if (!c->format)
		argp_error(state, "--to FORMAT is missing");
	else if (!c->file)
		argp_error(state, "-o FILE is missing (- is standard output)");
	else if (c->what_given && !c->format->rows)
		argp_error(state, "--what is for json and csv");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct export_cmd *c = state->input;

	switch (key) {
	case OPT_TO:
		set_format(c, arg, state);
		break;
	case OPT_WHAT:
		set_what(c, arg, state);
		break;
	case 'o':
		c->file = arg;
		break;
	case OPT_FORCE:
		c->force = true;
		break;
	case ARGP_KEY_END:
		verify(c, state);
		break;
	default:
		return options__parse_none(key, arg, state);
	}
	return 0;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to write:", 6},
	{"to", OPT_TO, "FORMAT", 0, "json (a JSON object per line), csv, perfetto or html (a page)",
	 6},
	{"what", OPT_WHAT, "WHAT", 0,
	 "rows of json and csv: absences (default), or spans: every stretch of a state", 6},
	{"output", 'o', "FILE", 0, "write FILE (- is standard output)", 6},
	{"force", OPT_FORCE, NULL, 0, "replace FILE", 6},
	{0},
};

static const struct argp_child children[] = {
	{&options_source, 0, "Source:", 1},
	{&options_filter, 0, NULL, 2},
	{&options_window, 0, NULL, 3},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- CMD [ARG...]]",
	.doc = "Writes a recording (-i), or what is traced live until -d TIME, CMD's end or Ctrl-C, "
	       "in another tool's format.\v"
	       "Exit status: 0 fine; 1 an error; 3 records were lost, or nothing was seen; else CMD's.",
	.children = children,
};

static int export(struct export_cmd *c)
{
	struct sink sink = {0};
	struct outfile file;
	int status, err;

	if (outfile__probe(c->file, c->force, c->o.input) ||
	    outfile__open(&file, c->file, c->force))
		return EXIT_ERROR;
	c->out.f = file.f;
	err = c->format->init(&sink, &c->out);
	if (err)
		err__say(err, "starting");
	sink.writes = true; /* it gets its name at the end */
	status = err ? EXIT_ERROR : run(&c->o, &sink);
	c->format->free(sink.ctx);
	return outfile__close(&file, c->out.done ? 0 : -ECANCELED) ? EXIT_ERROR : status;
}

int cmd_export(int argc, char **argv)
{
	struct export_cmd c = {0};

	options__init(&c.o);
	if (options__parse(&argp, argc, argv, &c.o, &c))
		return EXIT_ERROR;
	return export(&c);
}
