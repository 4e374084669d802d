/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptions of terminals where there is no terminfo database: the static program brings the
 * usual ones along (static/terminal.c), the dynamic one none, as libtinfo depends on the database.
 */
#ifndef KVMSCHED_TERMINAL_H
#define KVMSCHED_TERMINAL_H

#include <stdbool.h>

/* Makes ncurses use what is built in for $TERM from now on (by $TERMINFO); false: there is none,
 * and nothing is changed. */
bool terminal__use_builtin(void);

#endif
