/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Switches that never reach the tracepoint. Some kernels keep quiet while certain tasks are current, so that the departure
 * of such a task is never seen, nor is the arrival of another one right after it. rq->nr_switches counts them all.
 */
#ifndef KECK_MISSED_H
#define KECK_MISSED_H

#include "entries.h"
#include "siblings.h"

/* Switches since the last one that was seen, this one not counted; within the CPU's own seq only. */
static __always_inline __s64 unseen(struct keck_cpu *c, struct rq *rq)
{
	return rq->nr_switches - c->base_switches - ((c->seq + 1) / 2 - c->flushes) - c->missed;
}

/*
 * What a slice has more than its thread ran. If no switch was missed, nobody else was there: the scheduler looked for
 * work, after the thread or in the midst (it may end up with the same one). That is no thread's time: idle.
 */
static __always_inline void leave_rest(struct keck_cpu *c, struct rq *rq, __s64 rest)
{
	__s64 missed = unseen(c, rq);

	c->missed += missed;
	if (rest > 0 && !missed)
		c->idle_ns += rest;
	else
		c->unplaced_ns += rest;
}

/* Takes ns of the open time; what is more ran in an earlier gap, which was left unplaced there. */
static __always_inline void take(struct scratch *g, struct keck_cpu *c, __u64 ns)
{
	g->parties++;
	if (ns <= g->open) {
		g->open -= ns;
		return;
	}
	c->unplaced_ns -= ns - g->open;
	g->open = 0;
}

/*
 * Charges a slot's thread on this CPU for the scratch's ns, which nobody has settled: unless someone has since `before` was read.
 * Not static: the verifier looks at it once.
 */
__noinline int settle_unseen(__u32 index, __u32 cpu, __u64 before, __u32 cut)
{
	struct keck_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct keck_slot *s = slot_at(index);
	struct scratch *g = scratch();

	if (!c || !s || !g)
		return false;
	if (__sync_val_compare_and_swap(&s->runtime, before, before + g->amounts.ns) != before)
		return false;
	g->amounts.weighted = g->amounts.ns * c->mhz;
	if (!charge(s, index, cpu + 1, g->amounts, cut, &g->amounts))
		c->lost_ns += g->amounts.ns;
	return true;
}

static __always_inline void take_thread(struct scratch *g, struct keck_cpu *c, __u32 index, __u32 cpu, __u64 before, __u64 ns, __u32 cut)
{
	g->amounts.ns = ns;
	g->amounts.shared_ns = 0;
	if (settings.smt && g->whole)
		g->amounts.shared_ns = g->shared * (ns > g->whole ? g->whole : ns) / g->whole;
	if (settle_unseen(index, cpu, before, cut))
		take(g, c, g->amounts.ns);
}

/* What a thread that is not current has run beyond `before`; 0 where the slot has another thread by now. */
static __noinline __u64 growth_of(struct task_struct *task, struct keck_slot *s, __u32 index, __u64 before)
{
	struct keck_meta *m = bpf_map_lookup_elem(&metas, &index);
	__u64 runtime = BPF_CORE_READ(task, se.sum_exec_runtime), start = BPF_CORE_READ(task, start_boottime);
	__u32 tid = BPF_CORE_READ(task, pid);

	if (!m || s->state != KECK_LIVE || m->tid != tid || m->start_ns != start || (__s64)(runtime - before) < 0)
		return 0;
	return runtime - before;
}

static __always_inline bool is_on(struct task_struct *task, struct rq *rq)
{
	return BPF_CORE_READ(task, se.cfs_rq, rq) == rq;
}

/* Threads whose departure was missed before: one of them may have come and gone between two that were. */
static __always_inline void take_strays(struct scratch *g, struct keck_cpu *c, struct rq *rq, __u32 index, __u32 cpu, __u32 cut)
{
	for (__u32 at = 0; at < KECK_STRAYS && g->open; at++) {
		__u32 slot = at;
		struct keck_stray *stray = bpf_map_lookup_elem(&strays, &slot);
		struct task_struct *task;
		struct keck_slot *s;
		__u64 ns, before;

		if (!stray || !stray->slot || stray->slot == index)
			continue;
		slot = stray->slot;
		task = (struct task_struct *)stray->task;
		s = slot_at(slot);
		if (!s || !is_on(task, rq))
			continue;
		before = *(volatile __u64 *)&s->runtime;
		ns = growth_of(task, s, slot, before);
		if (ns)
			take_thread(g, c, slot, cpu, before, ns > g->open ? g->open : ns, cut);
	}
}

