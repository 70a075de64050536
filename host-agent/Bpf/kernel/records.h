/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory that the kernel programs and the agent share. The agent's mirror is in Interop;
 * a test compiles this file against it. Counters only grow; readers take differences modulo 2^64.
 */
#ifndef KECK_RECORDS_H
#define KECK_RECORDS_H

#include <linux/types.h>

#define KECK_ENTRIES 2		/* inline run entries of a slot */
#define KECK_DRAIN 256		/* a cut is KECK_DRAIN x drain + attempt */
#define KECK_COUNTERS 3		/* instructions, cycles, LLC misses */
#define KECK_COMM 16
#define KECK_STRAYS 16		/* threads remembered whose departure was missed */
#define KECK_CPUS 1024		/* most CPUs that are looked at */
#define KECK_NO_SLOT 0xffffffffu /* current thread has no slot: its time is lost time */

enum keck_slot_state {
	KECK_FREE = 0,		/* in the ring, or in the agent's hands */
	KECK_LIVE = 1,		/* a thread's slot */
	KECK_DEAD = 2,		/* the thread is gone; final, the agent recycles it */
	KECK_OVERFLOW = 3,	/* more CPUs of the thread whose slot is `home` */
	KECK_DETACHED = 4,	/* an overflow chain no longer in use; final, the agent recycles it */
};

/*
 * One thread on one CPU. 40 bytes. The agent reads the slots some time after it has cut a CPU's time (struct keck_cpu, cut): the
 * first write after a cut keeps what was there before it.
 */
struct keck_entry {
	__u64 ns;		/* time run */
	__u64 ns_at_cut;	/* ns before the first write that carries `stamp` */
	__u32 cpu;		/* CPU number + 1; 0 = unused */
	__u32 stamp;		/* the CPU's cut at the last write; two drains later the entry may be taken for another CPU */
	__u64 weighted;		/* sum of ns x MHz; 0 unless the frequency is known at the switch */
	__u64 shared_ns;	/* part of ns with the sibling hyperthread busy */
};

/* One thread: header and first entry share a cache line. 128 bytes. */
struct keck_slot {
	__u64 runtime;		/* the thread's sum_exec_runtime that has been accounted so far */
	__u32 state;		/* enum keck_slot_state */
	__u32 seq;		/* odd while an entry changes its CPU */
	__u32 next;		/* first overflow slot, 0 = none */
	__u32 chain_stamp;	/* the cut when an overflow entry was last written */
	__u32 home;		/* thread: the index in the pid table that points here; overflow: the thread's slot */
	__u32 cpu;		/* where it last came in; written then, so that the line is here when it goes out */
	struct keck_entry entries[KECK_ENTRIES];
	__u64 reserved[2];
};

/* Who a slot is: written at birth, exec and rename. 64 bytes. */
struct keck_meta {
	__u64 start_ns;		/* task->start_boottime: field 22 of /proc/PID/stat is this in ticks */
	__u64 leader_start_ns;	/* the same of the thread group's leader */
	__u64 cgroup_id;	/* inode of the task's cgroup in the unified hierarchy */
	__u32 tid;
	__u32 tgid;
	__u32 flags;		/* task->flags; 0x00200000 = kernel thread */
	__u32 generation;	/* odd while being written; changes when anything here does */
	char comm[KECK_COMM];
	__u64 reserved;
};

/* One CPU. Written by that CPU only, under seq (odd = in flux). 192 bytes. */
struct keck_cpu {
	__u64 seq;
	__u64 clock;		/* rq->clock at the last switch */
	__u64 task_clock;	/* rq->clock_task at the last switch: clock minus interrupt and steal time */
	__s64 offset;		/* CLOCK_MONOTONIC - rq->clock */
	__u64 idle_ns;		/* without a thread, up to task_clock */
	__u64 lost_ns;		/* threads that found no slot */
	__u64 busy_ns;		/* not idle, on rq->clock, up to clock: for the sibling */
	__u64 flushes;		/* seq is 2 x (switches + flushes) */
	/* second line */
	__u64 missed;		/* switches that the program never saw, by rq->nr_switches, noticed at the next one */
	__u64 task;		/* address of the current thread's task_struct */
	__u64 entry_runtime;	/* its runtime when it came in (for threads without slot) */
	__u64 sibling_mark;	/* the sibling's busy time when it came in */
	__u32 slot;		/* its slot; 0 = idle, KECK_NO_SLOT = lost */
	__u32 mhz;		/* present frequency; 0 = unknown */
	__u64 mhz_since;	/* rq clock of the last frequency change within the slice; 0 = none */
	__u64 mhz_sum;		/* ns x MHz of the slice before that change */
	__u16 sibling;		/* sibling hyperthread's CPU + 1, 0 = none: written by the agent */
	__u16 on;		/* 1 once this CPU is being accounted */
	__u32 cut;		/* written by the agent: time from here on is for its next drain */
	/* third line */
	__u64 rq;		/* address of its run queue */
	__u64 base_switches;	/* rq->nr_switches - seen - missed */
	__u64 idle_runtime;	/* the idle task's sum_exec_runtime that has been accounted; 0 before 6.12 */
	__s64 unplaced_ns;	/* time of threads that came and went unseen; falls when they bring it home elsewhere */
	__u64 switches;		/* rq->nr_switches when the agent last had it looked at: written by any CPU */
	__u64 cpu_pad[3];
};

/* What is there once. Each line has one writer. 128 bytes. */
struct keck_globals {
	__u64 tail;		/* free ring: produced by the agent */
	__u64 agent_pad[7];
	__u64 head;		/* free ring: consumed by the programs */
	__u64 exhausted;	/* a slot was wanted and none was free */
	__u64 collisions;	/* no way of the pid table was free */
	__u64 overflows;	/* overflow slots taken */
	__u64 late_deaths;	/* a thread's last switch was missed; its task_struct told */
	__u64 program_pad[3];
};

/* Pid table: tid -> slot. 8 bytes. */
struct keck_ref {
	__u32 slot;
	__u32 tag;		/* lower half of the task_struct's address */
};

/* A thread whose departure was missed, and may be again. 16 bytes. */
struct keck_stray {
	__u64 task;
	__u32 slot;		/* 0 = none */
	__u32 reserved;
};

/* Counters of a thread, or a CPU's last readings. 32 bytes. */
struct keck_counters {
	__u64 value[KECK_COUNTERS];
	__u64 reserved;
};

/* Fixed before the load; the verifier drops what they switch off. 32 bytes. */
struct keck_settings {
	__u32 pid_mask;		/* entries of the pid table - 1 */
	__u32 pid_way_shift;	/* log2(entries) - 3: eight ways */
	__u32 ring_mask;	/* entries of the free ring - 1 */
	__u32 smt;		/* 1 = some CPU has a sibling */
	__u32 weigh;		/* 1 = the frequency comes from the cpu_frequency tracepoint */
	__u32 counters;		/* perf counters read at a switch, 0 to 3 */
	__u32 entries;		/* inline entries used, 1 or 2: 1 only in tests of the overflow */
	__u32 reserved;
};

#endif
