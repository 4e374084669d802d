// SPDX-License-Identifier: BSD-2-Clause
/*
 * The look at the host, on hosts that are made of files: a directory stands for /, with BTF made by
 * libbpf. And the verdict, on facts set by hand.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "host.h"
#include "wire.h"

#define ALL_CAPS "000001ffffffffff"

static char root[] = "/tmp/test_host.XXXXXX";
static struct host h;
static char advice[4096];

/* ---- making a host ------------------------------------------------------------------------ */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void put(const char *path, const void *data, size_t len)
{
	char full[300];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static void drop(const char *path)
{
	char full[300];

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(remove(full), 0);
}

static void put_caps(const char *eff)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t%s\nCapBnd:\t" ALL_CAPS "\n", eff);
	put_text("/proc/self/status", text);
}

static void put_btf(const char *path, struct btf *btf)
{
	__u32 len;
	const void *raw = btf__raw_data(btf, &len);

	assert_non_null(raw);
	put(path, raw, len);
}

static void add_func(struct btf *btf, const char *name)
{
	int proto = btf__add_func_proto(btf, 0);

	assert_true(btf__add_func(btf, name, BTF_FUNC_STATIC, proto) > 0);
}

/* A struct whose members, all of one type, are given as one string: "a b c". */
static int add_struct(struct btf *btf, const char *name, int type, const char *members)
{
	char *words = strdup(members), *m, *save = NULL;
	int id = btf__add_struct(btf, name, 8), at = 0;

	for (m = strtok_r(words, " ", &save); m; m = strtok_r(NULL, " ", &save))
		assert_int_equal(btf__add_field(btf, m, type, 64 * at++, 0), 0);
	free(words);
	return id;
}

/* Members that are structs: name, type, ... */
static void add_member(struct btf *btf, const char *name, int type)
{
	assert_int_equal(btf__add_field(btf, name, type, 0, 0), 0);
}

/* What CO-RE finds of KVM. `fields`: of kvm_vcpu, beyond those that every kernel has. */
static void add_kvm(struct btf *btf, const char *fields)
{
	int num = btf__add_int(btf, "u64", 8, 0), generic, stat, anon, word;
	char all[256];

	generic = add_struct(btf, "kvm_vcpu_stat_generic", num, "halt_poll blocking");
	stat = btf__add_struct(btf, "kvm_vcpu_stat", 8);
	add_member(btf, "generic", generic);
	stat = btf__add_typedef(btf, "stat_t", btf__add_const(btf, stat));
	anon = add_struct(btf, NULL, num, "pid"); /* an anonymous struct in kvm_vcpu */
	word = btf__add_typedef(btf, "word", num);
	snprintf(all, sizeof(all), "kvm preempt_notifier preempted ready %s", fields);
	add_struct(btf, "kvm_vcpu", word, all);
	add_member(btf, "stat", stat);
	add_member(btf, NULL, anon);
	add_struct(btf, "kvm", num, "mm");
	for (int i = 0; i < HOST_HOOKS - 1; i++)
		add_func(btf, host_hook_names[i]);
}

static struct btf *make_vmlinux(const char *task_fields)
{
	struct btf *btf = btf__new_empty();
	int num = btf__add_int(btf, "long", 8, BTF_INT_SIGNED), info, entity;
	char all[256];

	btf__add_fwd(btf, "kvm_vcpu", BTF_FWD_STRUCT); /* does not count */
	info = add_struct(btf, "sched_info", num, "pcount run_delay");
	entity = add_struct(btf, "sched_entity", num, "load sched_delayed");
	snprintf(all, sizeof(all), "preempt_notifiers cgroups %s", task_fields);
	add_struct(btf, "task_struct", num, all);
	add_member(btf, "se", entity);
	add_member(btf, "sched_info", info);
	add_struct(btf, "cfs_rq", num, "throttle_count");
	add_struct(btf, "css_set", num, "dfl_cgrp");
	add_struct(btf, "file", num, "f_path");
	add_func(btf, "bpf_iter_task_file");
	add_func(btf, "register_ftrace_direct");
	return btf;
}

static void put_module(struct btf *base, const char *fields)
{
	struct btf *kvm = btf__new_empty_split(base);

	add_kvm(kvm, fields);
	put_btf("/sys/kernel/btf/kvm", kvm);
	btf__free(kvm);
}

