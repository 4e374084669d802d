// SPDX-License-Identifier: BSD-2-Clause
/* See self.h. Formats: proc(5). */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "clock.h"
#include "self.h"

#define NS 1000000000ULL

/* Fields 22 to 24 of /proc/self/stat. Field 2, the name, may hold blanks and brackets: they are
 * counted from its last bracket. */
static int read_stat(__u64 *start_ticks, __u64 *vsize, __u64 *rss_pages)
{
	FILE *f = fopen("/proc/self/stat", "re");
	unsigned long long start, bytes;
	char text[1024], *p;
	size_t n;
	long pages;

	if (!f)
		return -errno;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1,
			 " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			 "%*d %llu %llu %ld",
			 &start, &bytes, &pages) != 3)
		return -EINVAL;
	*start_ticks = start;
	*vsize = bytes;
	*rss_pages = pages > 0 ? pages : 0;
	return 0;
}

/* Without the one that looks. */
static int count_fds(__u64 *n)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *e;

	if (!d)
		return -errno;
	for (*n = 0; (e = readdir(d));)
		*n += e->d_name[0] != '.';
	closedir(d);
	*n -= *n > 0;
	return 0;
}

int self__read(struct self *s)
{
	__u64 ticks, pages, hz = sysconf(_SC_CLK_TCK);
	struct rlimit limit;
	int err;

	memset(s, 0, sizeof(*s));
	err = read_stat(&ticks, &s->vsize_bytes, &pages);
	if (!err)
		err = count_fds(&s->fds);
	if (err)
		return err;
	s->rss_bytes = pages * sysconf(_SC_PAGESIZE);
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		s->fds_max = limit.rlim_cur;
	s->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	/* ticks since boot, suspended time included; to the tick, so that every read says the same
	 */
	s->start_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) + ticks * (NS / hz);
	s->start_ns -= s->start_ns % (NS / 100);
	return 0;
}
