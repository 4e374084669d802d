// SPDX-License-Identifier: BSD-2-Clause
/* A cgroup's id is its directory's inode handle: name_to_handle_at() gives it (cgroup v2, 64 bit).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include "cgroup.h"

static int mount_point(char *out, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	int err = -ENOENT;

	if (!f)
		return -errno;
	while (err && (m = getmntent(f))) {
		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		snprintf(out, size, "%s", m->mnt_dir);
		err = 0;
	}
	endmntent(f);
	return err;
}

static __s32 depth(const char *path)
{
	__s32 n = 0;

	for (; *path; path++)
		if (*path != '/' && (path[1] == '/' || !path[1]))
			n++;
	return n;
}

/* Where `path` is, without "..", symlinks and double slashes; it must be a cgroup below root. */
static int locate(const char *root, const char *path, char full[PATH_MAX])
{
	char joined[PATH_MAX];
	size_t len = strlen(root);
	struct statfs fs;

	if (!strncmp(path, root, len) && (!path[len] || path[len] == '/'))
		path += len;
	if (snprintf(joined, sizeof(joined), "%s/%s", root, path) >= (int)sizeof(joined))
		return -ENAMETOOLONG;
	if (!realpath(joined, full) || statfs(full, &fs))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC || strncmp(full, root, len))
		return -ENOENT;
	return 0;
}

int cgroup__find(const char *path, __u64 *id, __s32 *level)
{
	struct {
		struct file_handle head;
		unsigned char bytes[8];
	} h = {.head = {.handle_bytes = 8}};
	char root[256], full[PATH_MAX];
	int mount_id, err = mount_point(root, sizeof(root));

	if (!err)
		err = locate(root, path, full);
	if (err)
		return err;
	if (name_to_handle_at(AT_FDCWD, full, &h.head, &mount_id, 0))
		return -errno;
	memcpy(id, h.head.f_handle, sizeof(*id));
	*level = depth(full + strlen(root));
	return 0;
}
