/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A slot's time by CPU: two entries inline, more of them in chained overflow slots. */
#ifndef KECK_ENTRIES_H
#define KECK_ENTRIES_H

#include "slots.h"

struct amounts { __u64 ns, weighted, shared_ns; };

/* Two drains without a write? Another CPU's cut may be ahead of ours: it is cut first. */
static __always_inline bool unwritten_since(__u32 cut, __u32 stamp)
{
	return (__s32)(cut - stamp) >= 2 * KECK_DRAIN;
}

static __always_inline void add(struct keck_entry *e, struct amounts a, __u32 cut)
{
	if (e->stamp != cut) {
		e->ns_at_cut = e->ns;
		barrier();
		e->stamp = cut;
		barrier();
	}
	e->ns += a.ns;
	if (settings.weigh)
		e->weighted += a.weighted;
	if (settings.smt)
		e->shared_ns += a.shared_ns;
}

static __always_inline void claim(struct keck_slot *s, struct keck_entry *e, __u32 cpu, struct amounts *a, __u32 cut)
{
	s->seq++;
	barrier();
	e->cpu = cpu;
	e->ns_at_cut = 0;
	e->ns = a->ns;
	e->weighted = a->weighted;
	e->shared_ns = a->shared_ns;
	e->stamp = cut;
	barrier();
	s->seq++;
}

/* Looks through one slot: the CPU's own entry, else one that may be claimed. */
static __always_inline bool add_or_claim(struct keck_slot *s, __u32 cpu, struct amounts *a, __u32 cut, bool may_claim)
{
	for (int i = 0; i < KECK_ENTRIES; i++) {
		struct keck_entry *e = &s->entries[i];

		if (i >= settings.entries)
			break;
		if (!may_claim && e->cpu == cpu) {
			add(e, *a, cut);
			return true;
		}
		if (may_claim && (!e->cpu || unwritten_since(cut, e->stamp))) {
			claim(s, e, cpu, a, cut);
			return true;
		}
	}
	return false;
}

/*
 * A CPU that has no inline entry: overflow slots, chained; at worst one per CPU. Not static: the verifier looks at it once,
 * not at every call.
 */
__noinline int charge_elsewhere(struct keck_slot *s, __u32 index, __u32 cpu, struct amounts *a, __u32 cut)
{
	struct keck_slot *overflow;
	__u32 at;

	if (!s || !a)
		return false;
	at = s->next;
	for (int i = 0; i < 1024 && at; i++) {
		overflow = slot_at(at);
		if (!overflow)
			break;
		if (add_or_claim(overflow, cpu, a, cut, false)) {
			s->chain_stamp = cut;
			return true;
		}
		at = overflow->next;
	}
	if (add_or_claim(s, cpu, a, cut, true))
		return true;
	overflow = s->next ? slot_at(s->next) : 0;
	if (overflow && add_or_claim(overflow, cpu, a, cut, true)) {
		s->chain_stamp = cut;
		return true;
	}
	at = take_slot();
	overflow = slot_at(at);
	if (!at || !overflow)
		return false;
	clear_slot(overflow);
	overflow->home = index;
	overflow->next = s->next;
	claim(overflow, &overflow->entries[0], cpu, a, cut);
	overflow->state = KECK_OVERFLOW;
	s->chain_stamp = cut;
	barrier();
	s->next = at;
	__sync_fetch_and_add(&globals.overflows, 1);
	return true;
}

static __always_inline bool charge(struct keck_slot *s, __u32 index, __u32 cpu, struct amounts a, __u32 cut)
{
	struct amounts slow;

	if (unlikely(s->next) && unwritten_since(cut, s->chain_stamp))
		detach_chain(s);
	if (likely(s->entries[0].cpu == cpu)) {
		add(&s->entries[0], a, cut);
		return true;
	}
	if (settings.entries > 1 && s->entries[1].cpu == cpu) {
		add(&s->entries[1], a, cut);
		return true;
	}
	slow = a; /* only this one needs an address */
	return charge_elsewhere(s, index, cpu, &slow, cut);
}

#endif