static __always_inline void remember(__u32 index, __u64 task)
{
	__u32 at = index % KECK_STRAYS;
	struct keck_stray *stray = bpf_map_lookup_elem(&strays, &at);

	if (stray) {
		stray->task = task;
		stray->slot = index;
	}
}

/*
 * This CPU went from the task on record to `task` unseen. Everyone's share is the growth of his own runtime, idle's too
 * where the kernel keeps it (6.12). Afterwards `task` is on record from its last update on.
 */
static __noinline void repair(struct keck_cpu *c, struct task_struct *task, struct rq *rq, __u32 cpu, __u32 cut)
{
	__u64 task_clock = rq->clock_task, behind = rq->clock - task_clock, end = task->se.exec_start, idle = 0, idle_before = c->idle_ns, ns;
	__u32 old = c->slot, index = 0;
	struct scratch *g = scratch();
	struct keck_slot *s;
	bool idles = !old || !task->pid;
	__s64 missed;

	if (!g)
		return;
	missed = unseen(c, rq);
	c->missed += missed;
	g->parties = 0;
	if ((__s64)(end - c->task_clock) < 0 || (__s64)(task_clock - end) < 0 || (!task->pid && !task->se.sum_exec_runtime))
		end = task_clock;
	g->whole = g->open = end - c->task_clock;
	if (settings.smt) {
		__u64 busy = sibling_busy(c, end + behind);

		g->shared = busy - c->sibling_mark;
		if (g->shared > g->whole)
			g->shared = (__s64)g->shared < 0 ? 0 : g->whole;
		c->sibling_mark = busy;
	}
	if (task->pid) {
		__u64 runtime = task->se.sum_exec_runtime, arrival = task->sched_info.last_arrival - behind;

		if ((__s64)(arrival - c->task_clock) < 0 || (__s64)(end - arrival) < 0)
			arrival = c->task_clock;
		ns = end - arrival > runtime ? runtime : end - arrival;
		index = adopt(task, runtime - ns); /* never seen before: its present slice is all that is ours */
		s = slot_at(index);
		if (s) {
			s->cpu = cpu;
			ns = runtime - s->runtime;
			if ((__s64)ns > 0)
				take_thread(g, c, index, cpu, s->runtime, ns, cut);
		} else {
			take(g, c, ns);
			c->lost_ns += ns;
		}
		c->entry_runtime = runtime;
	}
	ns = BPF_CORE_READ(rq, idle, se.sum_exec_runtime);
	if (ns) {
		idle = ns - c->idle_runtime;
		c->idle_runtime = ns;
		if ((__s64)idle < 0)
			idle = 0;
		if (idle > g->open)
			idle = g->open;
		c->idle_ns += idle;
		if (idle)
			take(g, c, idle);
		idles = false;
	}
	s = old && old != index ? slot_at(old) : 0;
	if (s) {
		struct task_struct *left = (struct task_struct *)c->task;
		__u64 before = *(volatile __u64 *)&s->runtime;

		ns = growth_of(left, s, old, before);
		if (ns > g->open && !is_on(left, rq))
			ns = g->open; /* it runs elsewhere by now: the rest is that CPU's */
		if (ns)
			take_thread(g, c, old, cpu, before, ns, cut);
		remember(old, c->task);
	}
	take_strays(g, c, rq, index, cpu, cut);
	if (idles || g->parties > missed)
		c->idle_ns += g->open; /* all who were there are known: the rest is the scheduler's own time, as in leave_rest */
	else
		c->unplaced_ns += g->open;
	c->busy_ns += g->whole - (c->idle_ns - idle_before);
	c->task = (__u64)task;
	c->slot = index;
	c->task_clock = end;
	c->clock = end + behind;
	c->mhz_since = 0;
}

#endif
