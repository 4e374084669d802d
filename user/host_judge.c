// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the findings of host.c mean: the kernels that were tested, what is missing here, and what to
 * do about it. Pure: looks at nothing but struct host.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "host.h"

/* Series that the tests have run on. A new one is a row. */
static const struct {
	const char *arch;
	unsigned major, minor;
	bool rt; /* its PREEMPT_RT flavour too */
} tested[] = {
	{"x86_64", 6, 1, false},
	{"x86_64", 6, 12, true},
	{"x86_64", 7, 3, false},
	{"aarch64", 6, 12, false},
};

/* Since when an architecture has what fentry programs stand on: BPF trampolines over ftrace's
 * direct calls. On x86_64 they are older than what the programs themselves need: bpf_loop(), 5.17.
 */
static const struct {
	const char *arch;
	unsigned major, minor;
} fentry[] = {
	{"x86_64", 5, 17}, {"aarch64", 6, 4},  {"s390x", 6, 3},
	{"riscv64", 6, 3}, {"ppc64le", 6, 13}, {"loongarch64", 6, 17},
};

static bool before(const struct host *h, unsigned major, unsigned minor)
{
	return h->major < major || (h->major == major && h->minor < minor);
}

static bool was_tested(const struct host *h)
{
	for (size_t i = 0; i < sizeof(tested) / sizeof(*tested); i++)
		if (!strcmp(h->arch, tested[i].arch) && h->major == tested[i].major &&
		    h->minor == tested[i].minor && (!h->rt || tested[i].rt))
			return true;
	return false;
}

static __attribute__((format(printf, 2, 3))) void unsupported(struct host *h, const char *fmt, ...)
{
	va_list ap;

	if (*h->why)
		return; /* the first reason is the deepest */
	va_start(ap, fmt);
	vsnprintf(h->why, sizeof(h->why), fmt, ap);
	va_end(ap);
}

static void judge_arch(struct host *h)
{
	for (size_t i = 0; i < sizeof(fentry) / sizeof(*fentry); i++) {
		if (strcmp(h->arch, fentry[i].arch))
			continue;
		if (before(h, fentry[i].major, fentry[i].minor))
			unsupported(h, "%s needs Linux %u.%u or newer", h->arch, fentry[i].major,
				    fentry[i].minor);
		return;
	}
	unsupported(h, "no BPF trampolines are known for %s", h->arch);
}

/* Which of KVM's functions cannot be hooked, -1 = none. */
static int bad_hook(const struct host *h)
{
	for (int i = 0; i < HOST_HOOKS; i++)
		if (!h->hook[i] || h->no_ftrace[i])
			return i;
	return -1;
}

/* The kernel has no BTF, rather than BTF that may not be read. */
static bool no_btf(const struct host *h)
{
	return !h->vmlinux_btf && h->btf_err == ENOENT;
}

static void judge_build(struct host *h)
{
	int hook = h->vmlinux_btf && h->kvm != HOST_KVM_NONE && !h->kvm_btf_err ? bad_hook(h) : -1;

	if (no_btf(h))
		unsupported(h, "it has no BTF (CONFIG_DEBUG_INFO_BTF)");
	if (h->kvm_btf_err == ENOENT)
		unsupported(h, "the kvm module has no BTF (CONFIG_DEBUG_INFO_BTF_MODULES)");
	if (h->vmlinux_btf && !h->direct_calls)
		unsupported(h, "it lacks CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS");
	if (hook >= 0)
		unsupported(h, "its %s() %s", host_hook_names[hook],
			    h->hook[hook] ? "cannot be hooked by ftrace" : "is missing");
	if (h->missing_field && !h->btf_file)
		unsupported(h, "it has no %s", h->missing_field);
}

void host__judge(struct host *h)
{
	h->why[0] = '\0';
	h->rt_ring_unsafe = h->rt && before(h, 6, 12);
	judge_arch(h);
	if (h->rt_ring_unsafe)
		unsupported(h, "on PREEMPT_RT, BPF rings are safe since 6.12 only");
	judge_build(h);
	h->verdict = *h->why ? HOST_UNSUPPORTED : was_tested(h) ? HOST_TESTED : HOST_EXPECTED;
}

/* Where KVM is a module CAP_SYS_ADMIN is needed, because libbpf finds a module's BTF by its id. It
 * stands for the other two. KVM that is not there yet will be a module. */
bool host__permitted(const struct host *h)
{
	if (h->user_ns)
		return false;
	return h->cap_sys_admin || (h->kvm == HOST_KVM_BUILTIN && h->cap_bpf && h->cap_perfmon);
}

bool host__usable(const struct host *h)
{
	return h->verdict != HOST_UNSUPPORTED && h->vmlinux_btf && h->kvm != HOST_KVM_NONE &&
	       !h->kvm_btf_err && !h->btf_file_err && !h->missing_field && h->jit && !h->lockdown &&
	       !h->bpf_err && host__permitted(h);
}

/* ---- advice ------------------------------------------------------------------------------- */

