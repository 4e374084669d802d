// SPDX-License-Identifier: BSD-2-Clause
/*
 * A recording is valid at every instant: after each system call of its recorder, and when the
 * recorder is killed at any moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "ctf_packet.h"
#include "ctf_reader.h"

#define CTF_SEED 1
#include "ctf_scene.h"
#include "ctf_babeltrace.h"
#include "skip.h"

#define CPUS	2
#define STREAMS (CPUS + 1)

/* What the recorder tells its observer, in shared memory. */
static struct told {
	int begun;
	int ended;
	__u64 begun_bytes[STREAMS]; /* given to append */
	__u64 acked_bytes[STREAMS]; /* append has returned */
	__u64 committed_lost;
	__u64 watermark_ns;
} * told;

static int fresh_told(void **state)
{
	memset(told, 0, sizeof(*told));
	return fresh(state);
}

/* ---- the recorder ------------------------------------------------------------------------- */

#define ROUNDS_MAX 4096
static struct synth_batch plan[ROUNDS_MAX];

/* Made before the fork, so that the observer knows all records to come. Stream 1 begins late. */
static void make_plan(unsigned rounds, unsigned batch)
{
	for (unsigned i = 0; i < rounds; i++)
		plan[i] = synth_batch(&made, i < 4 ? 0 : i % STREAMS, batch);
}

/* Exits with 0 if all went well. loses: some records get lost now and then. */
static void record_plan(unsigned rounds, int loses)
{
	struct session s = synth_session(CPUS);
	__u64 lost[STREAMS] = {}, watermark_ns = 0;
	struct ctf_writer *w;

	if (ctf_writer__new(&w, path, &s, NULL))
		_exit(1);
	told->begun = 1;
	for (unsigned i = 0; i < rounds; i++) {
		const unsigned stream = i < 4 ? 0 : i % STREAMS;

		told->begun_bytes[stream] += plan[i].bytes;
		if (synth_append(&made, w, stream, &plan[i]))
			_exit(2);
		told->acked_bytes[stream] += plan[i].bytes;
		if (loses && i % 3 == 0)
			lost[i % 2] += i;
		if (plan[i].last_ts > watermark_ns)
			watermark_ns = plan[i].last_ts;
		if (ctf_writer__commit(w, lost, watermark_ns))
			_exit(3);
		told->committed_lost = lost[0] + lost[1] + lost[2];
		told->watermark_ns = watermark_ns;
	}
	s.end_ns = s.start_ns + 1000000000;
	if (ctf_writer__close(w, &s))
		_exit(4);
	told->ended = 1;
	ctf_writer__free(w);
	_exit(0);
}

/* ---- its observer ------------------------------------------------------------------------- */

static __u64 check_stream(struct ctf_reader *r, unsigned stream, __u64 acked_bytes)
{
	const struct synth_stream *st = &made.stream[stream];
	struct ctf_chunk c;
	size_t at = 0;

	while (ctf_reader__next(r, stream, &c) == 1) {
		assert_true(at + c.bytes <= st->bytes);
		assert_memory_equal(c.data, st->data + at, c.bytes);
		at += c.bytes;
	}
	assert_true(at >= acked_bytes);
	assert_true(at <= told->begun_bytes[stream]);
	return ctf_reader__discarded(r, stream);
}

/* What is on disk is a valid recording of everything that was stored until now. The recorder may be
 * stopped, dead, or at work; then it may get further meanwhile. */
static void check_now(void)
{
	const struct told before = *told;
	struct ctf_reader *r = NULL;
	struct session s;
	__u64 lost = 0;
	int err = ctf_reader__open(&r, path, &s);

	if (err) {
		assert_false(before.begun);
		assert_int_equal(err, -ENOENT);
		return;
	}
	for (unsigned i = 0; i < STREAMS; i++)
		lost += check_stream(r, i, before.acked_bytes[i]);
	assert_true(lost >= before.committed_lost);
	assert_int_equal(ctf_reader__damaged(r), 0);
	assert_true(!before.ended || ctf_reader__clean(r));
	assert_true(s.end_ns >= before.watermark_ns);
	ctf_reader__free(r);
}

