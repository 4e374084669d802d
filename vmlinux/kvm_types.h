/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel types that bpf/ reads, and of them only the members that it reads. CO-RE relocates
 * every access to the running kernel's layout, so sizes, order and neighbours are of no account
 * here, and one file serves every architecture and version. A member that not every kernel has
 * is only touched behind bpf_core_field_exists(), in bpf/compat.bpf.h.
 */
#ifndef KVMSCHED_KVM_TYPES_H
#define KVMSCHED_KVM_TYPES_H

#include <stdbool.h>
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef int pid_t;

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[]; /* 6.1 */
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct cfs_rq {
	int throttle_count; /* CONFIG_CFS_BANDWIDTH; counts throttled ancestors too */
};

struct sched_entity {
	unsigned char sched_delayed; /* 6.12 */
	struct cfs_rq *cfs_rq;
};

struct sched_info {
	unsigned long long run_delay; /* CONFIG_SCHED_INFO */
};

struct mm_struct {
	unsigned long pgd;
};

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	unsigned int
		on_cpu; /* unsigned, because 7.3 has them as u8: CO-RE then narrows the loads */
	unsigned int on_rq;
	struct sched_entity se;
	struct sched_info sched_info;
	pid_t pid;
	pid_t tgid;
	struct task_struct *group_leader;
	__u64 start_time;
	char comm[16];
	struct mm_struct *mm;
	struct css_set *cgroups;
	struct hlist_head preempt_notifiers;
	bool throttled; /* 6.18: per-task bandwidth throttling */
};

struct upid {
	int nr;
};

struct pid {
	struct upid numbers[1];
};

struct preempt_notifier {
	struct hlist_node link;
};

struct kvm_vcpu_stat_generic {
	__u64 blocking;
};

struct kvm_vcpu_stat {
	struct kvm_vcpu_stat_generic generic;
};

struct kvm {
	struct mm_struct *mm;
};

struct kvm_vcpu {
	struct kvm *kvm;
	struct preempt_notifier preempt_notifier;
	int cpu;
	int vcpu_id;
	struct pid *pid;
	bool wants_to_run; /* 6.11, 6.1.184 */
	bool preempted;
	bool ready;
	bool scheduled_out; /* 6.11 */
	struct kvm_vcpu_stat stat;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	void *private_data;
};

struct timespec64 {
	__s64 tv_sec;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
