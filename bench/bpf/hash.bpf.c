// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the accounting is measured against: the usual design, a hash keyed by (tid, cpu) and a clock read at each switch; and nothing at all. */
#include "kernel.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct key { __u32 tid, cpu; };
struct value { __u64 ns, weighted, cgroup; __u32 tgid; char comm[16]; };
struct cpu { __u64 since; __u32 tid, mhz; };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct key);
	__type(value, struct value);
} times SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

SEC("tp_btf/sched_switch")
int BPF_PROG(hash_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 zero = 0;
	struct cpu *c = bpf_map_lookup_elem(&cpus, &zero);

	if (!c)
		return 0;
	if (c->since && prev->pid) {
		struct key key = { prev->pid, bpf_get_smp_processor_id() };
		struct value *v = bpf_map_lookup_elem(&times, &key);
		__u64 ran = now - c->since;

		if (v) {
			v->ns += ran;
			v->weighted += ran * c->mhz;
		} else {
			struct value fresh = { .ns = ran, .weighted = ran * c->mhz, .tgid = prev->tgid };

			fresh.cgroup = bpf_get_current_cgroup_id();
			bpf_probe_read_kernel_str(fresh.comm, sizeof(fresh.comm), prev->comm);
			bpf_map_update_elem(&times, &key, &fresh, BPF_ANY);
		}
	}
	c->since = now;
	c->tid = next->pid;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(empty_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return 0;
}
