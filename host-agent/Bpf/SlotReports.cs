using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf;

/// <summary>Turns a slot into a thread's runs: the growth of its entries up to each CPU's cut, the running slice included.</summary>
/// <param name="memory">Where the records lie.</param>
/// <param name="cpus">Each CPU at its cut.</param>
/// <param name="tallies">What this drain reports of each.</param>
/// <param name="shadows">What has been reported so far.</param>
/// <param name="free">Where slots go that have ended.</param>
internal sealed class SlotReports(AccountingMemory memory, CpuSnapshot[] cpus, CpuTally[] tallies, SlotShadows shadows, FreeSlots free)
{
    private readonly ThreadIdentities _identities = new(memory);

    /// <summary>Time reported too much of threads that then died, ns: 0 unless a switch was missed at the wrong moment.</summary>
    internal long Overcharged { get; private set; }

    /// <summary>Whether everything is taken as the baseline and nothing reported.</summary>
    internal bool Priming { get; set; }

    /// <summary>Adds one slot's thread and its runs.</summary>
    /// <param name="into">Where to.</param>
    /// <param name="index">The slot.</param>
    /// <param name="dead">Whether the thread was gone before the entries are read.</param>
    internal void Report(Observation into, int index, bool dead)
    {
        Span<SlotRecord> slots = memory.Slots;
        SlotShadow[] all = shadows.Slots;
        ref SlotRecord slot = ref slots[index];
        ref SlotShadow shadow = ref all[index];
        if (!shadow.Known)
        {
            int runningOn = shadow.RunningOn, detached = shadow.DetachedHead;
            shadow = new SlotShadow { Row = -1, Known = true, RunningOn = runningOn, DetachedHead = detached, Generation = uint.MaxValue };
            shadows.Entries[index] = default;
        }

        // Before the entries: what is added to them after this makes the runtime differ at the next drain.
        shadow.Runtime = Volatile.Read(ref slot.Runtime);
        shadow.Provisional = false;
        if (!Priming && !_identities.TryIdentify(into, index, ref shadow))
        {
            // Its writer was stopped inside: who it is, and what it ran, is for the next drain.
            shadow.Provisional = true;
            shadow.RunningOn = shadow.DetachedHead = 0;
            return;
        }

        int firstRun = into.Runs.Count;
        bool linked = slot.Next != 0 || shadow.DetachedHead != 0;
        bool chained = linked || slot.ChainStamp != 0;
        if (linked || shadow.RunningOn != 0 || !ReportSettled(into, ref slot, ref shadows.Entries[index], in shadow))
        {
            ReportWhole(into, ref slot, index, ref shadow);
        }

        int runs = into.Runs.Count - firstRun;
        if (Priming)
        {
            into.Runs.Clear();
        }
        else if (runs > 0)
        {
            ref ThreadSample thread = ref into.Threads.Add();
            thread.Row = shadow.Row;
            thread.FirstRun = firstRun;
            thread.RunCount = runs;
            ReportCounters(ref thread, index, ref shadow);
        }

        if (dead)
        {
            // What it ran after the cut is for the next drain, and so is a chain detached between two looks at this slot.
            if (shadow.Provisional || (chained && !shadow.SeenDead))
            {
                shadow.SeenDead = true;
                return;
            }

            for (int at = (int)slot.Next; at != 0 && at < all.Length; at = (int)slots[at].Next)
            {
                free.End(at);
            }

            free.End(index);
            Overcharged += shadow.Debt;
            if (shadow.Row >= 0)
            {
                into.ThreadTable.End(shadow.Row);
            }
        }
    }

    /// <summary>
    /// Most slots: a thread that does not run, on the CPUs it was on before, with nothing reported ahead. What its entries have
    /// grown by is what it ran. False, with nothing reported, where it is not as simple as that.
    /// </summary>
    private bool ReportSettled(Observation into, ref SlotRecord slot, ref EntryShadows reported, in SlotShadow shadow)
    {
        ref EntryRecord first = ref slot.Entries[0], second = ref slot.Entries[1];
        ref EntryShadow firstWas = ref reported[0], secondWas = ref reported[1];
        uint seq = Volatile.Read(ref slot.Seq);
        EntryShadow firstNow = EntryShadow.Of(ref first), secondNow = EntryShadow.Of(ref second);
        uint firstStamp = first.Stamp, secondStamp = second.Stamp;
        Volatile.ReadBarrier();
        if ((seq & 1) != 0 || Volatile.Read(ref slot.Seq) != seq || shadow.Debt != 0 || shadow.Pending.CpuPlusOne != 0 || Priming
            || !IsSettled(in firstNow, in firstWas, firstStamp) || !IsSettled(in secondNow, in secondWas, secondStamp))
        {
            return false;
        }

        AddGrowth(into, in firstNow, ref firstWas);
        AddGrowth(into, in secondNow, ref secondWas);
        return true;
    }

