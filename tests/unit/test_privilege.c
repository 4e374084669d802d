// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is left after privileges were dropped: each case in a process of its own, as they do not
 * come back. There, only plain system calls: the sanitizers' own are not what is tested.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include "child.h"
#include "privilege.h"

static char dir[] = "/tmp/test_privilege.XXXXXX";

/* For the children: the first that does not hold ends it, with status 1. */
#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			dprintf(2, "%s:%d: %s: %s\n", __FILE__, __LINE__, #what, strerror(errno)); \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
#define REFUSED(call, err)                          \
	do {                                        \
		errno = 0;                          \
		MUST((call) < 0 && errno == (err)); \
	} while (0)

/* What waitpid() says of a process that drops and then does fn. */
static int dropped(unsigned uses, void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* who dies leaves no core */
		MUST(!privilege__drop(uses));
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* A line of /proc/self/status. */
static unsigned long long status_of(const char *key, int base)
{
	static char text[8192];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *at;

	MUST(n > 0);
	text[n] = '\0';
	close(fd);
	at = strstr(text, key);
	MUST(at);
	return strtoull(at + strlen(key), NULL, base);
}

static void has_nothing(void)
{
	MUST(!status_of("\nCapEff:", 16));
	MUST(!status_of("\nCapPrm:", 16));
	MUST(!status_of("\nCapAmb:", 16));
	MUST(status_of("\nNoNewPrivs:", 10) == 1);
	MUST(status_of("\nSeccomp:", 10) == 2);
}

static void has_files_capabilities_at_most(void)
{
	unsigned long long most = 1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER;

	MUST(!(status_of("\nCapEff:", 16) & ~most));
	MUST(!(status_of("\nCapPrm:", 16) & ~most));
}

static void test_capabilities(void **state)
{
	(void)state;
	assert_int_equal(dropped(0, has_nothing), 0);
	assert_int_equal(dropped(PRIVILEGE_SOCKETS, has_nothing), 0);
	assert_int_equal(dropped(PRIVILEGE_FILES, has_files_capabilities_at_most), 0);
}

static void cannot_begin_anything(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY};
	struct rlimit r = {1, 1};

	REFUSED(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)), EPERM);
	REFUSED(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)), EPERM);
	REFUSED(syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)), EPERM);
	REFUSED(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0), EPERM);
	REFUSED(socket(AF_INET, SOCK_STREAM, 0), EPERM);
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
	REFUSED(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), EPERM);
	REFUSED(syscall(SYS_clone3, NULL, 0), ENOSYS); /* so the C library tries clone() */
	REFUSED(kill(getppid(), 0), EPERM);
	REFUSED(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM);
	REFUSED(ioctl(0, TIOCSTI, "x"), EPERM);
	REFUSED(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &r, NULL), EPERM);
	REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), EPERM);
	REFUSED(fcntl(0, F_SETOWN, getppid()), EPERM);
	REFUSED(chmod(dir, 0777), EPERM);
	REFUSED(setuid(0), EPERM);
	MUST(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	     MAP_FAILED);
	MUST(errno == EPERM);
}

static void cannot_write(void)
{
	MUST(!chdir("/tmp") || errno == EPERM);
	REFUSED(open("/dev/null", O_WRONLY), EPERM);
	REFUSED(open("/dev/null", O_RDWR), EPERM);
	REFUSED(open("/dev/null", O_RDONLY | O_TRUNC), EPERM);
	REFUSED(open(dir, O_TMPFILE | O_RDWR, 0600), EPERM);
	REFUSED(mkdir("/tmp/test_privilege_none", 0700), EPERM);
	REFUSED(unlink("/tmp/test_privilege_none"), EPERM);
}

static void test_nothing_begins(void **state)
{
	(void)state;
	assert_int_equal(dropped(0, cannot_begin_anything), 0);
	assert_int_equal(dropped(0, cannot_write), 0);
	assert_int_equal(dropped(PRIVILEGE_FILES, cannot_begin_anything), 0);
	assert_int_equal(dropped(PRIVILEGE_SOCKETS, cannot_begin_anything), 0);
	assert_int_equal(dropped(PRIVILEGE_SOCKETS, cannot_write), 0);
}

static void run_program(void)
{
	execl("/bin/true", "true", NULL);
}

static void look_into_others(void)
{
	ptrace(PTRACE_ATTACH, getppid(), 0, 0);
}

static void load_module(void)
{
	syscall(SYS_finit_module, -1, "", 0);
}

static void change_mounts(void)
{
	syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
}

