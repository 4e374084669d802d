/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the commands share on their command lines: where events come from, filters, the window, how
 * the output looks. An argp child per group; a command adds its own.
 */
#ifndef KVMSCHED_OPTIONS_H
#define KVMSCHED_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include "filter.h"
#include "live.h"
#include "term.h"
#include "units.h"

struct flight;

struct options {
	const char *input;  /* -i DIR; NULL = live */
	const char *output; /* -o DIR: keep the recording */
	bool force;
	const char *keep;      /* --keep DIR: keep the recording around the first violation */
	struct flight *flight; /* --flight: what is traced goes there, not to -o */
	bool cuts;	       /* ... of -i, which writing options then go with */
	__u64 max_bytes;       /* --max-size */
	__u64 duration_ns;     /* -d, 0 = until the end */
	char **command;	       /* -- CMD, NULL = none */
	const char *writes;    /* the last option about -o, or NULL */
	const char *live_only; /* the last option that makes sense for a live trace only, or NULL */
	struct live_opts live;
	struct filter filter;
	bool has_window;
	struct units_window window; /* --time */
	__u64 last_ns;		    /* --last */
	bool json;
	enum term_color color;
	bool list_measures;
	bool ring; /* --ring: records, where the kernel's sums would do */
};

extern const struct argp options_source; /* -i and what a live source can be told */
extern const struct argp options_trace;	 /* the same, where -i is only read to be cut */
extern const struct argp options_filter;
extern const struct argp options_window;
extern const struct argp options_output; /* --json --color --list-measures */
extern const struct argp options_record; /* -o --force --max-size */

/* All of them: the children of every command that shows what a live trace or a recording holds. */
extern const struct argp_child options_show[];

void options__init(struct options *o);

/* A command's own argp parser: hands its input (whose first member is a struct options) to the
 * groups. */
error_t options__parse_none(int key, char *arg, struct argp_state *state);

/* argp_parse() with the command's name, `-- CMD`, and our exit status for a wrong option. */
int options__parse(const struct argp *argp, int argc, char **argv, struct options *o, void *input);

/* For --list-measures: an exit status. */
int options__list_measures(void);

#endif