    /// <summary>Whether an entry is the one that was reported, and all of it lies before the cut.</summary>
    private bool IsSettled(in EntryShadow now, in EntryShadow was, uint stamp)
    {
        uint cpu = now.CpuPlusOne - 1;
        return now.CpuPlusOne == was.CpuPlusOne
            && (now.CpuPlusOne == 0 || (cpu < (uint)tallies.Length && now.Nanoseconds >= was.Nanoseconds && !(tallies[cpu].Taken && tallies[cpu].Cut == stamp)));
    }

    private void AddGrowth(Observation into, in EntryShadow now, ref EntryShadow was)
    {
        long ran = (long)(now.Nanoseconds - was.Nanoseconds);
        if (ran > 0)
        {
            tallies[now.CpuPlusOne - 1].Grown += ran;
            AddRun(into, ran, in now, in was);
            was = now;
        }
    }

    /// <summary>Everything that a slot may hold: entries, overflow chains, slices reported ahead.</summary>
    private void ReportWhole(Observation into, ref SlotRecord slot, int index, ref SlotShadow shadow)
    {
        Span<SlotRecord> slots = memory.Slots;
        SlotShadow[] all = shadows.Slots;
        ReportEntries(into, ref slot, index, ref shadow);
        int link = 0;
        for (int at = (int)slot.Next; at != 0 && at < all.Length && link < AccountingMemory.LongestChain; at = (int)slots[at].Next, link++)
        {
            ReportOverflow(into, slots, at, ref shadow);
        }

        for (int head = shadow.DetachedHead; head != 0; head = all[head].DetachedNext)
        {
            for (int at = head; at != 0 && at < all.Length && link < AccountingMemory.LongestChain; at = (int)slots[at].Next, link++)
            {
                ReportOverflow(into, slots, at, ref shadow);
                free.End(at);
            }
        }

        shadow.DetachedHead = 0;
        ReportRunningWithoutEntry(into, ref shadow);
        shadow.RunningOn = 0;
    }

    private void ReportOverflow(Observation into, Span<SlotRecord> slots, int at, ref SlotShadow owner)
    {
        ref SlotShadow shadow = ref shadows.Slots[at];
        if (!shadow.Known)
        {
            int next = shadow.DetachedNext;
            shadow = new SlotShadow { Row = -1, Known = true, DetachedNext = next };
            shadows.Entries[at] = default;
        }

        ReportEntries(into, ref slots[at], at, ref owner);
    }

    private void ReportEntries(Observation into, ref SlotRecord slot, int index, ref SlotShadow shadow)
    {
        if (!TryRead(ref slot, out EntryRecords entries))
        {
            shadow.Provisional = true; // Its writer was stopped inside (a vCPU without its CPU): all of it is for the next drain.
            return;
        }

        ref EntryShadows reported = ref shadows.Entries[index];
        for (int k = 0; k < EntryRecords.Count; k++)
        {
            ref EntryRecord entry = ref entries[k];
            if (entry.CpuPlusOne == 0)
            {
                continue;
            }

            ref EntryShadow was = ref reported[k];
            if (was.CpuPlusOne != entry.CpuPlusOne)
            {
                // Claimed anew since: what was there before had been reported. A slice in flight may have been reported ahead.
                was = shadow.Pending.CpuPlusOne == entry.CpuPlusOne ? shadow.Pending : new EntryShadow { CpuPlusOne = entry.CpuPlusOne };
                if (shadow.Pending.CpuPlusOne == entry.CpuPlusOne)
                {
                    shadow.Pending = default;
                }
            }

            if (!AtCut(ref entry, out EntryShadow now))
            {
                shadow.Provisional = true; // More to come at the next drain.
            }

            for (int cpu = shadow.RunningOn; cpu != 0; cpu = cpus[cpu - 1].NextOfSlot)
            {
                ref CpuSnapshot snapshot = ref cpus[cpu - 1];
                if (cpu == (int)entry.CpuPlusOne)
                {
                    // An entry claimed since the snapshot held nothing then.
                    snapshot.Settled.CpuPlusOne = entry.CpuPlusOne;
                    now = snapshot.Settled;
                    now.AddInFlight(in snapshot);
                    shadow.Provisional = true;
                }
            }

            ReportRun(into, ref was, in now, ref shadow);
        }
    }

