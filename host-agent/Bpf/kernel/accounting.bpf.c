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

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct keck_settings settings = { .entries = KECK_ENTRIES };

#define ARRAY_OF(map, record, flags) \
	struct { \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(map_flags, flags); \
		__uint(max_entries, 1); \
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

ARRAY_OF(cpus, struct keck_cpu, BPF_F_MMAPABLE);
ARRAY_OF(slots, struct keck_slot, BPF_F_MMAPABLE);
ARRAY_OF(metas, struct keck_meta, BPF_F_MMAPABLE);
ARRAY_OF(ring, __u64, BPF_F_MMAPABLE);
ARRAY_OF(slot_counters, struct keck_counters, BPF_F_MMAPABLE);
ARRAY_OF(pids, struct keck_ref, 0);
ARRAY_OF(cpu_counters, struct keck_counters, 0);
EVENTS(events0);
EVENTS(events1);
EVENTS(events2);

struct keck_globals globals; /* the whole of .bss, mapped by the agent */

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

/* ------------------------------------------------------------------ slots */

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

static __always_inline void clear_slot(struct keck_slot *s)
{
	s->runtime = 0;
	s->next = 0;
	s->chain_stamp = 0;
	s->home = 0;
	s->cpu = 0;
	for (int i = 0; i < KECK_ENTRIES; i++) {
		s->entries[i].ns = 0;
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

/* ---------------------------------------------------------------- entries */

struct amounts { __u64 ns, weighted, shared_ns; };

static __always_inline void add(struct keck_entry *e, struct amounts *a, __u32 drained)
{
	e->ns += a->ns;
	if (settings.weigh)
		e->weighted += a->weighted;
	if (settings.smt)
		e->shared_ns += a->shared_ns;
	e->stamp = drained;
}

static __always_inline void claim(struct keck_slot *s, struct keck_entry *e, __u32 cpu, struct amounts *a, __u32 drained)
{
	s->seq++;
	barrier();
	e->cpu = cpu;
	e->ns = a->ns;
	e->weighted = a->weighted;
	e->shared_ns = a->shared_ns;
	e->stamp = drained;
	barrier();
	s->seq++;
}

/* Looks through one slot: the CPU's own entry, else one that may be claimed. */
static __always_inline bool add_or_claim(struct keck_slot *s, __u32 cpu, struct amounts *a, __u32 drained, bool may_claim)
{
	for (int i = 0; i < KECK_ENTRIES; i++) {
		struct keck_entry *e = &s->entries[i];

		if (i >= settings.entries)
			break;
		if (!may_claim && e->cpu == cpu) {
			add(e, a, drained);
			return true;
		}
		if (may_claim && (!e->cpu || drained - e->stamp >= 2)) {
			claim(s, e, cpu, a, drained);
			return true;
		}
	}
	return false;
}

/* A CPU that has no inline entry: overflow slots, chained; at worst one per CPU. */
static __noinline bool charge_elsewhere(struct keck_slot *s, __u32 index, __u32 cpu, struct amounts *a, __u32 drained)
{
	struct keck_slot *overflow;
	__u32 at = s->next;

	for (int i = 0; i < 1024 && at; i++) {
		overflow = slot_at(at);
		if (!overflow)
			break;
		if (add_or_claim(overflow, cpu, a, drained, false)) {
			s->chain_stamp = drained;
			return true;
		}
		at = overflow->next;
	}
	if (add_or_claim(s, cpu, a, drained, true))
		return true;
	overflow = s->next ? slot_at(s->next) : 0;
	if (overflow && add_or_claim(overflow, cpu, a, drained, true)) {
		s->chain_stamp = drained;
		return true;
	}
	at = take_slot();
	overflow = slot_at(at);
	if (!at || !overflow)
		return false;
	clear_slot(overflow);
	overflow->home = index;
	overflow->next = s->next;
	claim(overflow, &overflow->entries[0], cpu, a, drained);
	overflow->state = KECK_OVERFLOW;
	s->chain_stamp = drained;
	barrier();
	s->next = at;
	__sync_fetch_and_add(&globals.overflows, 1);
	return true;
}

static __always_inline bool charge(struct keck_slot *s, __u32 index, __u32 cpu, struct amounts *a, __u32 drained)
{
	if (unlikely(s->next) && drained - s->chain_stamp >= 2)
		detach_chain(s);
	if (likely(s->entries[0].cpu == cpu)) {
		add(&s->entries[0], a, drained);
		return true;
	}
	if (settings.entries > 1 && s->entries[1].cpu == cpu) {
		add(&s->entries[1], a, drained);
		return true;
	}
	if (settings.entries > 2 && s->entries[2].cpu == cpu) {
		add(&s->entries[2], a, drained);
		return true;
	}
	return charge_elsewhere(s, index, cpu, a, drained);
}

/* --------------------------------------------------------------- siblings */

/* How long the sibling has been busy in all, at this moment of its clock. */
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
	for (int attempt = 0; attempt < 3; attempt++) {
		__u64 seq = *(volatile __u64 *)&other->seq, since;

		barrier();
		busy = *(volatile __u64 *)&other->busy_ns;
		since = *(volatile __u64 *)&other->clock;
		if (*(volatile __u32 *)&other->slot && (__s64)(clock - since) > 0)
			busy += clock - since;
		barrier();
		if (!(seq & 1) && seq == *(volatile __u64 *)&other->seq)
			break;
	}
	return busy;
}

/* ----------------------------------------------------------------- switch */

static __always_inline __u64 slice_weight(struct keck_cpu *c, __u64 clock, __u64 ns)
{
	__u64 whole = clock - c->clock;

	if (likely(!c->mhz_since) || !whole)
		return ns * c->mhz;
	/* The frequency changed within the slice: its time-weighted mean. */
	return (c->mhz_sum + (clock - c->mhz_since) * c->mhz) / whole * ns;
}

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

/*
 * This CPU went from the thread on record to prev unseen. Who was on record is settled from its own task_struct, if that
 * is still the same thread; prev is taken up where it came in.
 */
static __noinline void repair(struct keck_cpu *c, struct task_struct *prev, struct rq *rq, __u32 cpu, __u32 drained)
{
	__u64 arrival, ran, task_clock = rq->clock_task, clock = rq->clock;
	__u32 index = c->slot;
	struct keck_slot *s;

	c->missed++;
	s = index && index != KECK_NO_SLOT ? slot_at(index) : 0;
	if (s && s->state == KECK_LIVE) {
		struct task_struct *left = (struct task_struct *)c->task;
		struct keck_meta *m = bpf_map_lookup_elem(&metas, &index);
		__u64 runtime = BPF_CORE_READ(left, se.sum_exec_runtime), start = BPF_CORE_READ(left, start_boottime);
		__u32 tid = BPF_CORE_READ(left, pid);
		struct amounts a = {};
		__u64 old = s->runtime;

		if (m && m->tid == tid && m->start_ns == start && (__s64)(runtime - old) > 0 &&
		    __sync_val_compare_and_swap(&s->runtime, old, runtime) == old) {
			a.ns = runtime - old;
			a.weighted = a.ns * c->mhz;
			if (!charge(s, index, cpu + 1, &a, drained))
				c->lost_ns += a.ns;
		}
	}
	if (prev->pid) {
		arrival = prev->sched_info.last_arrival - (clock - task_clock);
		if ((__s64)(arrival - c->task_clock) < 0 || (__s64)(task_clock - arrival) < 0)
			arrival = c->task_clock;
		if (!index)
			c->idle_ns += arrival - c->task_clock;
		ran = prev->se.sum_exec_runtime;
		if (ran > task_clock - arrival)
			ran -= task_clock - arrival;
		else
			ran = 0;
		c->slot = adopt(prev, ran);
		c->entry_runtime = ran;
	} else {
		arrival = prev->se.exec_start;
		if ((__s64)(arrival - c->task_clock) < 0 || (__s64)(task_clock - arrival) < 0)
			arrival = task_clock;
		c->slot = 0;
	}
	c->busy_ns += index ? arrival - c->task_clock : 0;
	c->clock += arrival - c->task_clock;
	c->task_clock = arrival;
	c->mhz_since = 0;
	if (settings.smt)
		c->sibling_mark = sibling_busy(c, c->clock);
}

/* The thread leaving: its growth goes to its slot's entry of this CPU. */
static __always_inline void settle(struct keck_cpu *c, struct task_struct *prev, __u32 cpu, __u64 clock, __u32 drained)
{
	__u64 runtime = prev->se.sum_exec_runtime;
	__u32 index = c->slot;
	struct keck_slot *s = slot_at(index);
	struct amounts a = {};

	if (unlikely(!s)) {
		if ((__s64)(runtime - c->entry_runtime) > 0)
			c->lost_ns += runtime - c->entry_runtime;
		c->entry_runtime = runtime;
		return;
	}
	a.ns = runtime - s->runtime;
	if (unlikely((__s64)a.ns <= 0))
		return;
	s->runtime = runtime;
	if (settings.weigh)
		a.weighted = slice_weight(c, clock, a.ns);
	if (settings.smt) {
		a.shared_ns = sibling_busy(c, clock) - c->sibling_mark;
		if (a.shared_ns > a.ns)
			a.shared_ns = (__s64)a.shared_ns < 0 ? 0 : a.ns;
	}
	if (unlikely(!charge(s, index, cpu + 1, &a, drained)))
		c->lost_ns += a.ns;
}

static __always_inline void enter(struct keck_cpu *c, struct task_struct *next, __u32 cpu, __u64 clock, __u64 task_clock)
{
	__u32 tid = next->pid;
	struct keck_slot *s;

	c->task = (__u64)next;
	c->clock = clock;
	c->task_clock = task_clock;
	if (settings.weigh)
		c->mhz_since = 0;
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
	if (settings.smt)
		c->sibling_mark = sibling_busy(c, clock);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct keck_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct rq *rq = prev->se.cfs_rq->rq;
	__u64 clock = rq->clock, task_clock = rq->clock_task;
	__u32 drained;

	if (!c)
		return 0;
	drained = *(volatile __u64 *)&globals.drained;
	c->seq++;
	barrier();
	if (!(c->switches++ & 63))
		c->offset = bpf_ktime_get_ns() - clock;
	if (unlikely(!c->on)) {
		/* First switch seen on this CPU (attached or plugged in just now): from here on. */
		if (settings.counters)
			read_counters(cpu, 0);
		c->on = 1;
	} else {
		if (unlikely(c->task != (__u64)prev))
			repair(c, prev, rq, cpu, drained);
		if (settings.counters)
			read_counters(cpu, c->slot);
		if (c->slot) {
			__u64 search = task_clock - prev->se.exec_start;

			settle(c, prev, cpu, clock, drained);
			/* From the thread's last instant to here the scheduler looked for work: no thread's time. */
			if (search && search <= task_clock - c->task_clock)
				c->idle_ns += search;
			if (settings.smt)
				c->busy_ns += clock - c->clock;
			if (unlikely(prev->__state & TASK_DEAD)) {
				struct keck_slot *s = slot_at(c->slot);

				if (s)
					bury(s, c->slot);
			}
		} else {
			c->idle_ns += task_clock - c->task_clock;
		}
	}
	enter(c, next, cpu, clock, task_clock);
	barrier();
	c->seq++;
	return 0;
}

/*
 * Run on one CPU by the agent: settles the running thread up to the scheduler's last update (a tick at most) and begins
 * the accounting of a CPU that has not switched yet. rq->clock is as old as that update, so the clock's offset may
 * only come out too large here: the smaller one is kept.
 */
SEC("raw_tp/flush")
int flush(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id();
	struct keck_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	struct rq *rq = task->se.cfs_rq->rq;
	__u64 clock = rq->clock, behind = clock - rq->clock_task, task_clock = rq->clock_task;
	__s64 offset = bpf_ktime_get_ns() - clock;

	if (!c)
		return 0;
	c->seq++;
	barrier();
	if (task->pid)
		task_clock = task->se.exec_start;
	if (!c->on) {
		c->offset = offset;
		if (settings.counters)
			read_counters(cpu, 0);
		enter(c, task, cpu, task_clock + behind, task_clock);
		c->on = 1;
	} else if (c->task == (__u64)task && task->pid) {
		if (offset < c->offset)
			c->offset = offset;
		if (settings.counters)
			read_counters(cpu, c->slot);
		settle(c, task, cpu, task_clock + behind, globals.drained);
		if (settings.smt) {
			c->busy_ns += task_clock + behind - c->clock;
			c->sibling_mark = sibling_busy(c, task_clock + behind);
		}
		c->clock = task_clock + behind;
		c->task_clock = task_clock;
		c->mhz_since = 0;
	}
	barrier();
	c->seq++;
	return 0;
}

/* ------------------------------------------------------------------ lives */

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
	__u32 at = 0, index, cpu, drained;
	struct keck_ref *ref = find_ref(task->pid, tag_of(task), &at);
	struct amounts a = {};
	struct keck_slot *s;

	if (!ref)
		return 0;
	index = ref->slot;
	s = slot_at(index);
	if (!s || s->state != KECK_LIVE)
		return 0;
	drained = globals.drained;
	a.ns = task->se.sum_exec_runtime - s->runtime;
	cpu = s->cpu + 1;
	if ((__s64)a.ns > 0) {
		s->runtime = task->se.sum_exec_runtime;
		if (!charge(s, index, cpu, &a, drained)) {
			struct keck_cpu *c;

			cpu--;
			c = bpf_map_lookup_elem(&cpus, &cpu);
			if (c)
				__sync_fetch_and_add(&c->lost_ns, a.ns);
		}
	}
	__sync_fetch_and_add(&globals.late_deaths, 1);
	bury(s, index);
	return 0;
}

/* -------------------------------------------------------------- frequency */

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
