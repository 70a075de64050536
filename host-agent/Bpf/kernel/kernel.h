/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few kernel types that the programs read, relocated against the running kernel (CO-RE); stands in for a vmlinux.h. */
#ifndef KECK_KERNEL_H
#define KECK_KERNEL_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#define CORE __attribute__((preserve_access_index))
#define TASK_DEAD 0x80
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct kernfs_node { __u64 id; } CORE;
struct cgroup { struct kernfs_node *kn; } CORE;
struct css_set { struct cgroup *dfl_cgrp; } CORE;
struct task_struct;
struct rq { __u64 clock, clock_task, nr_switches; struct task_struct *idle; } CORE;
struct cfs_rq { struct rq *rq; } CORE;
struct sched_entity { struct cfs_rq *cfs_rq; __u64 exec_start, sum_exec_runtime; } CORE;
struct sched_info { unsigned long long last_arrival; } CORE;
struct task_struct {
	struct sched_entity se;
	struct sched_info sched_info;
	int pid, tgid;
	unsigned int flags, __state;
	__u64 start_boottime;
	struct css_set *cgroups;
	struct task_struct *group_leader;
	char comm[16];
} CORE;

#endif
