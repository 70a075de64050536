/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Perf counters: every reading goes to whoever ran since the last one on its CPU. */
#ifndef KECK_COUNTERS_H
#define KECK_COUNTERS_H

#include "maps.h"

static __always_inline void read_counter(void *events, __u32 which, struct keck_counters *last, struct keck_counters *thread)
{
	struct bpf_perf_event_value value = {};

	if (bpf_perf_event_read_value(events, BPF_F_CURRENT_CPU, &value, sizeof(value)))
		return;
	if (thread)
		thread->value[which] += value.counter - last->value[which];
	last->value[which] = value.counter;
}

/* Every reading goes to whoever ran since the last one on this CPU. */
static __noinline void read_counters(__u32 cpu, __u32 index)
{
	struct keck_counters *last = bpf_map_lookup_elem(&cpu_counters, &cpu);
	struct keck_counters *thread = index ? bpf_map_lookup_elem(&slot_counters, &index) : 0;

	if (!last)
		return;
	read_counter(&events0, 0, last, thread);
	if (settings.counters > 1)
		read_counter(&events1, 1, last, thread);
	if (settings.counters > 2)
		read_counter(&events2, 2, last, thread);
}

#endif
