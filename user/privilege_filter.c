// SPDX-License-Identifier: BSD-2-Clause
/*
 * The seccomp filter: which system calls are left. Three answers to the others:
 *
 *	death (SIGSYS)	what no part of the program ever does and an intruder wants first: running
 *			programs, looking into processes, loading modules, changing what is mounted
 *	EPERM		everything else. A library that tries something new fails with an error that
 *			is shown and can be reported, instead of taking a trace along; the kernel
 *			logs it (audit type 1326)
 *	ENOSYS		new calls for which the C library has an older one in reserve
 *
 * Where arguments are looked at, they are so in the width that the kernel uses.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include "err.h"
#include "privilege.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define S(name)	 SCMP_SYS(name)

/* Memory, time, waiting, signals, reading, and writing to what is open. */
static const int always[] = {
	S(read), S(pread64), S(readv), S(write), S(pwrite64), S(writev), S(lseek), S(close),
	S(fstat), S(stat), S(lstat), S(newfstatat), S(statx), S(statfs), S(fstatfs), S(access),
	S(faccessat), S(readlink), S(readlinkat), S(getcwd), S(getdents64), S(dup), S(dup2),
	S(dup3), S(fadvise64),
	/* memory; new mappings are below */
	S(brk), S(munmap), S(mremap), S(madvise), S(msync), S(membarrier),
	/* time and waiting */
	S(clock_gettime), S(clock_getres), S(gettimeofday), S(time), S(clock_nanosleep),
	S(nanosleep), S(poll), S(ppoll), S(select), S(pselect6), S(epoll_wait), S(epoll_pwait),
	S(epoll_ctl), S(futex), S(wait4), S(waitid), S(restart_syscall), S(sched_yield),
	/* signals */
	S(rt_sigaction), S(rt_sigprocmask), S(rt_sigreturn), S(rt_sigpending), S(rt_sigtimedwait),
	S(sigaltstack), S(signalfd4),
	/* about itself and the machine */
	S(getpid), S(getppid), S(gettid), S(getpgrp), S(getpgid), S(getuid), S(geteuid), S(getgid),
	S(getegid), S(uname), S(getrusage), S(times), S(getrlimit), S(sysinfo),
	S(sched_getaffinity), S(sched_getscheduler), S(sched_getparam), S(getcpu), S(getrandom),
	S(rseq), S(set_robust_list), S(capget), S(exit), S(exit_group)};

/* Recordings, pictures, textfiles. */
static const int files[] = {
	S(mkdir),     S(mkdirat),   S(rmdir),	  S(unlink),	S(unlinkat),
	S(rename),    S(renameat),  S(renameat2), S(link),	S(linkat),
	S(ftruncate), S(fallocate), S(fsync),	  S(fdatasync), S(sync_file_range),
	S(fchmod),    S(umask),	    S(flock),	  S(open),	S(openat),
	S(creat)};

/* No new sockets: neither out into the network nor to the host's services. */
static const int sockets[] = {S(accept),     S(accept4),    S(recvfrom),    S(recvmsg),
			      S(sendto),     S(sendmsg),    S(sendfile),    S(shutdown),
			      S(setsockopt), S(getsockopt), S(getsockname), S(getpeername)};

static const int deadly[] = {
	/* programs */
	S(execve), S(execveat),
	/* other processes */
	S(ptrace), S(process_vm_readv), S(process_vm_writev),
	/* the kernel */
	S(init_module), S(finit_module), S(delete_module), S(kexec_load), S(kexec_file_load),
	S(reboot),
	/* what is mounted, and namespaces */
	S(mount), S(umount2), S(pivot_root), S(chroot), S(setns), S(unshare), S(swapon)};

static const int replaceable[] = {S(clone3), S(faccessat2), S(openat2), S(epoll_pwait2)};

/* Of the terminal, not TIOCSTI, which types on its owner's behalf. The numbers are TCGETS2 and the
 * TCSETS2s, which the C library uses since 2.42. */
