/* SPDX-License-Identifier: BSD-2-Clause */
/* The built-in rules, one per file in user/models, ordered by name. */
#ifndef KVMSCHED_RULES_H
#define KVMSCHED_RULES_H

#include "automaton.h"

extern const struct automaton *const rules_builtin[]; /* NULL-terminated */

#endif
