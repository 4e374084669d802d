// SPDX-License-Identifier: BSD-2-Clause
/* See terminal.h. */
#include "terminal.h"

bool terminal__use_builtin(void)
{
	return false;
}
