/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps and what is fixed before the load. */
#ifndef KECK_MAPS_H
#define KECK_MAPS_H

#include "kernel.h"
#include "records.h"

const volatile struct keck_settings settings = { .entries = KECK_ENTRIES };

#define ARRAY_OF(map, record, count, flags) \
	struct { \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(map_flags, flags); \
		__uint(max_entries, count); \
		__type(key, __u32); \
		__type(value, record); \
	} map SEC(".maps")
#define EVENTS(map) \
	struct { \
		__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); \
		__uint(max_entries, 1); \
		__uint(key_size, sizeof(__u32)); \
		__uint(value_size, sizeof(__u32)); \
	} map SEC(".maps")

ARRAY_OF(cpus, struct keck_cpu, 1, BPF_F_MMAPABLE);
ARRAY_OF(slots, struct keck_slot, 1, BPF_F_MMAPABLE);
ARRAY_OF(metas, struct keck_meta, 1, BPF_F_MMAPABLE);
ARRAY_OF(ring, __u64, 1, BPF_F_MMAPABLE);
ARRAY_OF(slot_counters, struct keck_counters, 1, BPF_F_MMAPABLE);
ARRAY_OF(pids, struct keck_ref, 1, 0);
ARRAY_OF(cpu_counters, struct keck_counters, 1, 0);
ARRAY_OF(strays, struct keck_stray, KECK_STRAYS, 0);
EVENTS(events0);
EVENTS(events1);
EVENTS(events2);

/* One CPU's room for what the slow ways need: the stack is 512 bytes for a whole chain of calls. One program runs on a CPU at a time. */
struct scratch {
	struct amounts { __u64 ns, weighted, shared_ns; } amounts;
	__u64 whole, open, shared; /* of the gap under repair */
	__u32 parties, reserved; /* who shares it */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct keck_globals globals; /* the whole of .bss, mapped by the agent */

/* The agent may write it at any time: read once a switch. */
static __always_inline __u32 cut_of(struct keck_cpu *c)
{
	return *(volatile __u32 *)&c->cut;
}

static __always_inline struct scratch *scratch(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&scratches, &only);
}

static __always_inline struct amounts *room(void)
{
	struct scratch *own = scratch();

	return own ? &own->amounts : 0;
}

static __always_inline struct keck_slot *slot_at(__u32 index)
{
	return bpf_map_lookup_elem(&slots, &index);
}

/*
 * A task_struct's address is unique while it lives, and on_free clears its entry before the memory is reused. The
 * verifier refuses arithmetic on it, but not a copy of its lower half.
 */
static __always_inline __u32 tag_of(struct task_struct *task)
{
	__u32 tag;

	asm volatile("%0 = %1" : "=w"(tag) : "w"((__u32)(__u64)task));
	return tag;
}

#endif
