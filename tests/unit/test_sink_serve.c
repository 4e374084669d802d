// SPDX-License-Identifier: BSD-2-Clause
/*
 * Serving a live trace: a request ends the interval and is answered with what has been up to then;
 * whoever asks while the trace ends is answered, too. The trace is made up, the HTTP is real.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "listen.h"
#include "scene.h"
#include "sink_serve.h"

#define T0 SCENE_START

static struct session session;
static struct filter filter;
static struct model *model;
static struct intervals intervals;
static struct sockets sockets;
static struct sink_serve out;
static struct sink sink;
static unsigned port;
static char answer[65536];

static void feed(union rec r)
{
	assert_int_equal(model__record(model, &r.h), 0);
}

static int setup(void **state)
{
	struct sink_serve_opts opts = {.metrics = {.max_vms = 10, .version = "x", .commit = "x"},
				       .sockets = &sockets,
				       .live = true};
	char name[SOCKETS_NAME];

	(void)state;
	listen_begin();
	assert_int_equal(sockets__listen(&sockets, "127.0.0.1:0"), 0);
	assert_int_equal(sscanf(sockets__name(sockets.fd[0], name), "127.0.0.1:%u", &port), 1);
	session = scene_session(MODE_DEFAULT);
	intervals__init(&intervals, &session, &filter, 0, ~0ULL, 1000000000, false);
	intervals__add_up(&intervals);
	model = model__new(&session, &filter, &intervals.to);
	sink_serve__init(&sink, &out, &opts);
	assert_true(sink.adds_up);
	assert_int_equal(sink.begin(sink.ctx, &session, model), 0);
	feed(rec_vm(1, T0));
	feed(rec_vcpu(1, T0, 1, 0, 0));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	intervals__free(&intervals);
	model__free(model);
	sink_serve__free(&out);
	sockets__free(&sockets);
	listen_end();
	return 0;
}

static int ask(const char *path)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char request[256];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	return fd;
}

static void rounds(unsigned n)
{
	while (n--)
		assert_int_equal(sink.input(sink.ctx), 0);
}

static bool answered(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static const char *read_answer(int fd)
{
	size_t n = 0;
	ssize_t got;

	while ((got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0)) > 0)
		n += got;
	answer[n] = '\0';
	close(fd);
	return answer;
}

/* What run() does when the sink hurries it. */
static void cut(__u64 at)
{
	struct tick t;

	assert_true(*sink.hurry);
	intervals__hurry(&intervals, at);
	assert_int_equal(intervals__edge(&intervals), at);
	assert_int_equal(intervals__cut(&intervals, model, 3, &t), 0);
	t.untracked = 2;
	assert_int_equal(sink.tick(sink.ctx, &t), 0);
	intervals__next(&intervals);
}

static void assert_has(const char *line)
{
	if (!strstr(answer, line))
		fail_msg("no %s in:\n%s", line, answer);
}

static void test_hurry(void **state)
{
	int first, second, page;

	(void)state;
	rounds(3);
	assert_false(*sink.hurry); /* nobody has asked */
	first = ask("/metrics");
	page = ask("/");
	rounds(3);
	assert_true(*sink.hurry);
	assert_false(answered(first));
	assert_true(answered(page)); /* needs no numbers */
	read_answer(page);
	second = ask("/metrics");
	rounds(3);
	feed(rec_out(1, 1, T0 + 1000, KS_R_PREEMPTED));
	cut(T0 + 3000);
	assert_false(*sink.hurry);
	rounds(3);
	assert_true(answered(first) && answered(second));
	read_answer(second);
	assert_has("kvmsched_lost_records_total 3\n");
	assert_has("kvmsched_vcpus_untracked 2\n");
	assert_has("state=\"preempted\"} 0.000002\n"); /* it goes on */
	read_answer(first);
	assert_has("state=\"preempted\"} 0.000002\n");
}

static void test_goes_on(void **state)
{
	int fd;

	(void)state;
	for (unsigned i = 1; i <= 20; i++) {
		fd = ask("/metrics");
		usleep(101000); /* pages are kept for 100 ms */
		rounds(6);
		cut(T0 + i * 1000);
		rounds(4);
		assert_true(answered(fd));
		read_answer(fd);
		assert_has("HTTP/1.1 200");
	}
	assert_has("kvmsched_state_seconds_total{vm=\"qemu-10\",state=\"unknown\"} 0.00002\n");
}

static void test_end(void **state)
{
	struct summary whole = {.session = &session, .model = model};
	int fd;

	(void)state;
	fd = ask("/metrics");
	rounds(3);
	assert_false(answered(fd));
	cut(T0 + 1000);
	assert_int_equal(sink.end(sink.ctx, &whole), 0);
	assert_true(answered(fd));
	read_answer(fd);
	assert_has("HTTP/1.1 200");
}

/* The trace failed: who waits is told so, and nothing is read of what is gone. */
static void test_failed(void **state)
{
	int fd;

	(void)state;
	fd = ask("/metrics");
	rounds(3);
	sink_serve__free(&out);
	out.server = NULL;
	read_answer(fd);
	assert_has("HTTP/1.1 503");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hurry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