    /// <summary>The entries between two claims; false where there was no such moment.</summary>
    private static bool TryRead(ref SlotRecord slot, out EntryRecords entries)
    {
        for (int attempt = 0; attempt < AccountingMemory.SeqlockAttempts; attempt++)
        {
            uint seq = Volatile.Read(ref slot.Seq);
            entries = slot.Entries;
            Volatile.ReadBarrier();
            if ((seq & 1) == 0 && Volatile.Read(ref slot.Seq) == seq)
            {
                return true;
            }
        }

        entries = default;
        return false;
    }

    /// <summary>An entry as it was at its CPU's cut; false where that is not yet all of it.</summary>
    private bool AtCut(ref EntryRecord entry, out EntryShadow then)
    {
        then = EntryShadow.Of(ref entry);
        uint cpu = entry.CpuPlusOne - 1;
        if (cpu >= (uint)tallies.Length || !tallies[cpu].Taken || entry.Stamp != tallies[cpu].Cut)
        {
            return true;
        }

        then.Nanoseconds = entry.NanosecondsAtCut;
        return false;
    }

    /// <summary>A thread that runs on a CPU for the first time has no entry there until it is switched out.</summary>
    private void ReportRunningWithoutEntry(Observation into, ref SlotShadow shadow)
    {
        for (int cpu = shadow.RunningOn; cpu != 0; cpu = cpus[cpu - 1].NextOfSlot)
        {
            ref CpuSnapshot snapshot = ref cpus[cpu - 1];
            if (snapshot.Settled.CpuPlusOne != 0)
            {
                continue;
            }

            if (shadow.Pending.CpuPlusOne != (uint)cpu)
            {
                TakeBackPending(ref shadow);
                shadow.Pending = new EntryShadow { CpuPlusOne = (uint)cpu };
            }

            EntryShadow now = new() { CpuPlusOne = (uint)cpu };
            now.AddInFlight(in snapshot);
            ReportRun(into, ref shadow.Pending, in now, ref shadow);
            shadow.Provisional = true;
            return;
        }

        TakeBackPending(ref shadow);
    }

    /// <summary>The slice that was reported ahead of any entry has been settled on another CPU.</summary>
    private void TakeBackPending(ref SlotShadow shadow)
    {
        if (shadow.Pending.CpuPlusOne != 0)
        {
            tallies[shadow.Pending.CpuPlusOne - 1].Grown -= (long)shadow.Pending.Nanoseconds;
            shadow.Debt += (long)shadow.Pending.Nanoseconds;
            shadow.Pending = default;
        }
    }

    private void ReportRun(Observation into, ref EntryShadow was, in EntryShadow now, ref SlotShadow shadow)
    {
        long ran = (long)(now.Nanoseconds - was.Nanoseconds);
        int cpu = (int)now.CpuPlusOne - 1;
        if (ran == 0 || (uint)cpu >= (uint)tallies.Length)
        {
            return;
        }

        tallies[cpu].Grown += ran;
        long owed = 0;
        shadow.Debt -= Math.Min(ran, 0);
        if (shadow.Debt > 0 && ran > 0)
        {
            owed = Math.Min(shadow.Debt, ran);
            shadow.Debt -= owed;
        }

        if (ran > owed && !Priming)
        {
            AddRun(into, ran - owed, in now, in was);
        }

        was = now;
    }

    private void AddRun(Observation into, long nanoseconds, in EntryShadow now, in EntryShadow was)
    {
        int cpu = (int)now.CpuPlusOne - 1;
        long kiloCycles = (long)(now.Weighted / 1_000_000) - (long)(was.Weighted / 1_000_000);
        ref RunSample run = ref into.Runs.Add();
        run.Cpu = cpu;
        run.Nanoseconds = nanoseconds;
        run.SharedNanoseconds = Math.Clamp((long)(now.SharedNanoseconds - was.SharedNanoseconds), 0, nanoseconds);
        run.KiloCycles = kiloCycles > 0 ? kiloCycles : Unobserved.Value;
        tallies[cpu].Reported += nanoseconds;
    }

    /// <summary>Whether what is counted is too little by an unknown part.</summary>
    internal bool CountersTaken { get; set; }

    private void ReportCounters(ref ThreadSample thread, int index, ref SlotShadow shadow)
    {
        Span<CounterRecord> counters = memory.Counters;
        if (counters.IsEmpty)
        {
            thread.Instructions = thread.Cycles = thread.LlcMisses = Unobserved.Value;
            return;
        }

        CounterRecord now = counters[index];
        thread.Instructions = (long)(now.First - shadow.Counters.First);
        thread.Cycles = (long)(now.Second - shadow.Counters.Second);
        thread.LlcMisses = (long)(now.Third - shadow.Counters.Third);
        if (CountersTaken)
        {
            thread.Instructions = thread.Cycles = thread.LlcMisses = Unobserved.Value;
        }

        shadow.Counters = new CounterShadow { First = now.First, Second = now.Second, Third = now.Third };
    }
}
