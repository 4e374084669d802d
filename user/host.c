// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks at the host: reads /proc, /sys and BTF, and asks bpf(2) one harmless question. What the
 * findings mean is host_judge.c's business. Nothing here loads a program, needs a privilege, or
 * prints.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "host.h"
#include "wire.h"

#ifndef CAP_BPF /* 5.8 */
#define CAP_PERFMON 38
#define CAP_BPF	    39
#endif

/* Inode numbers of the namespaces that the kernel boots with: include/linux/proc_ns.h, fixed
 * since 3.8. */
#define INIT_USER_NS 0xEFFFFFFDU
#define INIT_PID_NS  0xEFFFFFFCU

/* The first six are KVM's, and hooked by ftrace. The last is what an iter/task_file program is for:
 * only a name in the BTF. */
const char *const host_hook_names[HOST_HOOKS] = {
	"kvm_sched_out",	"kvm_sched_in",		 "kvm_arch_vcpu_load", "kvm_arch_vcpu_put",
	"kvm_arch_vcpu_create", "kvm_arch_vcpu_destroy", "bpf_iter_task_file",
};
#define KVM_HOOKS (HOST_HOOKS - 1)

/* ---- files -------------------------------------------------------------------------------- */

static void below(char *out, size_t size, const char *root, const char *path)
{
	snprintf(out, size, "%s%s", root, path);
}

/* The first size - 1 bytes of a file, as a string without its last newline. 0 or -errno. */
static int read_text(const char *root, const char *path, char *out, size_t size)
{
	char full[512];
	ssize_t n = 0, got = 0;
	int fd, err = 0;

	below(full, sizeof(full), root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (got < (ssize_t)size - 1 && (n = read(fd, out + got, size - 1 - got)) > 0)
		got += n;
	if (n < 0)
		err = -errno;
	close(fd);
	out[got] = '\0';
	if (got && out[got - 1] == '\n')
		out[got - 1] = '\0';
	return err;
}

static bool exists(const char *root, const char *path)
{
	char full[512];

	below(full, sizeof(full), root, path);
	return !access(full, F_OK);
}

/* ---- the kernel --------------------------------------------------------------------------- */

static void look_kernel(struct host *h, const char *root)
{
	struct utsname u = {};
	char text[512];

	uname(&u);
	/* /proc before uname(2), which a personality can change; arch is there since 6.1 */
	if (read_text(root, "/proc/sys/kernel/osrelease", h->release, sizeof(h->release)) ||
	    !*h->release)
		snprintf(h->release, sizeof(h->release), "%s", u.release);
	if (read_text(root, "/proc/sys/kernel/arch", h->arch, sizeof(h->arch)) || !*h->arch)
		snprintf(h->arch, sizeof(h->arch), "%s", u.machine);
	sscanf(h->release, "%u.%u", &h->major, &h->minor);
	h->rt = !read_text(root, "/sys/kernel/realtime", text, sizeof(text)) && *text == '1';
	if (!h->rt && !read_text(root, "/proc/sys/kernel/version", text, sizeof(text)))
		h->rt = strstr(text, "PREEMPT_RT") != NULL;
	h->jit = read_text(root, "/proc/sys/net/core/bpf_jit_enable", text, sizeof(text)) ||
		 *text != '0';
	h->lockdown = !read_text(root, "/sys/kernel/security/lockdown", text, sizeof(text)) &&
		      strstr(text, "[confidentiality]");
}

/* Which vendor module is KVM's here, from the first CPU's flags. */
static void look_cpu(struct host *h, const char *root)
{
	char text[8192], *flags, *end;

	h->cpu = HOST_CPU_OTHER;
	if (strcmp(h->arch, "x86_64") || read_text(root, "/proc/cpuinfo", text, sizeof(text)))
		return;
	flags = strstr(text, "\nflags");
	if (!flags)
		return;
	end = strchr(flags + 1, '\n');
	if (end)
		*end = '\0';
	h->cpu = strstr(flags, " svm")	 ? HOST_CPU_SVM
		 : strstr(flags, " vmx") ? HOST_CPU_VMX
					 : HOST_CPU_NO_VIRT;
}

/* ---- permissions -------------------------------------------------------------------------- */

/* Is this process in another namespace than the kernel's first? No, where that cannot be told. */
static bool other_ns(const char *root, const char *path, ino_t init)
{
	char full[512];
	struct stat st;

	below(full, sizeof(full), root, path);
	return !stat(full, &st) && st.st_ino != init;
}

/* The first thing that programs are tried on by the kernel's own tests; nothing else ever calls it.
 */
#define PROBE_FUNC "bpf_fentry_test1"

/* What bpf(2) thinks of tracing programs: 0 = it takes them, or an errno. Where `loads`, an empty
 * one is loaded and, attached to nothing, dropped: only that shows what seccomp filters and
 * security modules have against it. Else it has no instructions, which the kernel refuses (E2BIG)
 * before it looks at capabilities, but after those did. */
static int ask_bpf(__u32 btf_id, bool loads)
{
	static const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_TRACING;
	attr.expected_attach_type = BPF_TRACE_FENTRY;
	attr.attach_btf_id = btf_id;
	attr.insns = (__u64)(unsigned long)empty;
	attr.insn_cnt = loads ? 2 : 0;
	attr.license = (__u64)(unsigned long)"GPL";
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return errno == EPERM || errno == EACCES || errno == ENOSYS ? errno : 0;
	close(fd);
	return 0;
}

static void look_permissions(struct host *h, const char *root)
{
	unsigned long long caps = 0;
	char text[4096], *line;

	if (!read_text(root, "/proc/self/status", text, sizeof(text))) {
		line = strstr(text, "\nCapEff:");
		if (line)
			caps = strtoull(line + strlen("\nCapEff:"), NULL, 16);
	}
	h->cap_sys_admin = caps >> CAP_SYS_ADMIN & 1;
	h->cap_bpf = caps >> CAP_BPF & 1;
	h->cap_perfmon = caps >> CAP_PERFMON & 1;
	h->user_ns = other_ns(root, "/proc/self/ns/user", INIT_USER_NS);
	h->pid_ns = other_ns(root, "/proc/self/ns/pid", INIT_PID_NS);
	if (*root)
		return;
	h->bpf_err = ask_bpf(h->probe_btf_id, h->probe_btf_id && host__permitted(h));
	if (h->bpf_err != ENOSYS && !host__permitted(h))
		h->bpf_err = 0; /* of course */
}

/* ---- BTF ---------------------------------------------------------------------------------- */

static __u32 func_id(const struct btf *btf, const char *name)
{
	__s32 id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : 0;

	return id > 0 ? id : 0;
}

/* The type of member `name` (up to `len` characters) of a struct or union, 0 = it has none. Members
 * of anonymous structs and unions are members too, up to a depth that made-up BTF cannot exhaust.
 */
static __u32 member(const struct btf *btf, __u32 id, const char *name, size_t len, int depth)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const struct btf_member *m;
	const char *have;
	__u32 found;

	if (!t || !btf_is_composite(t) || !depth)
		return 0;
	m = btf_members(t);
	for (__u32 i = 0; i < btf_vlen(t); i++, m++) {
		have = btf__name_by_offset(btf, m->name_off);
		if (!have)
			return 0; /* damaged */
		if (!*have) {
			id = btf__resolve_type(btf, m->type);
			found = member(btf, id, name, len, depth - 1);
			if (found)
				return found;
		} else if (strlen(have) == len && !strncmp(have, name, len)) {
			return m->type;
		}
	}
	return 0;
}

