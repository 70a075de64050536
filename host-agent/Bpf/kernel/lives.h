/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* exec, rename and the end of a thread. */
#ifndef KECK_LIVES_H
#define KECK_LIVES_H

#include "entries.h"

/* A thread other than the leader that execs takes the leader's tid and start. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_tid)
{
	__u32 cpu = bpf_get_smp_processor_id(), at = 0, old_at = 0, index;
	struct keck_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct keck_ref *ref;
	struct keck_slot *s;
	struct keck_meta *m;

	if (!c || c->task != (__u64)task)
		return 0;
	index = c->slot;
	s = slot_at(index);
	m = bpf_map_lookup_elem(&metas, &index);
	if (!index || !s || !m)
		return 0;
	if (old_tid != task->pid) {
		ref = find_ref(old_tid, tag_of(task), &old_at);
		if (ref && ref->slot != index) {
			/* It was switched out and in between the change and this event, and got a second slot. */
			__u32 old_index = ref->slot;
			struct keck_slot *old = slot_at(old_index);

			if (old)
				bury(old, old_index);
		} else if (ref) {
			forget_ref(s, index);
			ref = free_ref(task->pid, &at);
			if (ref) {
				s->home = at;
				ref->tag = tag_of(task);
				barrier();
				ref->slot = index;
			}
		}
	}
	describe(m, task);
	return 0;
}

/* Names are given after birth more often than not (pthread_setname_np, prctl, exec). */
SEC("tp_btf/task_rename")
int BPF_PROG(on_rename, struct task_struct *task, const char *name)
{
	__u32 at = 0, index;
	struct keck_ref *ref = find_ref(task->pid, tag_of(task), &at);
	struct keck_meta *m;

	if (!ref)
		return 0;
	index = ref->slot;
	m = bpf_map_lookup_elem(&metas, &index);
	if (!m)
		return 0;
	m->generation++;
	barrier();
	bpf_probe_read_kernel_str(m->comm, KECK_COMM, name);
	barrier();
	m->generation++;
	return 0;
}

/* The task_struct is about to go. Its last switch has normally been seen; where it was not, the final runtime is here. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
	__u32 at = 0, index, cpu;
	struct keck_ref *ref = find_ref(task->pid, tag_of(task), &at);
	struct amounts a = {}, room;
	struct keck_cpu *c;
	struct keck_slot *s;

	if (!ref)
		return 0;
	index = ref->slot;
	s = slot_at(index);
	if (!s || s->state != KECK_LIVE)
		return 0;
	a.ns = task->se.sum_exec_runtime - s->runtime;
	cpu = s->cpu;
	c = bpf_map_lookup_elem(&cpus, &cpu);
	if (c && (__s64)a.ns > 0) {
		s->runtime = task->se.sum_exec_runtime;
		if (!charge(s, index, cpu + 1, a, cut_of(c), &room)) /* softirq: the scratch may be in use */
			__sync_fetch_and_add(&c->lost_ns, a.ns);
	}
	__sync_fetch_and_add(&globals.late_deaths, 1);
	bury(s, index);
	return 0;
}

#endif
