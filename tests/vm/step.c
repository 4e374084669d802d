// SPDX-License-Identifier: BSD-2-Clause
/*
 * step DIR COPIES CMD [ARG...]: runs CMD and copies DIR to COPIES/NNNN after every system call of
 * CMD that can change files, while CMD stands still: each copy is what a kill -9 at that moment
 * would have left. COPIES/log has a line "NNNN SYSTEM-CALL" for each. Processes that CMD starts are
 * not followed. Exit status: CMD's (128+n for a signal), 125 if it could not be done.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT 125

static const struct {
	unsigned long long nr;
	const char *name;
} changing[] = {
#ifdef __NR_mkdir
	{__NR_mkdir, "mkdir"},
#endif
	{__NR_mkdirat, "mkdirat"},     {__NR_openat, "openat"},
	{__NR_write, "write"},	       {__NR_writev, "writev"},
	{__NR_pwrite64, "pwrite64"},   {__NR_ftruncate, "ftruncate"},
	{__NR_fallocate, "fallocate"}, {__NR_copy_file_range, "copy_file_range"},
#ifdef __NR_rename
	{__NR_rename, "rename"},
#endif
#ifdef __NR_renameat
	{__NR_renameat, "renameat"},
#endif
	{__NR_renameat2, "renameat2"}, {__NR_unlinkat, "unlinkat"},
};

static const char *name_of(unsigned long long nr)
{
	for (size_t i = 0; i < sizeof(changing) / sizeof(*changing); i++)
		if (changing[i].nr == nr)
			return changing[i].name;
	return NULL;
}

/* Blocks of zeros become holes again: packets are mostly hole. */
static void copy_bytes(int in, int out, const char *name)
{
	static const char zeros[4096];
	char buf[sizeof(zeros)];
	off_t at = 0;
	ssize_t n;

	for (; (n = read(in, buf, sizeof(buf))) > 0; at += n)
		if (memcmp(buf, zeros, n) && pwrite(out, buf, n, at) != n)
			err(CANNOT, "writing a copy of %s", name);
	if (n < 0 || ftruncate(out, at))
		err(CANNOT, "copying %s", name);
}

static void copy_file(int from, int to, const char *name)
{
	int in = openat(from, name, O_RDONLY);
	int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (in < 0 || out < 0)
		err(CANNOT, "copying %s", name);
	copy_bytes(in, out, name);
	close(in);
	close(out);
}

static void copy_dir(DIR *from, const char *to)
{
	struct dirent *e;
	int fd;

	if (mkdir(to, 0755))
		err(CANNOT, "%s", to);
	fd = open(to, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		err(CANNOT, "%s", to);
	while ((e = readdir(from)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			copy_file(dirfd(from), fd, e->d_name);
	close(fd);
}

static void look(const char *dir, const char *copies, FILE *log, const char *call)
{
	static unsigned cnt;
	DIR *from = opendir(dir);
	char to[4096];

	if (!from)
		return; /* it does not exist yet */
	snprintf(to, sizeof(to), "%s/%04u", copies, ++cnt);
	copy_dir(from, to);
	closedir(from);
	fprintf(log, "%04u %s\n", cnt, call);
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		err(CANNOT, "fork");
	if (pid)
		return pid;
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		err(CANNOT, "ptrace");
	raise(SIGSTOP);
	execvp(argv[0], argv);
	err(CANNOT, "%s", argv[0]);
}

/* One stop of CMD. *call: what it is inside, NULL if that cannot change files. Returns the signal
 * to go on with. */
static int on_stop(pid_t pid, int sig, const char **call, const char *dir, const char *copies,
		   FILE *log)
{
	struct __ptrace_syscall_info i;

	if (sig == SIGTRAP)
		return 0; /* the exec */
	if (sig != (SIGTRAP | 0x80))
		return sig;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(i), &i) < 0)
		err(CANNOT, "PTRACE_GET_SYSCALL_INFO");
	if (i.op == PTRACE_SYSCALL_INFO_ENTRY)
		*call = name_of(i.entry.nr);
	else if (i.op == PTRACE_SYSCALL_INFO_EXIT && *call)
		look(dir, copies, log, *call);
	return 0;
}

int main(int argc, char **argv)
{
	const char *call = NULL;
	char path[4096];
	int status, sig = 0;
	pid_t pid;
	FILE *log;

	if (argc < 4)
		errx(CANNOT, "usage: step DIR COPIES CMD [ARG...]");
	snprintf(path, sizeof(path), "%s/log", argv[2]);
	if ((mkdir(argv[2], 0755) && errno != EEXIST) || !(log = fopen(path, "w")))
		err(CANNOT, "%s", argv[2]);
	pid = start(argv + 3);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		errx(CANNOT, "%s did not start", argv[3]);
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL))
		err(CANNOT, "ptrace");
	while (!ptrace(PTRACE_SYSCALL, pid, 0, sig) && waitpid(pid, &status, 0) == pid &&
	       WIFSTOPPED(status))
		sig = on_stop(pid, WSTOPSIG(status), &call, argv[1], argv[2], log);
	if (fclose(log))
		err(CANNOT, "%s", path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
