// SPDX-License-Identifier: BSD-2-Clause
/* See export.h. */
#include <errno.h>
#include "err.h"
#include "export.h"

int export__write(const struct export_out *o, const void *bytes, size_t len)
{
	errno = 0;
	if (fwrite(bytes, 1, len, o->f) == len)
		return 0;
	return export__failed(o, -(errno ?: EIO));
}

int export__failed(const struct export_out *o, int err)
{
	return o->f == stdout ? err : err__say(err, "writing");
}
