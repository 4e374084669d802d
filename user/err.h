/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors: the message and the return in one expression. err__say() prints
 *	kvmsched CMD: what: why
 * to stderr, once, where the failure is understood; callers above only hand the code on.
 */
#ifndef KVMSCHED_ERR_H
#define KVMSCHED_ERR_H

/* Exit statuses (design: precedence 1, 2, 3, then a traced command's own). */
enum { EXIT_FINE = 0, EXIT_ERROR = 1, EXIT_VIOLATED = 2, EXIT_INCONCLUSIVE = 3 };

/* The name of the running subcommand, for messages. */
void err__set_command(const char *cmd);

/* Prints "kvmsched CMD: <message>" and, where err != 0, ": <strerror>". Returns -|err| (or -EINVAL
 * for 0), so that `return err__say(errno, "%s: cannot open", path);` is the whole error path. */
int err__say(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Same prefix, no error: a warning or a note on stderr. */
void err__note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
