/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints a table of preformatted texts. On a terminal that is too narrow, texts are shortened
 * first, then columns of the lowest priority dropped, which a line below names; elsewhere
 * everything is printed. Knows no measures or units.
 */
#ifndef KVMSCHED_TABLE_H
#define KVMSCHED_TABLE_H

#include <stdio.h>
#include "term.h"

enum table_align { TABLE_LEFT, TABLE_RIGHT };

#define TABLE_KEEP 255 /* the priority of columns that are never dropped */

struct table;

/* NULL = out of memory. All calls accept NULL; table__print() then returns -ENOMEM. */
struct table *table__new(void);
void table__free(struct table *t);

/* Adds a column, before the first cell. The header is copied. min_width 0: as wide as it needs;
 * else its texts may be shortened to that many columns. priority: 0 goes first; of equals, the
 * rightmost. */
void table__add_col(struct table *t, const char *header, enum table_align align, unsigned min_width,
		    unsigned priority);

/* Adds the next cell, row after row. text is copied and must be escaped; NULL: "-". */
void table__cell(struct table *t, const char *text);
void table__styled(struct table *t, enum term_style style, const char *text);

/* Forgets the rows, keeps the columns. */
void table__clear(struct table *t);

/* Has the terminal room for all columns? */
bool table__fits(const struct table *t, const struct term *term);

/* Prints header and rows. Returns how many columns it dropped, or -errno: -ENOMEM also for what an
 * earlier call could not keep, or that of a failed write. */
int table__print(const struct table *t, const struct term *term, FILE *f);

#endif