static void test_deadly(void **state)
{
	void (*const deadly[])(void) = {run_program, look_into_others, load_module, change_mounts};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		status = dropped(PRIVILEGE_FILES | PRIVILEGE_SOCKETS, deadly[i]);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

/* What goes on all the time. */
static void work(void)
{
	struct sched_param fifo = {.sched_priority = 1}, normal = {0};
	struct timespec t = {.tv_nsec = 1000};
	char text[64];
	void *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	MUST(p != MAP_FAILED && !mprotect(p, 4096, PROT_READ) && !munmap(p, 64 << 20));
	fd = open("/proc/1/cmdline", O_RDONLY | O_CLOEXEC);
	MUST(fd >= 0 && read(fd, text, sizeof(text)) >= 0 && !close(fd));
	MUST(!syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t)); /* without its vDSO */
	t = (struct timespec){.tv_nsec = 1000};
	MUST(!clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
	MUST(sched_getscheduler(0) == SCHED_OTHER);
	MUST(!sched_setscheduler(0, SCHED_OTHER, &normal));
	if (!sched_setscheduler(0, SCHED_FIFO, &fifo)) /* by RLIMIT_RTPRIO, where it could be set */
		MUST(!sched_setscheduler(0, SCHED_OTHER, &normal));
	errno = 0;
	ioctl(0, TIOCGWINSZ, text);
	MUST(errno != EPERM);
	MUST(!kill(getpid(), 0) && dup2(1, 1) == 1);
	MUST(sysconf(_SC_NPROCESSORS_ONLN) > 0);
}

static void test_works(void **state)
{
	(void)state;
	assert_int_equal(dropped(0, work), 0);
	assert_int_equal(dropped(PRIVILEGE_FILES, work), 0);
}

static void abort_(void)
{
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void test_abort_aborts(void **state)
{
	int status = dropped(0, abort_);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void write_files(void)
{
	char a[64], b[64];
	int fd;

	snprintf(a, sizeof(a), "%s/made", dir);
	snprintf(b, sizeof(b), "%s/made/file", dir);
	MUST(!mkdir(a, 0700));
	fd = open(b, O_RDWR | O_CREAT | O_EXCL, 0600);
	MUST(fd >= 0 && pwrite(fd, "x", 1, 4095) == 1 && !ftruncate(fd, 1) && !fchmod(fd, 0644));
	MUST(!close(fd) && !unlink(b) && !rmdir(a));
}

static void test_files(void **state)
{
	(void)state;
	assert_int_equal(dropped(PRIVILEGE_FILES, write_files), 0);
}

static int listening = -1;

static void answer(void)
{
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	struct sockaddr_in any = {.sin_family = AF_INET};

	MUST(fd >= 0 && !setsockopt(fd, IPPROTO_TCP, 1, &one, sizeof(one)));
	MUST(send(fd, "hello", 5, MSG_NOSIGNAL) == 5);
	MUST(!shutdown(fd, SHUT_WR) && !close(fd));
	REFUSED(bind(listening, (struct sockaddr *)&any, sizeof(any)), EPERM);
	REFUSED(connect(listening, (struct sockaddr *)&any, sizeof(any)), EPERM);
}

static void cannot_answer(void)
{
	REFUSED(accept4(listening, NULL, NULL, 0), EPERM);
}

static void test_sockets(void **state)
{
	struct sockaddr_in here = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(here);
	char got[8] = "";
	int client;

	(void)state;
	listening = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(listening >= 0 && client >= 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&here, size), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&here, &size), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&here, size), 0);
	assert_int_equal(dropped(0, cannot_answer), 0);
	assert_int_equal(dropped(PRIVILEGE_SOCKETS, answer), 0);
	assert_int_equal(read(client, got, sizeof(got)), 5);
	assert_string_equal(got, "hello");
	close(client);
	close(listening);
}

/* A traced command is forked before, and keeps what the tracer was started with. */
static void test_command_keeps_all(void **state)
{
	char before[16], *argv[] = {"sh", "-c",
				    "grep -q '^NoNewPrivs:.0' /proc/self/status && grep -q "
				    "\"^CapEff:.*$EFF\" /proc/self/status && exit 7",
				    NULL};
	struct child c;
	int status;
	pid_t pid;

	(void)state;
	if (status_of("\nNoNewPrivs:", 10))
		skip();
	snprintf(before, sizeof(before), "%llx", status_of("\nCapEff:", 16) & 0xffffffff);
	setenv("EFF", before, 1);
	pid = fork();
	if (!pid) {
		MUST(!child__start(&c, argv));
		MUST(!privilege__drop(0));
		MUST(!child__go(&c));
		MUST(waitpid(c.pid, &status, 0) == c.pid);
		MUST(WIFEXITED(status) && WEXITSTATUS(status) == 7);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void *wait_here(void *gate)
{
	pthread_mutex_lock(gate);
	pthread_mutex_unlock(gate);
	return NULL;
}

/* Another thread would keep everything. */
static void test_threads(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	unsigned long long no_new_privs = status_of("\nNoNewPrivs:", 10);
	pthread_t other;

	(void)state;
	pthread_mutex_lock(&gate);
	assert_int_equal(pthread_create(&other, NULL, wait_here, &gate), 0);
	assert_int_equal(privilege__drop(0), -EBUSY);
	pthread_mutex_unlock(&gate);
	pthread_join(other, NULL);
	assert_int_equal(status_of("\nNoNewPrivs:", 10), no_new_privs);
}

static int make_dir(void **state)
{
	(void)state;
	return !mkdtemp(dir);
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads), /* first: it must not drop anything here */
		cmocka_unit_test(test_capabilities), cmocka_unit_test(test_nothing_begins),
		cmocka_unit_test(test_deadly),	     cmocka_unit_test(test_works),
		cmocka_unit_test(test_abort_aborts), cmocka_unit_test(test_files),
		cmocka_unit_test(test_sockets),	     cmocka_unit_test(test_command_keeps_all),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
