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

static void say(int err, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
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
