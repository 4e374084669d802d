// SPDX-License-Identifier: BSD-2-Clause
/*
 * Small things the workload program's parts need and that know nothing of VMs: clock, seeded
 * random numbers, and text that goes to files.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const mode_names[MODES] = {
	[MODE_SPIN] = "spin", [MODE_HALT] = "halt",   [MODE_TIMER] = "timer",
	[MODE_EXIT] = "exit", [MODE_FAULT] = "fault", [MODE_IOCTL] = "ioctl",
	[MODE_UFFD] = "uffd", [MODE_MIXED] = "mixed",
};

uint64_t clock__now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void clock__sleep_until(uint64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000),
			      .tv_nsec = (long)(ns % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
uint64_t rng__next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t rng__between(uint64_t *state, uint64_t min, uint64_t max)
{
	return min + rng__next(state) % (max - min + 1);
}

void text__json_string(char *out, size_t out_bytes, const char *in)
{
	size_t used = 0;

	for (; *in && used + 7 < out_bytes; in++) {
		unsigned char c = (unsigned char)*in;

		if (c < 0x20)
			used += (size_t)sprintf(out + used, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			used += (size_t)sprintf(out + used, "\\%c", c);
		else
			out[used++] = (char)c;
	}
	out[used] = '\0';
}

/* O_APPEND and a single write(): lines of several processes do not mix in one file. */
int text__append(const char *path, const char *text)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : STDOUT_FILENO;
	size_t len = strlen(text);
	ssize_t written;

	if (fd < 0)
		return fail(errno, "%s", path);
	errno = EIO;
	written = write(fd, text, len);
	if (written != (ssize_t)len) {
		int err = fail(errno, "write to %s", path ? path : "stdout");

		if (path)
			close(fd);
		return err;
	}
	if (path)
		close(fd);
	return 0;
}

int file__create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return fail(errno, "%s", path);
	close(fd);
	return 0;
}
