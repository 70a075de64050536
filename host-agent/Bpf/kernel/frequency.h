/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Megahertz where the cpu_frequency tracepoint tells them. */
#ifndef KECK_FREQUENCY_H
#define KECK_FREQUENCY_H

#include "maps.h"

static __always_inline __u64 slice_weight(struct keck_cpu *c, __u64 clock, __u64 ns)
{
	__u64 whole = clock - c->clock;

	if (likely(!c->mhz_since) || !whole)
		return ns * c->mhz;
	/* The frequency changed within the slice: its time-weighted mean. */
	return (c->mhz_sum + (clock - c->mhz_since) * c->mhz) / whole * ns;
}

SEC("tp_btf/cpu_frequency")
int BPF_PROG(on_frequency, unsigned int khz, unsigned int cpu)
{
	struct keck_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	__u64 clock, from;

	if (!c)
		return 0;
	clock = bpf_ktime_get_ns() - c->offset;
	from = c->mhz_since ? c->mhz_since : c->clock;
	if ((__s64)(clock - from) > 0) {
		c->mhz_sum = (c->mhz_since ? c->mhz_sum : 0) + (clock - from) * c->mhz;
		c->mhz_since = clock;
	}
	c->mhz = khz / 1000;
	return 0;
}

#endif
