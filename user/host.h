/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host offers to kvmsched: kernel, BTF, KVM's functions and fields, permissions. Attaches
 * and keeps nothing, so it also answers where nothing can be loaded. `info` prints it, and a failed
 * load explains itself with it. host.c looks, host_judge.c says what it means.
 */
#ifndef KVMSCHED_HOST_H
#define KVMSCHED_HOST_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

enum host_kvm { HOST_KVM_NONE, HOST_KVM_MODULE, HOST_KVM_BUILTIN };
enum host_verdict { HOST_TESTED, HOST_EXPECTED, HOST_UNSUPPORTED };
enum host_cpu { HOST_CPU_OTHER, HOST_CPU_NO_VIRT, HOST_CPU_SVM, HOST_CPU_VMX };

/* What programs are attached to: KVM's six functions, and the iterator that finds existing vCPUs.
 */
#define HOST_HOOKS 7
extern const char *const host_hook_names[HOST_HOOKS];

struct host {
	char release[65]; /* as in struct utsname */
	char arch[65];
	unsigned major, minor;
	bool rt;	   /* PREEMPT_RT */
	bool jit;	   /* the BPF JIT is on, which fentry needs; true where unknown */
	bool lockdown;	   /* "confidentiality": programs may not read kernel memory */
	bool direct_calls; /* the kernel's BTF shows ftrace's direct calls: so does fentry */
	enum host_cpu cpu; /* x86: whose virtualisation the CPU has */

	bool vmlinux_btf;   /* the kernel's own BTF is readable: functions are found in it */
	int btf_err;	    /* ... or why not: errno */
	char *btf_file;	    /* --btf, NULL = none: where fields are found instead */
	int btf_file_err;   /* errno, 0 = it is BTF */
	enum host_kvm kvm;  /* where KVM's functions are */
	int kvm_btf_err;    /* of the module: why its BTF cannot be read, 0 = it can */
	bool dev_kvm;	    /* /dev/kvm exists */
	__u32 probe_btf_id; /* a function to try an empty program on, 0 = none */

	bool hook[HOST_HOOKS];	    /* the function is in the BTF */
	bool no_ftrace[HOST_HOOKS]; /* ... but ftrace cannot hook it */
	bool traceable_known;	    /* host__look_traceable() found that out */
	bool fields_known;	    /* struct kvm_vcpu is in the BTF */
	__u32 fields;		    /* KS_M_*: what it and struct task_struct have */
	bool quota_per_task;	    /* KS_M_QUOTA by task (6.18), not by cfs_rq */
	bool modern;		    /* what bpf/compat.bpf.h calls so */
	const char *missing_field;  /* one that the programs need; static; NULL = none */

	bool cap_bpf, cap_perfmon, cap_sys_admin; /* effective */
	bool user_ns; /* ... but in a user namespace of its own: they do not count */
	bool pid_ns;  /* a PID namespace of its own: records have other numbers than /proc */
	int bpf_err;  /* what bpf(2) has against tracing programs, capabilities apart */

	bool rt_ring_unsafe;	   /* PREEMPT_RT, and rings take a sleeping lock (until 6.12) */
	enum host_verdict verdict; /* of the kernel: permissions and what is loaded do not count */
	char why[128];		   /* HOST_UNSUPPORTED: the reason, else "" */
};

/* btf: NULL, or a file given with --btf. Never fails: what cannot be found out stays 0. */
void host__look(struct host *h, const char *btf);

/* The same with root in front of every path in /proc, /sys and /dev, for tests; without bpf(2)
 * unless root is "". */
void host__look_below(struct host *h, const char *root, const char *btf);

/* Adds to what was looked at what ftrace can hook, where that may be read. It is a list of tens of
 * thousands of functions: not for every start. */
void host__look_traceable(struct host *h, const char *root);

void host__free(struct host *h);

/* Fills verdict, why and rt_ring_unsafe from the rest. Done by those above. */
void host__judge(struct host *h);

/* Do the capabilities suffice to load and attach? */
bool host__permitted(const struct host *h);

/* Can the programs be loaded and attached here, as far as can be told without doing it? */
bool host__usable(const struct host *h);

/* One line per thing that is missing, each with what to do about it. Nothing where nothing is. */
void host__advise(const struct host *h, FILE *out);

/* "tested", "expected to work" or "unsupported" */
const char *host__verdict_name(enum host_verdict v);

#endif
