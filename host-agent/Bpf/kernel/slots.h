/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which slot a thread has: taken at first sight, found by its tid, given up at its death. */
#ifndef KECK_SLOTS_H
#define KECK_SLOTS_H

#include "maps.h"

static __noinline __u32 take_slot(void)
{
	for (int attempt = 0; attempt < 16; attempt++) {
		__u64 head = *(volatile __u64 *)&globals.head;
		__u32 at = head & settings.ring_mask;
		__u64 *free;
		__u32 index;

		if (head == *(volatile __u64 *)&globals.tail)
			break;
		free = bpf_map_lookup_elem(&ring, &at);
		if (!free)
			break;
		index = *(volatile __u64 *)free;
		if (__sync_val_compare_and_swap(&globals.head, head, head + 1) == head)
			return index;
	}
	__sync_fetch_and_add(&globals.exhausted, 1);
	return 0;
}

static __noinline void clear_slot(struct keck_slot *s)
{
	s->runtime = 0;
	s->next = 0;
	s->chain_stamp = 0;
	s->home = 0;
	s->cpu = 0;
	for (int i = 0; i < KECK_ENTRIES; i++) {
		s->entries[i].ns = 0;
		s->entries[i].ns_at_cut = 0;
		s->entries[i].weighted = 0;
		s->entries[i].shared_ns = 0;
		s->entries[i].cpu = 0;
		s->entries[i].stamp = 0;
	}
}

static __always_inline void describe(struct keck_meta *m, struct task_struct *task)
{
	m->generation++;
	barrier();
	m->start_ns = task->start_boottime;
	m->leader_start_ns = task->group_leader->start_boottime;
	m->cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	m->tid = task->pid;
	m->tgid = task->tgid;
	m->flags = task->flags;
	bpf_probe_read_kernel_str(m->comm, KECK_COMM, task->comm);
	barrier();
	m->generation++;
}

/* The thread's entry in the pid table, in its own place or one of seven others that a neighbour may have pushed it to. */
static __noinline struct keck_ref *find_ref(__u32 tid, __u32 tag, __u32 *at)
{
	for (__u32 way = 0; way < 8; way++) {
		__u32 index = ((tid & settings.pid_mask) ^ (way << settings.pid_way_shift)) & settings.pid_mask;
		struct keck_ref *ref = bpf_map_lookup_elem(&pids, &index);

		if (ref && ref->slot && ref->tag == tag) {
			*at = index;
			return ref;
		}
	}
	return 0;
}

static __noinline struct keck_ref *free_ref(__u32 tid, __u32 *at)
{
	for (__u32 way = 0; way < 8; way++) {
		__u32 index = ((tid & settings.pid_mask) ^ (way << settings.pid_way_shift)) & settings.pid_mask;
		struct keck_ref *ref = bpf_map_lookup_elem(&pids, &index);

		/* Two CPUs may want the same one: the tag decides. */
		if (ref && !ref->slot && __sync_val_compare_and_swap(&ref->slot, 0, KECK_NO_SLOT) == 0) {
			*at = index;
			return ref;
		}
	}
	return 0;
}

/* First sight of a thread: what it ran before `runtime` is not ours. */
static __noinline __u32 adopt(struct task_struct *task, __u64 runtime)
{
	__u32 at = 0, tid = task->pid, index;
	struct keck_ref *ref;
	struct keck_slot *s;
	struct keck_meta *m;

	ref = find_ref(tid, tag_of(task), &at);
	if (ref)
		return ref->slot;
	ref = free_ref(tid, &at);
	if (!ref) {
		__sync_fetch_and_add(&globals.collisions, 1);
		return KECK_NO_SLOT;
	}
	index = take_slot();
	s = slot_at(index);
	m = bpf_map_lookup_elem(&metas, &index);
	if (!index || !s || !m) {
		ref->slot = 0;
		return KECK_NO_SLOT;
	}
	describe(m, task);
	clear_slot(s);
	s->runtime = runtime;
	s->home = at;
	if (settings.counters) {
		struct keck_counters *sc = bpf_map_lookup_elem(&slot_counters, &index);

		if (sc)
			sc->value[0] = sc->value[1] = sc->value[2] = 0;
	}
	barrier();
	s->state = KECK_LIVE;
	ref->tag = tag_of(task);
	barrier();
	ref->slot = index;
	return index;
}

static __always_inline __u32 slot_of(struct task_struct *task, __u32 tid)
{
	__u32 at = tid & settings.pid_mask;
	struct keck_ref *ref = bpf_map_lookup_elem(&pids, &at);

	if (likely(ref && ref->tag == tag_of(task) && ref->slot))
		return ref->slot;
	return adopt(task, task->se.sum_exec_runtime);
}

static __always_inline void forget_ref(struct keck_slot *s, __u32 index)
{
	__u32 at = s->home;
	struct keck_ref *ref = bpf_map_lookup_elem(&pids, &at);

	if (ref && ref->slot == index) {
		ref->tag = 0;
		barrier();
		ref->slot = 0;
	}
}

/* An overflow chain that two drains have read is handed back; the agent reads it once more before it recycles it. */
static __noinline void detach_chain(struct keck_slot *s)
{
	__u32 first = s->next;
	struct keck_slot *overflow = slot_at(first);

	s->next = 0;
	barrier();
	if (overflow)
		overflow->state = KECK_DETACHED;
}

static __noinline void bury(struct keck_slot *s, __u32 index)
{
	forget_ref(s, index);
	barrier();
	s->state = KECK_DEAD;
}

#endif