static void advise_kernel(const struct host *h, FILE *out)
{
	if (h->verdict != HOST_UNSUPPORTED)
		return;
	fprintf(out, "kernel %s is not supported: %s: boot another\n", h->release, h->why);
	if (no_btf(h) && h->btf_file)
		fprintf(out,
			"--btf does not replace the kernel's own BTF: functions are hooked by it\n");
}

static void advise_btf(const struct host *h, FILE *out)
{
	if (!h->vmlinux_btf && !no_btf(h))
		fprintf(out, "/sys/kernel/btf/vmlinux: %s: is /sys mounted, and all of it?\n",
			strerror(h->btf_err));
	if (h->kvm_btf_err && h->kvm_btf_err != ENOENT)
		fprintf(out, "/sys/kernel/btf/kvm: %s: was kvm.ko built for another kernel?\n",
			strerror(h->kvm_btf_err));
	if (h->btf_file_err == ENOENT || h->btf_file_err == EACCES)
		fprintf(out, "--btf %s: %s: give a file with the kernel's BTF, or none\n",
			h->btf_file, strerror(h->btf_file_err));
	else if (h->btf_file_err)
		fprintf(out,
			"--btf %s: not BTF: give a vmlinux or /sys/kernel/btf/vmlinux, or none\n",
			h->btf_file);
	else if (h->btf_file && h->missing_field)
		fprintf(out, "--btf %s: no %s in it: give the BTF of this very kernel, or none\n",
			h->btf_file, h->missing_field);
}

static void advise_kvm(const struct host *h, FILE *out)
{
	static const char *const module[] = {
		[HOST_CPU_OTHER] = "kvm",
		[HOST_CPU_SVM] = "kvm_amd",
		[HOST_CPU_VMX] = "kvm_intel",
	};

	if (h->kvm != HOST_KVM_NONE || !h->vmlinux_btf)
		return;
	if (h->cpu == HOST_CPU_NO_VIRT)
		fprintf(out, "KVM is not loaded, and the CPU shows neither svm nor vmx: enable "
			     "virtualisation in the firmware (in a VM: nested virtualisation)\n");
	else if (!strcmp(h->arch, "aarch64"))
		fprintf(out, "this kernel has no KVM (CONFIG_KVM): boot another\n");
	else
		fprintf(out,
			"KVM is not loaded, so its functions and BTF are not there: modprobe %s\n",
			module[h->cpu]);
}

/* "CAP_BPF, CAP_PERFMON": those that are needed and not there. */
static void list_missing(const struct host *h, char *out, size_t size)
{
	const struct {
		const char *name;
		bool missing;
	} caps[] = {
		{"CAP_BPF", !h->cap_bpf},
		{"CAP_PERFMON", !h->cap_perfmon},
		{"CAP_SYS_ADMIN", !h->cap_sys_admin && h->kvm != HOST_KVM_BUILTIN},
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++)
		if (caps[i].missing)
			len += snprintf(out + len, size - len, "%s%s", len ? ", " : "",
					caps[i].name);
}

static void advise_capabilities(const struct host *h, FILE *out)
{
	char missing[64] = "";

	if (h->user_ns) {
		fprintf(out,
			"in a user namespace (a rootless container?) capabilities do not count: "
			"run on the host itself\n");
		return;
	}
	if (host__permitted(h))
		return;
	list_missing(h, missing, sizeof(missing));
	fprintf(out,
		"no %s: run as root, or give these by setcap or a systemd unit%s; they are dropped "
		"once all is attached\n",
		missing,
		h->kvm == HOST_KVM_BUILTIN
			? ""
			: " (KVM as a module: finding its BTF takes CAP_SYS_ADMIN)");
}

static void advise_permissions(const struct host *h, FILE *out)
{
	advise_capabilities(h, out);
	if (h->bpf_err == ENOSYS)
		fprintf(out, "bpf(2) is missing: boot a kernel with CONFIG_BPF_SYSCALL or, in a "
			     "container, allow it in the seccomp profile\n");
	else if (h->bpf_err)
		fprintf(out,
			"bpf(2) answers \"%s\" although the capabilities are there: look for a "
			"container's seccomp profile or a security module\n",
			strerror(h->bpf_err));
	if (h->lockdown)
		fprintf(out, "the kernel is locked down against reading its memory: boot with "
			     "lockdown=integrity or none\n");
	if (!h->jit)
		fprintf(out, "the BPF JIT is off: sysctl net.core.bpf_jit_enable=1\n");
}

void host__advise(const struct host *h, FILE *out)
{
	advise_kernel(h, out);
	advise_btf(h, out);
	advise_kvm(h, out);
	advise_permissions(h, out);
}

const char *host__verdict_name(enum host_verdict v)
{
	static const char *const names[] = {
		[HOST_TESTED] = "tested",
		[HOST_EXPECTED] = "expected to work",
		[HOST_UNSUPPORTED] = "unsupported",
	};

	return names[v];
}