static const unsigned terminal[] = {TCGETS,  TCSETS,	 TCSETSW,    TCSETSF,	 TCFLSH,
				    TCSBRK,  TIOCGWINSZ, TIOCGPGRP,  TIOCOUTQ,	 FIONREAD,
				    FIONBIO, 0x802c542a, 0x402c542b, 0x402c542c, 0x402c542d};

/* Maps that are open, and the snapshot of vCPUs, whose link is open too. */
static const unsigned bpf_commands[] = {
	BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,    BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY,
	BPF_MAP_LOOKUP_BATCH, BPF_OBJ_GET_INFO_BY_FD, BPF_ITER_CREATE};

static const unsigned fcntls[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};

static int add(scmp_filter_ctx f, __u32 action, const int *calls, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		err = seccomp_rule_add(f, action, calls[i], 0);
		if (err == -EDOM) /* this architecture has none */
			err = 0;
	}
	return err;
}

/* Allows a call if argument `arg`, as far as `mask` goes, is `value`. */
static int allow_if(scmp_filter_ctx f, int call, unsigned arg, __u64 mask, __u64 value)
{
	struct scmp_arg_cmp is = SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value);
	int err = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &is);

	return err == -EDOM ? 0 : err;
}

static int allow_each(scmp_filter_ctx f, int call, unsigned arg, const unsigned *values, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = allow_if(f, call, arg, 0xffffffff, values[i]);
	return err;
}

/* Nothing that is mapped from now on can be run. */
static int allow_memory(scmp_filter_ctx f)
{
	int err = allow_if(f, S(mmap), 2, PROT_EXEC, 0);

	return err ?: allow_if(f, S(mprotect), 2, PROT_EXEC, 0);
}

static int allow_reading(scmp_filter_ctx f)
{
	const __u64 writes = O_ACCMODE | O_CREAT | O_TRUNC;
	int err = allow_if(f, S(openat), 2, writes, O_RDONLY);

	return err ?: allow_if(f, S(open), 1, writes, O_RDONLY);
}

/* Its own limits may be read; its own thread may be put in front for a moment; it may send itself
 * signals, as abort(), raise() and ncurses' Ctrl-Z do. */
static int allow_own(scmp_filter_ctx f)
{
	int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, S(prlimit64), 2, SCMP_A0_32(SCMP_CMP_EQ, 0),
				   SCMP_A2(SCMP_CMP_EQ, 0));

	if (!err)
		err = allow_if(f, S(sched_setscheduler), 0, 0xffffffff, 0);
	if (!err)
		err = allow_if(f, S(kill), 0, 0xffffffff, getpid());
	return err ?: allow_if(f, S(tgkill), 0, 0xffffffff, getpid());
}

static int fill(scmp_filter_ctx f, unsigned uses)
{
	int err = add(f, SCMP_ACT_ALLOW, always, COUNT(always));

	if (!err)
		err = allow_memory(f) ?: allow_own(f);
	if (!err && uses & PRIVILEGE_FILES)
		err = add(f, SCMP_ACT_ALLOW, files, COUNT(files));
	else if (!err)
		err = allow_reading(f);
	if (!err && uses & PRIVILEGE_SOCKETS)
		err = add(f, SCMP_ACT_ALLOW, sockets, COUNT(sockets));
	if (!err)
		err = allow_each(f, S(ioctl), 1, terminal, COUNT(terminal));
	if (!err)
		err = allow_each(f, S(bpf), 0, bpf_commands, COUNT(bpf_commands));
	if (!err)
		err = allow_each(f, S(fcntl), 1, fcntls, COUNT(fcntls));
	if (!err)
		err = add(f, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
	return err ?: add(f, SCMP_ACT_ERRNO(ENOSYS), replaceable, COUNT(replaceable));
}

int privilege__filter(unsigned uses)
{
	scmp_filter_ctx f;
	int err;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		err__note("this kernel has no seccomp: system calls are not restricted");
		return 0;
	}
	f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!f)
		return -ENOMEM;
	seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1); /* where the kernel can (4.14) */
	err = fill(f, uses) ?: seccomp_load(f);
	seccomp_release(f);
	return err;
}
