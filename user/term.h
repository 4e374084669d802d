/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the output goes to: terminal or not, how wide, UTF-8 or not, colours or not; and what
 * depends on it: styles and bars. Found out once, then passed down; nothing else asks.
 */
#ifndef KVMSCHED_TERM_H
#define KVMSCHED_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>
#include "escape.h"

enum term_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct term {
	bool tty;
	bool utf8;
	bool color;
	unsigned rows;	  /* the terminal's, else 24 */
	unsigned columns; /* for drawings: the terminal's, else $COLUMNS, else 80 */
	bool sized;	  /* columns is the terminal's or $COLUMNS, not 80 for want of either */
	unsigned limit;	  /* for data: columns on a terminal, else UINT_MAX: nothing is dropped */
	enum escape_for escape; /* how names are escaped for it */
};

/* The argument of --color: auto, always or never. 0 or -EINVAL. */
int term__parse_color(const char *word, enum term_color *color);

/* Looks at a file descriptor. Call setlocale(LC_ALL, "") before. COLOR_AUTO: colours on a terminal
 * whose TERM is not "dumb", unless NO_COLOR is set and not empty. Never fails. */
void term__look(struct term *t, int fd, enum term_color color);

/* Looks only for the size again, after SIGWINCH. */
void term__resize(struct term *t, int fd);

enum term_style {
	STYLE_PLAIN,
	/* a vCPU's states */
	STYLE_RUNNING,
	STYLE_PREEMPTED,
	STYLE_HALTED,
	STYLE_SLEEPING,
	STYLE_USER,
	STYLE_ON_OR_USER,
	STYLE_ABSENT,
	STYLE_UNKNOWN,
	/* the rest */
	STYLE_HEADER,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_CNT,
};

/* The escape sequences that begin and end a style; "" without colours and for STYLE_PLAIN. */
const char *term__on(const struct term *t, enum term_style style);
const char *term__off(const struct term *t, enum term_style style);

/* Prints text (escaped) behind what a line has so far, which is *at columns, and gap; on the next
 * line where the terminal has no room for both. */
void term__flow(const struct term *t, FILE *f, unsigned *at, const char *gap, enum term_style style,
		const char *text);

/* The same, two blanks apart; what has no room on a whole line is wrapped at blanks, and then what
 * follows it begins a line, too. Of a word without room on a whole line of a terminal the middle
 * goes. */
void term__words(const struct term *t, FILE *f, unsigned *at, enum term_style style,
		 const char *text);

/* Room for a bar of so many columns. */
#define TERM_BAR_SIZE(columns) (3 * (size_t)(columns) + 1)

/* Draws value / max of `columns`, in eighths of a column (UTF-8) or in #, not padded. What is not 0
 * has at least the smallest mark. out holds TERM_BAR_SIZE(columns). Returns the columns used. */
unsigned term__bar(const struct term *t, char *out, __u64 value, __u64 max, unsigned columns);

#endif