/* What another reader can see of the recording, as one number. */
static __u64 seen_sum;

static void add_to_sum(const char *file)
{
	size_t bytes;
	char *data = files_load(file, &bytes);

	for (size_t i = 0; i < bytes; i++)
		seen_sum = (seen_sum ^ (__u8)data[i]) * 0x100000001b3ULL;
	for (; *file; file++)
		seen_sum = (seen_sum ^ (__u8)*file) * 0x100000001b3ULL;
	free(data);
}

static int has_changed(void)
{
	const __u64 before = seen_sum;

	seen_sum = 0;
	files_each(path, add_to_sum);
	return seen_sum != before;
}

/* Stops at the next entry into or return from a system call. Returns 0 when the process has ended.
 */
static int next_stop(pid_t pid, int *status)
{
	if (ptrace(PTRACE_SYSCALL, pid, 0, 0) || waitpid(pid, status, 0) != pid)
		return 0;
	return WIFSTOPPED(*status);
}

static pid_t start_traced(unsigned rounds, int loses)
{
	pid_t pid = fork();

	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(77);
		raise(SIGSTOP);
		record_plan(rounds, loses);
	}
	return pid;
}

/* Looks at the recording whenever its recorder is inside or between system calls. */
static void watch(unsigned rounds, int loses, int babeltrace)
{
	int status;
	pid_t pid;

	make_plan(rounds, 400);
	pid = start_traced(rounds, loses);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_test("ptrace is not allowed here");
	while (next_stop(pid, &status)) {
		check_now();
		if (babeltrace && told->begun && has_changed())
			assert_true(babeltrace_accepts(path, loses, NULL));
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(told->ended, 1);
	check_now();
}

static void test_each_system_call(void **state)
{
	(void)state;
	watch(20, 0, 0);
}

static void test_each_system_call_with_losses(void **state)
{
	(void)state;
	watch(20, 1, 0);
}

/* The same in the eyes of another reader. */
static void test_each_system_call_babeltrace(void **state)
{
	(void)state;
	if (!babeltrace_is_there())
		skip_test("no babeltrace2");
	watch(9, 0, 1);
}

static void test_each_system_call_babeltrace_with_losses(void **state)
{
	(void)state;
	if (!babeltrace_is_there())
		skip_test("no babeltrace2");
	watch(9, 1, 1);
}

/* Inside a large write, too: big batches, killed at any time. */
static void test_killed(void **state)
{
	(void)state;
	make_plan(60, 5000);
	for (unsigned i = 0; i < 24; i++) {
		pid_t pid;

		files_remove(path);
		memset(told, 0, sizeof(*told));
		pid = fork();
		if (!pid)
			record_plan(60, 1);
		usleep(1000 + i * 2000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		check_now();
		assert_true(!told->begun || !babeltrace_is_there() ||
			    babeltrace_accepts(path, 1, NULL));
	}
}

/* Looked at as fast as possible while it is written, without stopping the recorder. */
static void test_read_while_written(void **state)
{
	unsigned looks = 0;
	int status;
	pid_t pid;

	(void)state;
	make_plan(1000, 300);
	pid = fork();
	if (!pid)
		record_plan(1000, 1);
	for (; waitpid(pid, &status, WNOHANG) == 0; looks++)
		check_now();
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status) && looks > 1);
	check_now();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_system_call, fresh_told, done),
		cmocka_unit_test_setup_teardown(test_each_system_call_with_losses, fresh_told,
						done),
		cmocka_unit_test_setup_teardown(test_each_system_call_babeltrace, fresh_told, done),
		cmocka_unit_test_setup_teardown(test_each_system_call_babeltrace_with_losses,
						fresh_told, done),
		cmocka_unit_test_setup_teardown(test_killed, fresh_told, done),
		cmocka_unit_test_setup_teardown(test_read_while_written, fresh_told, done),
	};
	int failed;

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		return 1;
	scene_begin();
	failed = cmocka_run_group_tests_name("ctf_instant", tests, NULL, NULL);
	scene_end();
	return failed;
}