/* Does the BTF have "struct.member.member"? */
static bool has_field(const struct btf *btf, const char *path)
{
	size_t len = strcspn(path, ".");
	char name[64];
	__s32 id;

	if (!btf)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)len, path);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	while (id > 0 && path[len]) {
		path += len + 1;
		len = strcspn(path, ".");
		id = member(btf, id, path, len, 8);
		if (id > 0 && path[len])
			id = btf__resolve_type(btf, id);
	}
	return id > 0;
}

/* As in bpf/compat.bpf.h, where each has its commit. */
static const struct {
	const char *path;
	__u32 bit;
} optional[] = {
	{"kvm_vcpu.scheduled_out", KS_M_SCHEDULED_OUT},
	{"kvm_vcpu.wants_to_run", KS_M_WANTS_TO_RUN},
	{"kvm_vcpu.stat.generic.blocking", KS_M_BLOCKING},
	{"task_struct.se.sched_delayed", KS_M_SCHED_DELAYED},
	{"task_struct.sched_info.run_delay", KS_M_RUN_DELAY},
	{"task_struct.throttled", KS_M_QUOTA},
	{"cfs_rq.throttle_count", KS_M_QUOTA},
};

/* Of what the programs read unconditionally: that which a kernel's age or configuration can take
 * away. */
static const char *const required[] = {
	"task_struct.__state", /* 5.14, 2f064a59a11f */
	"task_struct.preempt_notifiers",
	"task_struct.cgroups",
	"css_set.dfl_cgrp",
	"file.f_path",
	"kvm_vcpu.preempt_notifier",
	"kvm_vcpu.preempted",
	"kvm_vcpu.ready", /* 5.3, d73eb57b80b9 */
	"kvm_vcpu.pid",
	"kvm.mm",
};

/* Structs of a KVM that is not loaded may be in no BTF: that says nothing of the kernel. */
static bool must_have(const struct host *h, const char *path)
{
	return h->fields_known || strncmp(path, "kvm", 3);
}

