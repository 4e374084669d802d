/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The full screen: keys in, a canvas painted. The only file that knows ncurses. While it is open
 * stderr is kept back: what is said meanwhile is printed when the terminal is restored, which it is
 * on every way out.
 */
#ifndef KVMSCHED_TOP_SCREEN_H
#define KVMSCHED_TOP_SCREEN_H

#include "canvas.h"

/* NULL: it can be opened; else why not, for people. Needs terminals at stdin and stdout. */
const char *screen__why_not(void);

/* 0 or -errno, with nothing changed. */
int screen__open(bool color);
void screen__close(void); /* fine if it is not open */

/* Waits at most so long; a character (a byte of it), a TOP_KEY_*, or 0: none. The terminal's size
 * may have changed. */
int screen__key(int timeout_ms);

/* A signal asked to end (where nobody else takes care of it). */
bool screen__stopped(void);

void screen__size(unsigned *rows, unsigned *columns);
void screen__paint(const struct canvas *c);

#endif
