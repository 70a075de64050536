/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A slot's time by CPU: two entries inline, more of them in chained overflow slots. */
#ifndef KECK_ENTRIES_H
#define KECK_ENTRIES_H

#include "slots.h"

/* Two drains without a write? Another CPU's cut may be ahead of ours: it is cut first. */
static __always_inline bool unwritten_since(__u32 cut, __u32 stamp)
{
	return (__s32)(cut - stamp) >= 2 * KECK_DRAIN;
}

/* Keeps what was there at the cut. */
static __always_inline void mark(struct keck_entry *e, __u32 cut)
{
	if (e->stamp != cut) {
		e->ns_at_cut = e->ns;
		barrier();
		e->stamp = cut;
		barrier();
	}
}

static __always_inline void add(struct keck_entry *e, struct amounts a, __u32 cut)
{
	mark(e, cut);
	e->ns += a.ns;
	if (settings.weigh)
		e->weighted += a.weighted;
	if (settings.smt)
		e->shared_ns += a.shared_ns;
}

static __noinline void add_to(struct keck_entry *e, struct amounts *a, __u32 cut)
{
	mark(e, cut);
	e->ns += a->ns;
	e->weighted += a->weighted;
	e->shared_ns += a->shared_ns;
}

static __noinline bool claim(struct keck_slot *s, struct keck_entry *e, __u32 cpu, struct amounts *a, __u32 cut)
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
	return true;
}

/* The CPU's own entry of one slot. */
static __noinline struct keck_entry *own_entry(struct keck_slot *s, __u32 cpu)
{
	if (s->entries[0].cpu == cpu)
		return &s->entries[0];
	if (settings.entries > 1 && s->entries[1].cpu == cpu)
		return &s->entries[1];
	return 0;
}

/* An entry of one slot that may be taken for another CPU. */
static __noinline struct keck_entry *spare_entry(struct keck_slot *s, __u32 cut)
{
	if (!s->entries[0].cpu || unwritten_since(cut, s->entries[0].stamp))
		return &s->entries[0];
	if (settings.entries > 1 && (!s->entries[1].cpu || unwritten_since(cut, s->entries[1].stamp)))
		return &s->entries[1];
	return 0;
}

/*
 * A CPU that has no inline entry: overflow slots, chained; at worst one per CPU. Not static: the verifier looks at it once,
 * not at every call. Small functions, and what they share in the scratch: verifiers before 6.7 round each frame up to 32 bytes,
 * and the frames of a chain of calls may take 512 together.
 */
__noinline int charge_elsewhere(struct keck_slot *s, __u32 index, __u32 cpu, struct amounts *a, __u32 cut)
{
	struct keck_slot *overflow;
	struct keck_entry *e;
	__u32 at;

	if (!s || !a)
		return false;
	at = s->next;
	for (int i = 0; i < 1024 && at; i++) {
		overflow = slot_at(at);
		if (!overflow)
			break;
		e = own_entry(overflow, cpu);
		if (e) {
			add_to(e, a, cut);
			s->chain_stamp = cut;
			return true;
		}
		at = overflow->next;
	}
	e = spare_entry(s, cut);
	if (e)
		return claim(s, e, cpu, a, cut);
	overflow = s->next ? slot_at(s->next) : 0;
	e = overflow ? spare_entry(overflow, cut) : 0;
	if (e) {
		s->chain_stamp = cut;
		return claim(overflow, e, cpu, a, cut);
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

/* `at` is where the amounts may stand for the slow way; 0 = in the scratch, looked up there only. */
static __always_inline bool charge(struct keck_slot *s, __u32 index, __u32 cpu, struct amounts a, __u32 cut, struct amounts *at)
{

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
	if (!at)
		at = room();
	if (!at)
		return false;
	*at = a; /* only this way needs an address */
	return charge_elsewhere(s, index, cpu, at, cut);
}

#endif