static __s64 offset_in_vcpu(const struct btf *btf, const char *name)
{
	__s32 id = btf__find_by_name_kind(btf, "kvm_vcpu", BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	const char *have;

	for (__u32 i = 0; t && i < btf_vlen(t); i++) {
		have = btf__name_by_offset(btf, btf_members(t)[i].name_off);
		if (have && !strcmp(have, name))
			return btf_member_bit_offset(t, i);
	}
	return -1;
}

/* wants_to_run, preempted, ready, scheduled_out: four bytes in a row? */
static bool flags_packed(const struct btf *btf)
{
	__s64 at = offset_in_vcpu(btf, "wants_to_run");

	return at >= 0 && offset_in_vcpu(btf, "preempted") == at + 8 &&
	       offset_in_vcpu(btf, "ready") == at + 16 &&
	       offset_in_vcpu(btf, "scheduled_out") == at + 24;
}

static void look_fields(struct host *h, const struct btf *btf)
{
	h->fields_known = has_field(btf, "kvm_vcpu.kvm");
	for (size_t i = 0; i < sizeof(optional) / sizeof(*optional); i++)
		if (has_field(btf, optional[i].path))
			h->fields |= optional[i].bit;
	h->quota_per_task = has_field(btf, "task_struct.throttled");
	/* a type's id in a file is not its id in the kernel: nothing can be cast to it */
	h->modern = !h->btf_file && func_id(btf, "bpf_rdonly_cast") && flags_packed(btf) &&
		    (h->fields & KS_FIELDS_MODERN) == KS_FIELDS_MODERN;
	if (!h->fields_known && (h->kvm != HOST_KVM_NONE || h->btf_file))
		h->missing_field = "kvm_vcpu.kvm";
	for (size_t i = 0; i < sizeof(required) / sizeof(*required) && !h->missing_field; i++)
		if (must_have(h, required[i]) && !has_field(btf, required[i]))
			h->missing_field = required[i];
}

/* KVM's functions are in the kernel's BTF, or in that of its module. */
static void look_hooks(struct host *h, const struct btf *btf)
{
	for (int i = 0; i < HOST_HOOKS; i++)
		h->hook[i] = func_id(btf, host_hook_names[i]);
	h->direct_calls = func_id(btf, "register_ftrace_direct");
	h->probe_btf_id = func_id(btf, PROBE_FUNC);
}

static struct btf *kernel_btf(struct host *h, const char *root)
{
	char path[512];
	struct btf *btf;

	below(path, sizeof(path), root, "/sys/kernel/btf/vmlinux");
	btf = btf__parse(path, NULL);
	h->vmlinux_btf = btf != NULL;
	h->btf_err = btf ? 0 : errno;
	if (h->btf_err == ENOENT && !exists(root, "/sys/kernel"))
		h->btf_err = ENODEV; /* no sysfs at all: this says nothing about the kernel */
	return btf;
}

static struct btf *kvm_btf(struct host *h, const char *root, struct btf *base)
{
	char path[512];
	struct btf *btf = NULL;

	if (func_id(base, host_hook_names[0])) {
		h->kvm = HOST_KVM_BUILTIN;
		return NULL;
	}
	below(path, sizeof(path), root, "/sys/kernel/btf/kvm");
	if (base)
		btf = btf__parse_split(path, base);
	if (btf || exists(root, "/sys/module/kvm")) {
		h->kvm = HOST_KVM_MODULE;
		h->kvm_btf_err = btf || !base ? 0 : errno;
	}
	return btf;
}

static void look_btf(struct host *h, const char *root)
{
	struct btf *base = kernel_btf(h, root), *kvm = kvm_btf(h, root, base), *file = NULL;

	if (base)
		look_hooks(h, kvm ? kvm : base);
	if (h->btf_file) {
		file = btf__parse(h->btf_file, NULL);
		h->btf_file_err = file ? 0 : errno;
		if (file)
			look_fields(h, file);
	} else if (base) {
		look_fields(h, kvm ? kvm : base);
	}
	btf__free(file);
	btf__free(kvm);
	btf__free(base);
}

/* ---- traceability ------------------------------------------------------------------------- */

void host__look_traceable(struct host *h, const char *root)
{
	char path[512], *line = NULL;
	bool found[KVM_HOOKS] = {};
	size_t size = 0, len;
	FILE *f;

	below(path, sizeof(path), root, "/sys/kernel/tracing/available_filter_functions");
	f = fopen(path, "re");
	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		len = strcspn(line, " \n"); /* "kvm_sched_in [kvm]" */
		line[len] = '\0';
		for (int i = 0; i < KVM_HOOKS; i++)
			found[i] |= !strcmp(line, host_hook_names[i]);
	}
	free(line);
	h->traceable_known = !ferror(f);
	fclose(f);
	for (int i = 0; i < KVM_HOOKS; i++)
		h->no_ftrace[i] = h->traceable_known && h->hook[i] && !found[i];
	host__judge(h);
}

/* ------------------------------------------------------------------------------------------- */

void host__look_below(struct host *h, const char *root, const char *btf)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);

	memset(h, 0, sizeof(*h));
	h->btf_file = btf ? strdup(btf) : NULL;
	look_kernel(h, root);
	look_cpu(h, root);
	look_btf(h, root);
	h->dev_kvm = exists(root, "/dev/kvm");
	look_permissions(h, root);
	host__judge(h);
	libbpf_set_print(print);
}

void host__look(struct host *h, const char *btf)
{
	host__look_below(h, "", btf);
}

void host__free(struct host *h)
{
	free(h->btf_file);
	h->btf_file = NULL;
}
