/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a cgroup v2 directory's identity, as the kernel's programs compare it. */
#ifndef KVMSCHED_CGROUP_H
#define KVMSCHED_CGROUP_H

#include <linux/types.h>

/* path: as in /proc/PID/cgroup ("/machine.slice") or below the mount point. *level: how deep it
 * lies, the root being 0. Returns 0 or -errno. */
int cgroup__find(const char *path, __u64 *id, __s32 *level);

#endif
