// SPDX-License-Identifier: BSD-2-Clause
/* Names of the modes; everything else about a session is plain data. */
#include <errno.h>
#include <string.h>
#include "session.h"

static const char *const mode_names[] = {
	[MODE_DEFAULT] = "default",
	[MODE_FULL] = "full",
	[MODE_LIGHT] = "light",
	[MODE_AGGREGATES] = "aggregates",
};

const char *session__mode_name(enum session_mode mode)
{
	return mode_names[mode];
}

int session__mode_from_name(const char *name, enum session_mode *mode)
{
	for (unsigned i = 0; i < sizeof(mode_names) / sizeof(*mode_names); i++) {
		if (!strcmp(name, mode_names[i])) {
			*mode = i;
			return 0;
		}
	}
	return -EINVAL;
}
