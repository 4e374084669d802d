// SPDX-License-Identifier: BSD-2-Clause
/* See outfile.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctf_dir.h"
#include "err.h"
#include "outfile.h"

static bool is_stdout(const char *path)
{
	return !strcmp(path, "-");
}

/* 1: written to as it is; 0: made anew; -errno having said why. */
static int look(const char *path, bool force)
{
	struct stat st;

	if (is_stdout(path))
		return 1;
	if (!*path)
		return err__say(0, "-o \"\": not a file");
	if (stat(path, &st))
		return errno == ENOENT ? 0 : err__say(errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return err__say(EISDIR, "%s", path);
	if (!S_ISREG(st.st_mode))
		return 1;
	return force ? 0 : err__say(EEXIST, "%s (--force replaces it)", path);
}

/* A file beside path, with the permissions that a new file has. */
static int make(const char *path, char **name)
{
	mode_t mask = umask(077);
	const char *base = strrchr(path, '/');
	int fd, err;

	base = base ? base + 1 : path;
	if (asprintf(name, "%.*s.%.200s.XXXXXX", (int)(base - path), path, base) < 0) {
		*name = NULL;
		umask(mask);
		return -ENOMEM;
	}
	fd = mkstemp(*name);
	err = errno;
	umask(mask);
	if (fd >= 0)
		return fchmod(fd, 0666 & ~mask), fd;
	free(*name);
	*name = NULL;
	return -err;
}

static int make_or_say(const char *path, char **name)
{
	int fd = make(path, name);

	return fd < 0 ? err__say(-fd, "%s", path) : fd;
}

int outfile__probe(const char *path, bool force, const char *input)
{
	int as_is = is_stdout(path) ? 1 : ctf_dir__apart("-o", path, input), fd;
	char *name;

	as_is = as_is ?: look(path, force);
	if (as_is)
		return as_is < 0 ? as_is : 0;
	fd = make_or_say(path, &name);
	if (fd < 0)
		return fd;
	close(fd);
	unlink(name);
	free(name);
	return 0;
}

int outfile__open(struct outfile *o, const char *path, bool force)
{
	int as_is = look(path, force), fd;

	*o = (struct outfile){.path = path, .force = force};
	if (as_is < 0)
		return as_is;
	if (is_stdout(path)) {
		o->f = stdout;
		return 0;
	}
	if (as_is) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return err__say(errno, "%s", path);
	} else {
		fd = make_or_say(path, &o->temporary);
		if (fd < 0)
			return fd;
	}
	o->f = fdopen(fd, "w");
	if (o->f)
		return 0;
	close(fd);
	return outfile__close(o, err__say(ENOMEM, "%s", path));
}

/* link() tells if somebody else made the file meanwhile; not every file system has it. */
static int publish(const struct outfile *o)
{
	if (!o->force && !link(o->temporary, o->path))
		return unlink(o->temporary), 0;
	if (!o->force && errno == EEXIST)
		return -EEXIST;
	return rename(o->temporary, o->path) ? -errno : 0;
}

static int flush(struct outfile *o)
{
	int err = 0;

	errno = 0;
	if (ferror(o->f) | fflush(o->f))
		err = -(errno ?: EIO);
	if (o->f != stdout && fclose(o->f) && !err)
		err = -(errno ?: EIO);
	o->f = NULL;
	return err;
}

int outfile__close(struct outfile *o, int err)
{
	bool to_stdout = o->f == stdout; /* whose errors run() tells */
	int failed = o->f ? flush(o) : 0;

	if (!err && !failed && o->temporary)
		failed = publish(o);
	if (!err && failed)
		err = to_stdout ? failed : err__say(-failed, "%s", o->path);
	if (err && o->temporary)
		unlink(o->temporary);
	free(o->temporary);
	o->temporary = NULL;
	return err;
}
