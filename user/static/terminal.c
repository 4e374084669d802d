// SPDX-License-Identifier: BSD-2-Clause
/*
 * The terminfo entries of common terminals, for machines without /usr/share/terminfo. The assembler
 * reads them where Debian's ncurses-base (essential there) has them; ncurses takes one from
 * $TERMINFO if it is written as "hex:..." (terminfo(5)).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../terminal.h"

#define EMBED(symbol, file)                                                                        \
	__asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"/lib/terminfo/" file "\"\n" #symbol \
		"_end:\n.popsection\n");                                                           \
	extern const unsigned char symbol[], symbol##_end[]

EMBED(terminal_linux, "l/linux");
EMBED(terminal_xterm, "x/xterm");
EMBED(terminal_xterm256, "x/xterm-256color");
EMBED(terminal_screen, "s/screen");
EMBED(terminal_screen256, "s/screen-256color");
EMBED(terminal_tmux, "t/tmux");
EMBED(terminal_tmux256, "t/tmux-256color");
EMBED(terminal_vt100, "v/vt100");
EMBED(terminal_vt102, "v/vt102");
EMBED(terminal_vt220, "v/vt220");
EMBED(terminal_ansi, "a/ansi");

static const struct {
	const char *name;
	const unsigned char *from, *to;
} builtin[] = {
	{"linux", terminal_linux, terminal_linux_end},
	{"xterm", terminal_xterm, terminal_xterm_end},
	{"xterm-256color", terminal_xterm256, terminal_xterm256_end},
	{"screen", terminal_screen, terminal_screen_end},
	{"screen-256color", terminal_screen256, terminal_screen256_end},
	{"tmux", terminal_tmux, terminal_tmux_end},
	{"tmux-256color", terminal_tmux256, terminal_tmux256_end},
	{"vt100", terminal_vt100, terminal_vt100_end},
	{"vt102", terminal_vt102, terminal_vt102_end},
	{"vt220", terminal_vt220, terminal_vt220_end},
	{"ansi", terminal_ansi, terminal_ansi_end},
};

static bool use(const unsigned char *from, const unsigned char *to)
{
	static const char scheme[] = "hex:";
	char *text = malloc(sizeof(scheme) + 2 * (to - from)), *at;
	bool ok;

	if (!text)
		return false;
	at = stpcpy(text, scheme);
	for (; from < to; from++)
		at += sprintf(at, "%02x", *from);
	ok = !setenv("TERMINFO", text, 1);
	free(text);
	return ok;
}

bool terminal__use_builtin(void)
{
	const char *type = getenv("TERM") ?: "";

	for (size_t i = 0; i < sizeof(builtin) / sizeof(*builtin); i++)
		if (!strcmp(type, builtin[i].name))
			return use(builtin[i].from, builtin[i].to);
	return false;
}
