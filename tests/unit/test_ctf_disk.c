// SPDX-License-Identifier: BSD-2-Clause
/*
 * A recording on a disk that gets full: what fitted is a whole recording, and says how many records
 * did not fit. On a small file system in memory, mounted where only the test sees it.
 */
#define _GNU_SOURCE 1 /* unshare */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "ctf_reader.h"

#define CTF_SEED 1
#include "ctf_scene.h"
#include "ctf_babeltrace.h"
#include "skip.h"

#define CPUS	2
#define STREAMS (CPUS + 1)

static void write_id(const char *file, const char *fmt, unsigned id)
{
	char text[32];
	int fd = open(file, O_WRONLY), n = snprintf(text, sizeof(text), fmt, id);

	if (fd < 0 || write(fd, text, n) != n)
		_exit(77);
	close(fd);
}

/* Whoever makes files in a user namespace must be somebody in it. */
static void unshare_as_user(void)
{
	const unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		_exit(77);
	write_id("/proc/self/setgroups", "deny", 0);
	write_id("/proc/self/uid_map", "0 %u 1", uid);
	write_id("/proc/self/gid_map", "0 %u 1", gid);
}

/* In a namespace of its own, as mounts are for root only elsewhere. */
static void mount_small_disk(const char *bytes)
{
	if (unshare(CLONE_NEWNS))
		unshare_as_user();
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("t", top, "tmpfs", 0, bytes))
		_exit(77);
}

/* Records until the disk is full, ends the recording, and looks at it. */
static void fill_disk(void)
{
	struct session s = synth_session(CPUS), got;
	const __u64 none[STREAMS] = {};
	struct synth_batch b = {};
	struct ctf_writer *w;
	struct ctf_reader *r;
	__u64 stored = 0, seen = 0, made_cnt = 0;
	int err = ctf_writer__new(&w, path, &s, NULL);

	while (!err) {
		b = synth_batch(&made, 0, 700);
		made_cnt += b.count;
		err = synth_append(&made, w, 0, &b);
		stored += err ? 0 : b.bytes;
	}
	if (err != -ENOSPC || !stored)
		_exit(1);
	err = ctf_writer__commit(w, none, b.last_ts);
	s.end_ns = b.last_ts;
	if (err || ctf_writer__close(w, &s))
		_exit(2);
	if (made_cnt - ctf_writer__records(w) < 1 || made_cnt - ctf_writer__records(w) > 700)
		_exit(3);
	made_cnt -= ctf_writer__records(w);
	ctf_writer__free(w);
	if (ctf_reader__open(&r, path, &got) || !ctf_reader__clean(r))
		_exit(4);
	for (struct ctf_chunk c; ctf_reader__next(r, 0, &c) == 1; seen += c.bytes)
		if (memcmp(c.data, made.stream[0].data + seen, c.bytes))
			_exit(5);
	if (seen < stored || ctf_reader__damaged(r) || ctf_reader__discarded(r, 0) != made_cnt)
		_exit(6);
	ctf_reader__free(r);
	if (babeltrace_is_there() && !babeltrace_accepts(path, 1, NULL))
		_exit(7);
	_exit(0);
}

/* Too small to begin with: fails, and leaves nothing behind. */
static void fail_to_begin(void)
{
	struct session s = synth_session(CPUS);
	char filler[CTF_PATH];
	struct ctf_writer *w;
	int fd, err;

	snprintf(filler, sizeof(filler), "%s/filler", top);
	fd = open(filler, O_WRONLY | O_CREAT, 0600);
	while (write(fd, path, sizeof(path)) > 0)
		;
	if (ftruncate(fd, lseek(fd, 0, SEEK_CUR) / 4096 * 4096 - 4096)) /* one block is left */
		_exit(1);
	err = ctf_writer__new(&w, path, &s, NULL);
	_exit(err == -ENOSPC && access(path, F_OK) ? 0 : 2);
}

static void on_small_disk(const char *bytes, void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		mount_small_disk(bytes);
		fn();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_test("no small disk can be mounted here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_disk_full(void **state)
{
	(void)state;
	on_small_disk("size=300k", fill_disk);
	made.state = 2;
	on_small_disk("size=1300k", fill_disk);
}

static void test_disk_full_at_once(void **state)
{
	(void)state;
	on_small_disk("size=300k", fail_to_begin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_disk_full, fresh, done),
		cmocka_unit_test_setup_teardown(test_disk_full_at_once, fresh, done),
	};
	int failed;

	scene_begin();
	failed = cmocka_run_group_tests_name("ctf_disk", tests, NULL, NULL);
	scene_end();
	return failed;
}