#define NEW_FIELDS "wants_to_run scheduled_out"

/* A good host: 6.12, x86_64, KVM a module, all capabilities. */
static void put_host(void)
{
	struct btf *base = make_vmlinux("__state");

	put_text("/proc/sys/kernel/osrelease", "6.12.95+deb13-amd64\n");
	put_text("/proc/sys/kernel/arch", "x86_64\n");
	put_text("/proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC Debian\n");
	put_text("/proc/sys/net/core/bpf_jit_enable", "1\n");
	put_text("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme svm\nbugs\t\t: vmx\n");
	put_text("/dev/kvm", "");
	put_text("/sys/module/kvm/refcnt", "1\n");
	put_caps(ALL_CAPS);
	put_btf("/sys/kernel/btf/vmlinux", base);
	put_module(base, NEW_FIELDS);
	btf__free(base);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/test_host.XXXXXX");
	assert_non_null(mkdtemp(root));
	put_host();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host__free(&h);
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Fills h and advice. */
static void look(const char *btf)
{
	FILE *f = fmemopen(advice, sizeof(advice), "w");

	host__free(&h);
	host__look_below(&h, root, btf);
	memset(advice, 0, sizeof(advice));
	host__advise(&h, f);
	fclose(f);
}

/* Not usable, and the advice is one line with all these words in it. */
static void only_advice(const char *const *words)
{
	char *end = strchr(advice, '\n');

	assert_false(host__usable(&h));
	assert_non_null(end);
	if (end[1])
		fail_msg("more than one line: %s", advice);
	for (; *words; words++)
		if (!strstr(advice, *words))
			fail_msg("no \"%s\" in: %s", *words, advice);
}
#define ONLY_ADVICE(...) only_advice((const char *const[]){__VA_ARGS__, NULL})

/* ---- the tests ---------------------------------------------------------------------------- */

static void all_is_well(void **state)
{
	(void)state;
	look(NULL);
	assert_string_equal(h.release, "6.12.95+deb13-amd64");
	assert_string_equal(h.arch, "x86_64");
	assert_int_equal(h.major, 6);
	assert_int_equal(h.minor, 12);
	assert_false(h.rt);
	assert_true(h.vmlinux_btf && h.jit && h.dev_kvm && h.direct_calls && h.fields_known);
	assert_int_equal(h.kvm, HOST_KVM_MODULE);
	assert_int_equal(h.cpu, HOST_CPU_SVM);
	for (int i = 0; i < HOST_HOOKS; i++)
		assert_true(h.hook[i]);
	assert_int_equal(h.fields, KS_M_SCHEDULED_OUT | KS_M_WANTS_TO_RUN | KS_M_BLOCKING |
					   KS_M_SCHED_DELAYED | KS_M_RUN_DELAY | KS_M_QUOTA);
	assert_false(h.quota_per_task);
	assert_null(h.missing_field);
	assert_false(h.user_ns || h.pid_ns || h.lockdown || h.bpf_err);
	assert_int_equal(h.verdict, HOST_TESTED);
	assert_string_equal(h.why, "");
	assert_true(host__usable(&h));
	assert_string_equal(advice, "");
}

static void old_fields(void **state)
{
	struct btf *base = make_vmlinux("__state throttled");

	(void)state;
	put_module(base, "");
	put_btf("/sys/kernel/btf/vmlinux", base);
	btf__free(base);
	look(NULL);
	assert_int_equal(h.fields,
			 KS_M_BLOCKING | KS_M_SCHED_DELAYED | KS_M_RUN_DELAY | KS_M_QUOTA);
	assert_true(h.quota_per_task);
	assert_true(host__usable(&h));
}

static void required_field_is_missing(void **state)
{
	struct btf *base = make_vmlinux("state"); /* before 5.14 */

	(void)state;
	put_module(base, "");
	put_btf("/sys/kernel/btf/vmlinux", base);
	btf__free(base);
	look(NULL);
	assert_string_equal(h.missing_field, "task_struct.__state");
	assert_int_equal(h.verdict, HOST_UNSUPPORTED);
	ONLY_ADVICE("not supported", "task_struct.__state");
}

static void kvm_not_loaded(void **state)
{
	(void)state;
	drop("/sys/kernel/btf/kvm");
	drop("/sys/module/kvm/refcnt");
	drop("/sys/module/kvm");
	look(NULL);
	assert_int_equal(h.kvm, HOST_KVM_NONE);
	assert_int_equal(h.verdict, HOST_TESTED); /* the kernel is none the worse for it */
	assert_false(h.fields_known);
	assert_null(h.missing_field);
	ONLY_ADVICE("modprobe kvm_amd");
	put_text("/proc/cpuinfo", "flags\t\t: fpu vmx\n");
	look(NULL);
	assert_null(h.missing_field);
	put_text("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vmx\n");
	look(NULL);
	ONLY_ADVICE("modprobe kvm_intel");
	put_text("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu\nbugs\t\t: svm vmx\n");
	look(NULL);
	ONLY_ADVICE("virtualisation");
	put_text("/proc/sys/kernel/arch", "s390x\n");
	look(NULL);
	ONLY_ADVICE("modprobe kvm\n");
	put_text("/proc/sys/kernel/arch", "aarch64\n");
	look(NULL);
	ONLY_ADVICE("CONFIG_KVM");
}

static void kvm_builtin(void **state)
{
	struct btf *btf = make_vmlinux("__state");

	(void)state;
	add_kvm(btf, NEW_FIELDS);
	put_btf("/sys/kernel/btf/vmlinux", btf);
	btf__free(btf);
	drop("/sys/kernel/btf/kvm");
	put_text("/proc/sys/kernel/arch", "aarch64\n");
	put_caps("000000c000000000"); /* CAP_BPF, CAP_PERFMON: enough without a module */
	look(NULL);
	assert_int_equal(h.kvm, HOST_KVM_BUILTIN);
	assert_int_equal(h.verdict, HOST_TESTED);
	assert_true(host__usable(&h));
	put_caps("0000008000000000");
	look(NULL);
	ONLY_ADVICE("no CAP_PERFMON:");
	put_caps("0000004000000000");
	look(NULL);
	ONLY_ADVICE("no CAP_BPF:");
	put_caps("0000000000000000");
	look(NULL);
	ONLY_ADVICE(
		"no CAP_BPF, CAP_PERFMON: run as root, or give these by setcap or a systemd unit; ");
}

static void module_needs_sys_admin(void **state)
{
	(void)state;
	put_caps("000000c000000000");
	look(NULL);
	assert_true(h.cap_bpf && h.cap_perfmon && !h.cap_sys_admin);
	ONLY_ADVICE("no CAP_SYS_ADMIN: run as root");
	put_caps("0000000000000000");
	look(NULL);
	ONLY_ADVICE("no CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN: run as root");
	put_caps("0000000000200000");
	look(NULL);
	assert_true(!h.cap_bpf && !h.cap_perfmon && h.cap_sys_admin);
	assert_true(host__usable(&h));
}

static void module_without_btf(void **state)
{
	(void)state;
	drop("/sys/kernel/btf/kvm");
	look(NULL);
	assert_int_equal(h.kvm, HOST_KVM_MODULE);
	assert_int_equal(h.kvm_btf_err, ENOENT);
	ONLY_ADVICE("CONFIG_DEBUG_INFO_BTF_MODULES");
	put_text("/sys/kernel/btf/kvm", "not BTF");
	look(NULL);
	assert_int_not_equal(h.kvm_btf_err, 0);
	assert_false(host__usable(&h));
	assert_non_null(strstr(advice, "/sys/kernel/btf/kvm"));
}

static void function_is_missing(void **state)
{
	struct btf *base = make_vmlinux("__state"), *kvm = btf__new_empty_split(base);

	(void)state;
	add_func(kvm, "kvm_sched_out");
	add_func(kvm, "kvm_sched_in");
	put_btf("/sys/kernel/btf/kvm", kvm);
	btf__free(kvm);
	btf__free(base);
	look(NULL);
	assert_int_equal(h.verdict, HOST_UNSUPPORTED);
	ONLY_ADVICE("kvm_arch_vcpu_load()", "missing");
}

static void no_btf(void **state)
{
	(void)state;
	drop("/sys/kernel/btf/vmlinux");
	look(NULL);
	assert_int_equal(h.btf_err, ENOENT);
	assert_int_equal(h.verdict, HOST_UNSUPPORTED);
	ONLY_ADVICE("CONFIG_DEBUG_INFO_BTF");
}

static void no_direct_calls(void **state)
{
	struct btf *btf = btf__new_empty();

	(void)state;
	add_kvm(btf, NEW_FIELDS);
	put_btf("/sys/kernel/btf/vmlinux", btf);
	btf__free(btf);
	look(NULL);
	assert_false(h.direct_calls);
	assert_int_equal(h.verdict, HOST_UNSUPPORTED);
	assert_non_null(strstr(advice, "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"));
}

/* Garbage of every kind is an error, not a crash. */
static void broken_btf(void **state)
{
	struct btf *btf = make_vmlinux("__state");
	__u32 len;
	const char *raw = btf__raw_data(btf, &len);

	(void)state;
	for (__u32 cut = 0; cut < len; cut += cut < 64 ? 1 : 37) {
		put("/sys/kernel/btf/vmlinux", raw, cut);
		look(NULL);
		assert_false(h.vmlinux_btf);
		assert_false(host__usable(&h));
	}
	btf__free(btf);
}

static void given_btf(void **state)
{
	struct btf *btf = make_vmlinux("__state");
	char path[300];

	(void)state;
	snprintf(path, sizeof(path), "%s/given", root);
	look(path);
	ONLY_ADVICE("given", "No such file");
	put_text("/given", "something else entirely");
	look(path);
	assert_false(h.fields_known);
	ONLY_ADVICE("given", "not BTF");
	put_btf("/given", btf); /* without KVM */
	look(path);
	assert_int_equal(h.verdict, HOST_TESTED);
	ONLY_ADVICE("given", "kvm_vcpu");
	add_kvm(btf, "wants_to_run");
	put_btf("/given", btf);
	look(path);
	assert_true(host__usable(&h)); /* the fields are the file's, the functions the kernel's */
	assert_true(h.fields & KS_M_WANTS_TO_RUN);
	assert_false(h.fields & KS_M_SCHEDULED_OUT);
	assert_int_equal(h.kvm, HOST_KVM_MODULE);
	btf__free(btf);
}

static void switches(void **state)
{
	(void)state;
	put_text("/proc/sys/net/core/bpf_jit_enable", "0\n");
	look(NULL);
	ONLY_ADVICE("bpf_jit_enable=1");
	drop("/proc/sys/net/core/bpf_jit_enable"); /* hidden in a network namespace */
	look(NULL);
	assert_true(host__usable(&h));
	put_text("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	look(NULL);
	ONLY_ADVICE("locked down");
	put_text("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	look(NULL);
	assert_true(host__usable(&h));
}

static void namespaces(void **state)
{
	(void)state;
	put_text("/proc/self/ns/pid", ""); /* any inode but the first namespace's */
	look(NULL);
	assert_true(h.pid_ns);
	assert_true(host__usable(&h));
	put_text("/proc/self/ns/user", "");
	look(NULL);
	assert_true(h.user_ns);
	assert_false(host__permitted(&h));
	ONLY_ADVICE("user namespace");
}

static void realtime(void **state)
{
	(void)state;
	put_text("/sys/kernel/realtime", "1\n");
	look(NULL);
	assert_true(h.rt);
	assert_int_equal(h.verdict, HOST_TESTED);
	drop("/sys/kernel/realtime");
	put_text("/proc/sys/kernel/version", "#1 SMP PREEMPT_RT Debian\n");
	put_text("/proc/sys/kernel/osrelease", "6.1.0-37-rt-amd64\n");
	look(NULL);
	assert_true(h.rt && h.rt_ring_unsafe);
	assert_int_equal(h.verdict, HOST_UNSUPPORTED);
	ONLY_ADVICE("PREEMPT_RT");
}

static void traceable(void **state)
{
	(void)state;
	look(NULL);
	host__look_traceable(&h, root); /* not readable: nothing is known */
	assert_false(h.traceable_known);
	assert_true(host__usable(&h));
	put_text("/sys/kernel/tracing/available_filter_functions",
		 "kvm_sched_out [kvm]\nkvm_sched_in [kvm]\nkvm_arch_vcpu_load [kvm]\n"
		 "kvm_arch_vcpu_put [kvm]\nkvm_arch_vcpu_create [kvm]\n"
		 "kvm_arch_vcpu_destroy [kvm]\n");
	host__look_traceable(&h, root);
	assert_true(h.traceable_known);
	assert_true(host__usable(&h));
	put_text(
		"/sys/kernel/tracing/available_filter_functions",
		"kvm_sched_out [kvm]\nkvm_sched_in_not [kvm]\nkvm_arch_vcpu_load [kvm]\n"
		"kvm_arch_vcpu_put [kvm]\nkvm_arch_vcpu_create [kvm]\nkvm_arch_vcpu_destroy [kvm]\n");
	host__look_traceable(&h, root);
	assert_true(h.no_ftrace[1]);
	assert_int_equal(h.verdict, HOST_UNSUPPORTED);
	assert_non_null(strstr(h.why, "kvm_sched_in()"));
}

static int own_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	fail_msg("libbpf was not silent");
	return 0;
}

static void libbpf_is_silent(void **state)
{
	libbpf_print_fn_t before = libbpf_set_print(own_print);

	(void)state;
	put_text("/sys/kernel/btf/vmlinux", "no");
	look("/nonexistent");
	assert_ptr_equal(libbpf_set_print(before), own_print); /* put back */
}

/* Verdicts on kernels that lack nothing. */
static void verdicts(void **state)
{
	static const struct {
		const char *arch;
		unsigned major, minor;
		bool rt;
		enum host_verdict want;
	} t[] = {
		{"x86_64", 6, 1, false, HOST_TESTED},
		{"x86_64", 6, 1, true, HOST_UNSUPPORTED},
		{"x86_64", 6, 11, true, HOST_UNSUPPORTED},
		{"x86_64", 6, 12, false, HOST_TESTED},
		{"x86_64", 6, 12, true, HOST_TESTED},
		{"x86_64", 5, 16, false, HOST_UNSUPPORTED},
		{"x86_64", 5, 17, false, HOST_EXPECTED},
		{"x86_64", 6, 6, false, HOST_EXPECTED},
		{"x86_64", 8, 0, false, HOST_EXPECTED},
		{"aarch64", 6, 12, false, HOST_TESTED},
		{"aarch64", 6, 12, true, HOST_EXPECTED},
		{"aarch64", 6, 4, false, HOST_EXPECTED},
		{"aarch64", 6, 3, false, HOST_UNSUPPORTED},
		{"s390x", 6, 12, false, HOST_EXPECTED},
		{"s390x", 6, 2, false, HOST_UNSUPPORTED},
		{"riscv64", 6, 12, false, HOST_EXPECTED},
		{"ppc64le", 6, 12, false, HOST_UNSUPPORTED},
		{"loongarch64", 6, 17, false, HOST_EXPECTED},
		{"mips64", 6, 12, false, HOST_UNSUPPORTED},
		{"", 0, 0, false, HOST_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		look(NULL);
		snprintf(h.arch, sizeof(h.arch), "%s", t[i].arch);
		h.major = t[i].major;
		h.minor = t[i].minor;
		h.rt = t[i].rt;
		host__judge(&h);
		if (h.verdict != t[i].want)
			fail_msg("%s %u.%u: %s", t[i].arch, t[i].major, t[i].minor,
				 host__verdict_name(h.verdict));
		assert_int_equal(!!*h.why, t[i].want == HOST_UNSUPPORTED);
	}
}

/* Nothing there at all. */
static void empty_root(void **state)
{
	char path[300];

	(void)state;
	snprintf(path, sizeof(path), "%s/empty", root);
	host__free(&h);
	host__look_below(&h, path, NULL);
	host__look_traceable(&h, path);
	assert_true(*h.release && *h.arch);  /* from uname(2) */
	assert_int_equal(h.btf_err, ENODEV); /* not: the kernel has no BTF */
	assert_false(host__usable(&h));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(all_is_well),
		TEST(old_fields),
		TEST(required_field_is_missing),
		TEST(kvm_not_loaded),
		TEST(kvm_builtin),
		TEST(module_needs_sys_admin),
		TEST(module_without_btf),
		TEST(function_is_missing),
		TEST(no_btf),
		TEST(no_direct_calls),
		TEST(broken_btf),
		TEST(given_btf),
		TEST(switches),
		TEST(namespaces),
		TEST(realtime),
		TEST(traceable),
		TEST(libbpf_is_silent),
		TEST(verdicts),
		TEST(empty_root),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
