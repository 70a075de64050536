/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How long the sibling hyperthread was busy meanwhile. */
#ifndef KECK_SIBLINGS_H
#define KECK_SIBLINGS_H

#include "maps.h"

/* One look at the sibling's record; false when it was being written meanwhile. */
static __always_inline int sibling_look(struct keck_cpu *other, __u64 clock, __u64 *busy)
{
	__u64 seq = *(volatile __u64 *)&other->seq, since;

	barrier();
	*busy = *(volatile __u64 *)&other->busy_ns;
	since = *(volatile __u64 *)&other->clock;
	if (*(volatile __u32 *)&other->slot && (__s64)(clock - since) > 0)
		*busy += clock - since;
	barrier();
	return !(seq & 1) && seq == *(volatile __u64 *)&other->seq;
}

/*
 * How long the sibling has been busy in all, at this moment of its clock. Three looks and no loop: clang enters that loop in its
 * middle, and a verifier as old as Linux 6.1's refuses to fall back into its head ("back-edge").
 */
static __always_inline __u64 sibling_busy(struct keck_cpu *c, __u64 clock)
{
	__u32 at = c->sibling - 1;
	struct keck_cpu *other;
	__u64 busy = 0;

	if (!c->sibling)
		return 0;
	other = bpf_map_lookup_elem(&cpus, &at);
	if (!other)
		return 0;
	if (!sibling_look(other, clock, &busy) && !sibling_look(other, clock, &busy))
		sibling_look(other, clock, &busy);
	return busy;
}

#endif
