// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is kept, and why. Each is kept only if it is there, and only where the reason applies:
 *
 *	CAP_BPF			kernels before 5.19 ask for it at every bpf(2), also of maps that
 *are open (c8644cd0efe7); since then none is needed for those
 *	CAP_SYS_PTRACE		where /proc hides others' processes (hidepid=): to read the command
 *				lines of new VMs' processes, which have their names
 *	CAP_DAC_OVERRIDE,	who writes files: root may have been told to write into a directory
 *	CAP_FOWNER		of somebody else's, which is none of root's without them
 *	RLIMIT_RTPRIO of 1	instead of CAP_SYS_NICE: for the moment in which the window's end is
 *				told (user/live.c)
 *
 * Whether the first two are needed is tried, with nothing in force. Knows nothing of commands.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <wchar.h>
#include <linux/bpf.h>
#include "err.h"
#include "privilege.h"

#ifndef CAP_BPF /* 5.8 */
#define CAP_BPF 39
#endif

#define KEPT_MAX 4

/* Capabilities and filters are a thread's own: others would keep theirs. */
static bool threads(void)
{
	struct stat st;

	return !stat("/proc/self/task", &st) && st.st_nlink > 3; /* ".", "..", one per thread */
}

static bool maps_need_cap(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = -1;
	return syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) < 0 && errno == EPERM;
}

/* PID 1 is another user's, or has more capabilities than we have now. */
static bool proc_hides(void)
{
	int fd = open("/proc/1/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 && !access("/proc/self/cmdline", F_OK);
}

static void allow_realtime(void)
{
	struct rlimit r, wanted = {1, 1};

	if (setrlimit(RLIMIT_RTPRIO, &wanted) && !getrlimit(RLIMIT_RTPRIO, &r) && r.rlim_max) {
		wanted.rlim_max = r.rlim_max;
		setrlimit(RLIMIT_RTPRIO, &wanted); /* without it, it may be late; and says so */
	}
}

/* No program that we could run would get any back. Takes CAP_SETPCAP, and no_new_privs does the
 * same. */
static void empty_bounding_set(void)
{
	for (cap_value_t c = 0; cap_get_bound(c) >= 0; c++)
		cap_drop_bound(c);
}

/* Which of those that are permitted stay. What is needed is tried with none in force. */
static int choose(cap_t have, unsigned uses, cap_value_t kept[KEPT_MAX])
{
	const struct {
		cap_value_t cap;
		bool needed;
	} all[KEPT_MAX] = {
		{CAP_BPF, maps_need_cap()},
		{CAP_SYS_PTRACE, proc_hides()},
		{CAP_DAC_OVERRIDE, uses & PRIVILEGE_FILES},
		{CAP_FOWNER, uses & PRIVILEGE_FILES},
	};
	cap_flag_value_t permitted;
	int n = 0;

	for (int i = 0; i < KEPT_MAX; i++)
		if (all[i].needed && !cap_get_flag(have, all[i].cap, CAP_PERMITTED, &permitted) &&
		    permitted == CAP_SET)
			kept[n++] = all[i].cap;
	return n;
}

static int drop_capabilities(cap_t have, unsigned uses)
{
	cap_value_t kept[KEPT_MAX];
	int n;

	if (cap_clear_flag(have, CAP_EFFECTIVE) || cap_set_proc(have))
		return -errno;
	n = choose(have, uses, kept);
	if (cap_clear(have))
		return -errno;
	if (n && (cap_set_flag(have, CAP_PERMITTED, n, kept, CAP_SET) ||
		  cap_set_flag(have, CAP_EFFECTIVE, n, kept, CAP_SET)))
		return -errno;
	return cap_set_proc(have) ? -errno : 0; /* the ambient ones go with the permitted */
}

int privilege__drop(unsigned uses)
{
	cap_t have;
	int err;

	if (threads())
		return err__say(EBUSY, "dropping privileges");
	btowc('a'); /* a locale's converter may be a library: it can be loaded now only */
	allow_realtime();
	empty_bounding_set();
	have = cap_get_proc();
	err = have ? drop_capabilities(have, uses) : -errno;
	cap_free(have);
	if (err)
		return err__say(err, "dropping capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err__say(errno, "setting no_new_privs");
	err = privilege__filter(uses);
	return err ? err__say(err, "loading the seccomp filter") : 0;
}
