// SPDX-License-Identifier: BSD-2-Clause
/*
 * stall CPU MS TIMES PREFIX COPY: as a SCHED_FIFO thread that calls itself "stall", takes a CPU for
 * MS milliseconds, TIMES times, so that a vCPU there has to wait. Before it gives the CPU back, it
 * copies the recording PREFIX.N that is being made by then, if there is one, to COPY.1, COPY.2 ...:
 * what is in a copy was written while the vCPU still waited. Prints "BEGIN_NS DUE_NS COPY-or-none"
 * of each (CLOCK_MONOTONIC). Exit status 1 if it could not be done.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_US 200000

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void take_cpu(int cpu)
{
	struct sched_param fifo = {.sched_priority = 50};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	prctl(PR_SET_NAME, "stall");
	mlockall(MCL_CURRENT | MCL_FUTURE);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "CPU %d", cpu);
	if (sched_setscheduler(0, SCHED_FIFO, &fifo))
		err(1, "SCHED_FIFO");
}

static void copy_file(int from_dir, int to_dir, const char *name)
{
	static char buf[1 << 16];
	int from = openat(from_dir, name, O_RDONLY);
	int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL, 0666);
	ssize_t n;

	while (from >= 0 && to >= 0 && (n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			err(1, "%s", name);
	close(from);
	close(to);
}

/* 1 if that is a recording that is being made. */
static int copy_dir(const char *from, const char *copy)
{
	int from_fd = open(from, O_RDONLY | O_DIRECTORY), to_fd;
	struct dirent *e;
	DIR *d;

	if (from_fd < 0 || faccessat(from_fd, ".progress", F_OK, 0) || mkdir(copy, 0777)) {
		close(from_fd);
		return 0;
	}
	to_fd = open(copy, O_RDONLY | O_DIRECTORY);
	d = fdopendir(dup(from_fd));
	while (d && (e = readdir(d)))
		if (e->d_type == DT_REG)
			copy_file(from_fd, to_fd, e->d_name);
	if (d)
		closedir(d);
	close(to_fd);
	close(from_fd);
	return 1;
}

static int copy_any(const char *prefix, const char *copy)
{
	char path[PATH_MAX];
	int copied = 0;

	for (int n = 1; !copied && n < 1000; n++) {
		snprintf(path, sizeof(path), "%s.%d", prefix, n);
		copied = copy_dir(path, copy);
	}
	return copied;
}

int main(int argc, char **argv)
{
	unsigned long long begin, due;
	char copy[PATH_MAX];
	int copied;

	if (argc != 6)
		errx(1, "usage: stall CPU MS TIMES PREFIX COPY");
	take_cpu(atoi(argv[1]));
	for (int i = 1; i <= atoi(argv[3]); i++) {
		usleep(PAUSE_US);
		begin = now_ns();
		due = begin + strtoull(argv[2], NULL, 10) * 1000000;
		while (now_ns() < due)
			;
		snprintf(copy, sizeof(copy), "%s.%d", argv[5], i);
		copied = copy_any(argv[4], copy);
		printf("%llu %llu %s\n", begin, due, copied ? copy : "none");
	}
	return 0;
}
