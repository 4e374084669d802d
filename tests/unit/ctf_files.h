/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of a recording under test: a scratch directory, and taking them apart.
 */
#ifndef KVMSCHED_TESTS_CTF_FILES_H
#define KVMSCHED_TESTS_CTF_FILES_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CTF_PATH 128

/* Makes a scratch directory, in memory where there is such a place; path: a recording in it, which
 * does not exist yet. */
static inline void files_scratch(char *top, size_t bytes, char path[CTF_PATH])
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp || strlen(tmp) > 32)
		tmp = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	snprintf(top, bytes, "%s/test_ctf_XXXXXX", tmp);
	if (!mkdtemp(top))
		abort();
	snprintf(path, CTF_PATH, "%s/r", top);
}

/* The path of a file of the recording, until the next call. */
static inline const char *files_in(const char *dir, const char *name)
{
	static char file[CTF_PATH + 64];

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	return file;
}

/* Calls fn(file) for each file in dir but the dot-names. */
static inline void files_each(const char *dir, void (*fn)(const char *file))
{
	struct dirent **names;
	char file[CTF_PATH + 300];
	int n = scandir(dir, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			fn(file);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* Removes a directory and the files in it. */
static inline void files_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
	unlink(dir);
}

static inline char *files_load(const char *file, size_t *bytes)
{
	FILE *f = fopen(file, "rb");
	char *data;

	if (!f || fseek(f, 0, SEEK_END))
		abort();
	*bytes = ftell(f);
	rewind(f);
	data = malloc(*bytes + 1);
	if (!data || fread(data, 1, *bytes, f) != *bytes)
		abort();
	data[*bytes] = '\0';
	fclose(f);
	return data;
}

/* Replaces the file's content, in place. */
static inline void files_store(const char *file, const void *data, size_t bytes)
{
	FILE *f = fopen(file, "wb");

	if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f))
		abort();
}

/* Changes some bytes of it. */
static inline void files_patch(const char *file, long offset, const void *data, size_t bytes)
{
	int fd = open(file, O_WRONLY);

	if (fd < 0 || pwrite(fd, data, bytes, offset) != (ssize_t)bytes)
		abort();
	close(fd);
}

#endif
