// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who ran where and how long, to the nanosecond.
 *
 * Time is the scheduler's own: at a switch prev->se.sum_exec_runtime is up to date in every class, so the growth
 * since the slot's last value is what the thread ran. No clock is read, and a switch that this program never sees
 * is made good by the next one. rq->clock_task gives idle time, rq->clock - rq->clock_task interrupt and steal time.
 */
#include "kernel.h"
#include "records.h"
#include "maps.h"
#include "slots.h"
#include "entries.h"
#include "siblings.h"
#include "counters.h"
#include "frequency.h"
#include "missed.h"
#include "lives.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The thread leaving: its growth, up to its last update, goes to its slot's entry of this CPU. */
static __always_inline struct keck_slot *settle(struct keck_cpu *c, __u32 index, struct task_struct *prev, __u32 cpu, __u64 clock, __u64 busy, __u32 cut, __u64 *ns)
{
	__u64 runtime = prev->se.sum_exec_runtime;
	struct keck_slot *s = slot_at(index);
	struct amounts a = {};

	if (unlikely(!s)) {
		a.ns = runtime - c->entry_runtime;
		c->entry_runtime = runtime;
		if ((__s64)a.ns < 0)
			a.ns = 0;
		c->lost_ns += a.ns;
		*ns = a.ns;
		return s;
	}
	a.ns = runtime - s->runtime;
	if (unlikely((__s64)a.ns <= 0)) {
		*ns = 0;
		return s;
	}
	*ns = a.ns;
	s->runtime = runtime;
	if (settings.weigh)
		a.weighted = slice_weight(c, clock, a.ns);
	if (settings.smt) {
		a.shared_ns = busy - c->sibling_mark;
		if (a.shared_ns > a.ns)
			a.shared_ns = (__s64)a.shared_ns < 0 ? 0 : a.ns;
	}
	if (unlikely(!charge(s, index, cpu + 1, a, cut, 0)))
		c->lost_ns += a.ns;
	return s;
}

/* From here on `next` is on record. */
static __always_inline void enter(struct keck_cpu *c, struct task_struct *next, __u32 cpu, __u64 clock, __u64 task_clock, __u64 busy)
{
	__u32 tid = next->pid;
	struct keck_slot *s;

	c->task = (__u64)next;
	c->clock = clock;
	c->task_clock = task_clock;
	if (settings.weigh)
		c->mhz_since = 0;
	if (settings.smt)
		c->sibling_mark = busy;
	if (!tid) {
		c->slot = 0;
		return;
	}
	c->slot = slot_of(next, tid);
	s = slot_at(c->slot);
	/* A store does not wait for the line, as the loads at the switch-out would. */
	if (likely(s))
		s->cpu = cpu;
	else
		c->entry_runtime = next->se.sum_exec_runtime;
}

/* The first time that a CPU is seen (attached, or plugged in): its accounting begins here. */
static __noinline void begin(struct keck_cpu *c, struct rq *rq, __u32 cpu)
{
	c->rq = (__u64)rq;
	c->base_switches = rq->nr_switches - ((c->seq + 1) / 2 - c->flushes) - c->missed;
	c->idle_runtime = BPF_CORE_READ(rq, idle, se.sum_exec_runtime);
	if (settings.counters)
		read_counters(cpu, 0);
	c->on = 1;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct keck_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct rq *rq = prev->se.cfs_rq->rq;
	__u64 clock = rq->clock, task_clock = rq->clock_task, busy = 0, seq;
	struct keck_slot *s;
	__u32 cut, index;

	if (!c)
		return 0;
	seq = c->seq;
	c->seq = seq + 1;
	barrier();
	cut = cut_of(c);
	if (unlikely(!(seq & 126)))
		c->offset = bpf_ktime_get_ns() - clock;
	if (unlikely(c->task != (__u64)prev)) {
		if (!c->on) {
			begin(c, rq, cpu);
			if (settings.smt)
				busy = sibling_busy(c, clock);
			goto next;
		}
		repair(c, prev, rq, cpu, cut);
	}
	if (settings.smt)
		busy = sibling_busy(c, clock);
	index = c->slot;
	if (settings.counters)
		read_counters(cpu, index);
	if (index) {
		__u64 slice = task_clock - c->task_clock, ns;

		s = settle(c, index, prev, cpu, clock, busy, cut, &ns);
		if (unlikely(ns != slice))
			leave_rest(c, rq, slice - ns);
		if (settings.smt)
			c->busy_ns += clock - c->clock;
		if (unlikely(prev->__state & TASK_DEAD) && s)
			bury(s, index);
	} else {
		c->idle_ns += task_clock - c->task_clock;
		c->idle_runtime = prev->se.sum_exec_runtime;
	}
next:
	enter(c, next, cpu, clock, task_clock, busy);
	barrier();
	c->seq = seq + 2;
	return 0;
}

/*
 * Run on one CPU by the agent: settles the running thread up to the scheduler's last update (a tick at most), takes up who
 * came in unseen, and begins the accounting of a CPU that has not switched yet. rq->clock is as old as that update, so the
 * clock's offset may only come out too large here: the smaller one is kept.
 */
SEC("raw_tp/flush")
int flush(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id();
	struct keck_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct rq *rq = task->se.cfs_rq->rq;
	__u64 clock = rq->clock, behind = clock - rq->clock_task, task_clock = rq->clock_task, busy, ns;
	__s64 offset = bpf_ktime_get_ns() - clock;

	if (!c)
		return 0;
	c->seq++;
	c->flushes++;
	barrier();
	if (task->pid)
		task_clock = task->se.exec_start;
	clock = task_clock + behind;
	busy = settings.smt ? sibling_busy(c, clock) : 0;
	if (!c->on) {
		c->offset = offset;
		begin(c, rq, cpu);
		enter(c, task, cpu, clock, task_clock, busy);
	} else if (c->task != (__u64)task || unseen(c, rq)) {
		if (settings.counters)
			read_counters(cpu, c->slot);
		repair(c, task, rq, cpu, cut_of(c));
	} else if (task->pid) {
		if (offset < c->offset)
			c->offset = offset;
		if (settings.counters)
			read_counters(cpu, c->slot);
		settle(c, c->slot, task, cpu, clock, busy, cut_of(c), &ns);
		leave_rest(c, rq, task_clock - c->task_clock - ns);
		if (settings.smt) {
			c->busy_ns += clock - c->clock;
			c->sibling_mark = busy;
		}
		c->clock = clock;
		c->task_clock = task_clock;
		c->mhz_since = 0;
	}
	barrier();
	c->seq++;
	return 0;
}

/* Run once a drain by the agent, on any CPU: how many switches each CPU has really made, so that it knows whom to trust. */
SEC("raw_tp/look")
int look(void *context)
{
	for (__u32 i = 0; i < KECK_CPUS; i++) {
		__u32 cpu = i;
		struct keck_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
		struct rq *rq;

		if (!c)
			break;
		rq = (struct rq *)c->rq;
		if (rq)
			c->switches = BPF_CORE_READ(rq, nr_switches);
	}
	return 0;
}
