// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names, directories and whole reads and writes. Replacing a recording is the one destructive act
 * of the program: everything is checked before the first file goes, and only files with a name that
 * kvmsched gives go at all.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctf_dir.h"
#include "ctf_metadata.h"
#include "ctf_packet.h"
#include "err.h"

void ctf_name__format(const struct ctf_name *n, char text[CTF_NAME_MAX])
{
	if (n->meta)
		snprintf(text, CTF_NAME_MAX, "meta_%06u", n->seq);
	else
		snprintf(text, CTF_NAME_MAX, "cpu%04u_%06u", n->cpu, n->seq);
}

int ctf_name__parse(const char *text, struct ctf_name *n)
{
	struct ctf_name got = {};
	char again[CTF_NAME_MAX];

	if (sscanf(text, "meta_%9u", &got.seq) == 1)
		got.meta = 1;
	else if (sscanf(text, "cpu%6u_%9u", &got.cpu, &got.seq) != 2)
		return 0;
	ctf_name__format(&got, again);
	if (strcmp(text, again))
		return 0;
	*n = got;
	return 1;
}

int ctf_io__write(int fd, const void *data, size_t bytes, __u64 offset)
{
	const char *p = data;

	while (bytes) {
		ssize_t n = pwrite(fd, p, bytes, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ENOSPC;
		p += n;
		offset += n;
		bytes -= n;
	}
	return 0;
}

long ctf_io__read(int fd, void *data, size_t bytes, __u64 offset)
{
	size_t got = 0;

	while (got < bytes) {
		ssize_t n = pread(fd, (char *)data + got, bytes - got, offset + got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += n;
	}
	return got;
}

static long read_whole(int file, size_t max, char **text)
{
	struct stat st;
	char *buf;
	long n;

	if (fstat(file, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > (off_t)max)
		return -EFBIG;
	buf = malloc(st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	n = ctf_io__read(file, buf, st.st_size, 0);
	if (n < 0) {
		free(buf);
		return n;
	}
	buf[n] = '\0';
	*text = buf;
	return n;
}

int ctf_dir__read(int fd, const char *name, size_t max, char **text, size_t *len)
{
	int file = openat(fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	long n = file < 0 ? -errno : read_whole(file, max, text);

	if (file >= 0)
		close(file);
	if (n < 0)
		return n;
	*len = n;
	return 0;
}

int ctf_dir__each_name(int fd, int (*fn)(int fd, const char *name, void *ctx), void *ctx)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!dir) {
		err = -errno;
		if (copy >= 0)
			close(copy);
		return err;
	}
	while (!err && (errno = 0, e = readdir(dir))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			err = fn(fd, e->d_name, ctx);
	}
	if (!err)
		err = -errno;
	closedir(dir);
	return err;
}

/* A name that kvmsched gives, the metadata's apart. */
static int is_known(const char *name)
{
	struct ctf_name n;

	return !strcmp(name, CTF_PROGRESS_NAME) || !strcmp(name, CTF_METADATA_SPARE) ||
	       ctf_name__parse(name + (*name == '.'), &n);
}

static int remove_known(int fd, const char *name, void *ctx)
{
	(void)ctx;
	return is_known(name) && unlinkat(fd, name, 0) ? -errno : 0;
}

int ctf_dir__clear(int fd)
{
	int err = ctf_dir__each_name(fd, remove_known, NULL);

	if (err)
		return err;
	return unlinkat(fd, CTF_METADATA_NAME, 0) && errno != ENOENT ? -errno : 0;
}

/* What stands in the way of replacing: a file of somebody else, or packets without metadata. */
struct contents {
	char stranger[256];
	int packets;
	int metadata;
};

static int look_at(int fd, const char *name, void *ctx)
{
	struct contents *c = ctx;

	(void)fd;
	if (!strcmp(name, CTF_METADATA_NAME))
		c->metadata = 1;
	else if (!is_known(name))
		snprintf(c->stranger, sizeof(c->stranger), "%s", name);
	else if (*name != '.')
		c->packets = 1;
	return 0;
}

/* 1 = the metadata is kvmsched's, 0 = not, -errno = cannot be read. */
static int is_ours(int fd)
{
	char *text;
	size_t len;
	int err = ctf_dir__read(fd, CTF_METADATA_NAME, CTF_METADATA_MAX, &text, &len);

	if (err)
		return err == -EFBIG ? 0 : err;
	err = ctf_metadata__is_ours(text, len);
	free(text);
	return err;
}

static int check_replaceable(int fd, const char *path)
{
	struct contents c = {};
	int err = ctf_dir__each_name(fd, look_at, &c);

	if (err)
		return err__say(err, "%s: cannot be listed", path);
	if (*c.stranger)
		return err__say(EEXIST,
				"%s: not replaced, it holds a file that is not kvmsched's (%s)",
				path, c.stranger);
	err = c.metadata ? is_ours(fd) : !c.packets;
	if (err < 0)
		return err__say(err, "%s/%s", path, CTF_METADATA_NAME);
	if (!err)
		return err__say(EEXIST, "%s: not replaced, it is not a kvmsched recording", path);
	return 0;
}

/* The lock goes away with the last descriptor of the directory, so also with a killed recorder. A
 * file system that has no locks is no reason not to record. */
static int lock(int fd, const char *path)
{
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return err__say(EBUSY, "%s: another kvmsched is recording to it", path);
	return 0;
}

/* 1 = made it, 0 = it was there and force allows that, or -errno having said why not. */
static int make(const char *path, int force)
{
	if (!mkdir(path, 0777))
		return 1;
	if (errno != EEXIST)
		return err__say(errno, "%s: cannot be created", path);
	return force ? 0 : err__say(EEXIST, "%s (--force replaces a kvmsched recording)", path);
}

/* The directory, locked, or -errno having said why not. replaces: only if it may be replaced. */
static int open_locked(const char *path, int replaces)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return err__say(errno, "%s: cannot be opened", path);
	err = lock(fd, path);
	if (!err && replaces)
		err = check_replaceable(fd, path);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int ctf_dir__probe(const char *path, int force)
{
	int made = make(path, force), fd;

	if (made < 0)
		return made;
	if (made)
		return rmdir(path) ? err__say(errno, "%s", path) : 0;
	fd = open_locked(path, 1);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* The directory that a path is in, and its own name there. NULL: there is none, or no memory. */
static char *parent_of(const char *path, char name[NAME_MAX + 1])
{
	char *copy = strdup(path), *slash, *parent;
	size_t len = copy ? strlen(copy) : 0;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	slash = copy ? strrchr(copy, '/') : NULL;
	snprintf(name, NAME_MAX + 1, "%s", slash ? slash + 1 : copy ?: "");
	if (slash)
		slash[slash == copy] = '\0'; /* the root's own stays */
	parent = copy ? realpath(slash ? copy : ".", NULL) : NULL;
	free(copy);
	return parent;
}

int ctf_dir__same(const char *a, const char *b)
{
	char *in_a, *in_b, name_a[NAME_MAX + 1], name_b[NAME_MAX + 1];
	struct stat x, y;
	int a_is = !stat(a, &x), b_is = !stat(b, &y), same;

	if (a_is && b_is)
		return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
	if (a_is || b_is)
		return 0;
	in_a = parent_of(a, name_a);
	in_b = parent_of(b, name_b);
	same = in_a && in_b && !strcmp(in_a, in_b) && !strcmp(name_a, name_b);
	free(in_a);
	free(in_b);
	return same;
}

/* Is it the directory, or below it? path is absolute, and is taken apart. */
static int lies_in(char *path, const struct stat *dir)
{
	struct stat st;
	char *slash;

	do {
		if (!stat(path, &st) && st.st_dev == dir->st_dev && st.st_ino == dir->st_ino)
			return 1;
		slash = strrchr(path, '/');
		*slash = '\0';
	} while (slash > path);
	return 0;
}

/* Both what is there, which a link may have led to, and the place where the name is. */
static int holds(const char *dir, const char *path)
{
	char name[NAME_MAX + 1], *target = realpath(path, NULL), *place = parent_of(path, name);
	struct stat st;
	int found = !stat(dir, &st) &&
		    ((target && lies_in(target, &st)) || (place && lies_in(place, &st)));

	free(target);
	free(place);
	return found;
}

int ctf_dir__apart(const char *option, const char *path, const char *input)
{
	if (!input || !holds(input, path))
		return 0;
	return err__say(0, "%s %s: %s the recording that is read (-i %s): give it another place",
			option, path, ctf_dir__same(path, input) ? "is" : "lies in", input);
}

int ctf_dir__create(const char *path, int force, int *fd, int *created)
{
	int made = make(path, force), dir, err = 0;

	if (made < 0)
		return made;
	dir = open_locked(path, !made);
	if (dir < 0)
		return dir;
	if (!made)
		err = ctf_dir__clear(dir);
	if (err) {
		close(dir);
		return err__say(err, "%s: cannot be emptied", path);
	}
	*fd = dir;
	*created = made;
	return 0;
}
