// SPDX-License-Identifier: BSD-2-Clause
/* Messages on stderr, each in one write so that they do not mix with those of others. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"

static const char *command = "";

void err__set_command(const char *cmd)
{
	command = cmd;
}

/* A name may be in it, of a file or out of a recording: nothing in a message acts on a terminal or
 * begins a line. Who escapes what he says (escape.h) says it better; this is for whoever did not.
 * C1 controls are U+0080 to U+009F. */
static void tame(char *s)
{
	for (; *s; s++) {
		unsigned char c = s[0], next = s[1];

		if (c < ' ' || c == 0x7f)
			*s = '?';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			s[0] = s[1] = '?';
	}
}

static void say(int err, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	tame(text);
	fprintf(stderr, "kvmsched%s%s: %s%s%s\n", *command ? " " : "", command, text,
		err ? ": " : "", err ? strerror(abs(err)) : "");
}

int err__say(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(err, fmt, ap);
	va_end(ap);
	return err ? -abs(err) : -EINVAL;
}

void err__note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(0, fmt, ap);
	va_end(ap);
}
