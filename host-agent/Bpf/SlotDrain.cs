using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf;

/// <summary>
/// Turns the kernel's records into an observation: who ran where since the last drain. Counters are read in place and never
/// written; slots that ended are handed back to the kernel's ring. One thread at a time.
/// </summary>
/// <remarks>
/// Each CPU is read once at one instant, with its running thread's entry; what that thread has run by then is settled +
/// in flight and is reported up to that instant. The next switch settles it, and only the difference is reported then.
/// </remarks>
internal sealed class SlotDrain
{
    private const int SeqlockAttempts = 10_000;
    private const int LongestChain = 1024;

    private readonly AccountingMemory _memory;
    private readonly CpuSnapshot[] _cpus;
    private readonly ulong[] _free;
    private readonly Column<int> _recycle = new();
    private readonly CommCache _names = new();
    private readonly int _freeTarget;
    private SlotShadow[] _shadows = [];
    private EntryShadows[] _entries = [];
    private int _freeHint;
    private int _highest;
    private int _changed;
    private bool _priming;

    internal SlotDrain(AccountingMemory memory)
    {
        _memory = memory;
        int slots = memory.Slots.Length;
        _cpus = new CpuSnapshot[memory.Cpus.Length];
        _free = new ulong[(slots + 63) / 64];
        for (int slot = 1; slot < slots; slot++)
        {
            _free[slot >> 6] |= 1UL << (slot & 63);
        }

        _freeTarget = Math.Min(slots - 1, Math.Max(1024, slots / 4));
        memory.Globals.Drained = 1;
        Refill();
    }

    /// <summary>Slots that hold a thread or an overflow.</summary>
    internal int SlotsInUse { get; private set; }

    /// <summary>Time reported too much of threads that then died, ns: 0 unless a switch was missed at the wrong moment.</summary>
    internal long Overcharged { get; private set; }

    /// <summary>What the last drain did.</summary>
    internal DrainStatistics Statistics { get; private set; }

    /// <summary>Per-CPU values of the last drain.</summary>
    internal ReadOnlySpan<CpuSnapshot> Cpus => _cpus;

    /// <summary>Takes everything so far as the baseline; nothing is reported.</summary>
    internal void Prime(ReadOnlySpan<bool> online, Observation scratch)
    {
        _priming = true;
        Drain(scratch, online, []);
        _priming = false;
    }

    /// <summary>Reports what ran since the last drain.</summary>
    /// <param name="into">Where to.</param>
    /// <param name="online">Which CPUs are online.</param>
    /// <param name="steal">Steal time per CPU not yet subtracted, ns; set to zero once used. May be empty.</param>
    internal void Drain(Observation into, ReadOnlySpan<bool> online, Span<long> steal)
    {
        Span<SlotRecord> slots = _memory.Slots;
        EnsureShadows();
        Snapshot(slots, online);
        if (_memory.Globals.Overflows > 0)
        {
            CollectDetached(slots);
        }

        _changed = 0;
        int inUse = 0;
        int highest = _highest;
        for (int i = 1; i <= highest; i++)
        {
            ref SlotRecord slot = ref slots[i];
            SlotState state = slot.State;
            if (state == SlotState.Free)
            {
                continue;
            }

            inUse++;
            ref SlotShadow shadow = ref _shadows[i];
            if (state == SlotState.Live
                ? slot.Runtime != shadow.Runtime || !shadow.Known || shadow.RunningOn != 0 || shadow.Provisional || shadow.DetachedHead != 0
                : state == SlotState.Dead)
            {
                _changed++;
                Report(into, slots, i, Volatile.Read(ref Unsafe.As<SlotState, uint>(ref slot.State)) == (uint)SlotState.Dead);
            }
        }

        SlotsInUse = inUse - _recycle.Count;
        int recycled = _recycle.Count;
        double worst = 0, sum = 0;
        int counted = 0;
        for (int cpu = 0; cpu < _cpus.Length; cpu++)
        {
            if (_cpus[cpu].Taken && Close(into, cpu, steal) is { } partsPerMillion)
            {
                worst = Math.Max(worst, partsPerMillion);
                sum += partsPerMillion;
                counted++;
            }
        }

        Recycle(slots);
        _memory.Globals.Drained++;
        Statistics = new DrainStatistics
        {
            Scanned = highest,
            Changed = _changed,
            Recycled = recycled,
            WorstClosurePartsPerMillion = worst,
            MeanClosurePartsPerMillion = counted == 0 ? 0 : sum / counted,
        };
    }

    private void EnsureShadows()
    {
        if (_shadows.Length <= _highest)
        {
            int length = Math.Min(_memory.Slots.Length, (int)BitOperations.RoundUpToPowerOf2((uint)_highest + 1));
            Array.Resize(ref _shadows, length);
            Array.Resize(ref _entries, length);
        }
    }

    private void Snapshot(Span<SlotRecord> slots, ReadOnlySpan<bool> online)
    {
        Span<CpuRecord> records = _memory.Cpus;
        for (int cpu = 0; cpu < _cpus.Length; cpu++)
        {
            ref CpuSnapshot snapshot = ref _cpus[cpu];
            snapshot.Taken = false;
            if (!online[cpu])
            {
                snapshot.Based = false; // What happened while it was away is nobody's.
                continue;
            }

            ref CpuRecord record = ref records[cpu];
            if (Volatile.Read(ref record.On) == 0 || !TakeSnapshot(ref snapshot, ref record, slots, cpu))
            {
                continue;
            }

            snapshot.Taken = true;
            snapshot.Ran = 0;
            snapshot.NextOfSlot = 0;
            uint slot = snapshot.Record.Slot;
            if (slot != 0 && slot < (uint)_shadows.Length)
            {
                ref SlotShadow shadow = ref _shadows[slot];
                snapshot.NextOfSlot = shadow.RunningOn;
                shadow.RunningOn = cpu + 1;
            }
        }

        for (int cpu = 0; cpu < _cpus.Length; cpu++)
        {
            ref CpuSnapshot snapshot = ref _cpus[cpu];
            int sibling = (int)snapshot.Record.SiblingPlusOne - 1;
            snapshot.InFlightShared = 0;
            if (snapshot.Taken && sibling >= 0 && snapshot.Record.Slot != 0 && _cpus[sibling].Taken)
            {
                ref CpuRecord other = ref _cpus[sibling].Record;
                ulong busy = other.BusyNanoseconds + (other.Slot != 0 && snapshot.Instant > other.Clock ? snapshot.Instant - other.Clock : 0);
                long shared = (long)(busy - snapshot.Record.SiblingMark);
                snapshot.InFlightShared = (ulong)Math.Clamp(shared, 0, (long)snapshot.InFlight);
            }
        }
    }

    private bool TakeSnapshot(ref CpuSnapshot snapshot, ref CpuRecord record, Span<SlotRecord> slots, int cpu)
    {
        for (int attempt = 0; attempt < SeqlockAttempts; attempt++)
        {
            ulong seq = Volatile.Read(ref record.Seq);
            if ((seq & 1) != 0)
            {
                Thread.SpinWait(1);
                continue;
            }

            snapshot.Record = record;
            snapshot.Settled = default;
            uint index = snapshot.Record.Slot;
            if (index != 0 && index < (uint)slots.Length)
            {
                snapshot.Settled = SettledEntry(slots, (int)index, (uint)cpu + 1);
            }

            long instant = _memory.Now() - snapshot.Record.Offset;
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref record.Seq) != seq)
            {
                continue;
            }

            snapshot.Instant = Math.Max((ulong)instant, snapshot.Record.Clock);
            if (snapshot.Based)
            {
                snapshot.Instant = Math.Max(snapshot.Instant, snapshot.LastInstant);
            }

            snapshot.InFlight = snapshot.Instant - snapshot.Record.Clock;
            return true;
        }

        return false; // The writer was stopped inside (a vCPU without its CPU): this CPU is reported at the next drain.
    }

    /// <summary>A running thread's entry for the CPU it runs on; nothing changes it while that CPU's seq stands still.</summary>
    private static EntryShadow SettledEntry(Span<SlotRecord> slots, int index, uint cpuPlusOne)
    {
        for (int link = 0; index != 0 && index < slots.Length && link < LongestChain; link++)
        {
            ref SlotRecord slot = ref slots[index];
            for (int k = 0; k < EntryRecords.Count; k++)
            {
                ref EntryRecord entry = ref slot.Entries[k];
                if (entry.CpuPlusOne == cpuPlusOne)
                {
                    return Copy(ref entry);
                }
            }

            index = (int)slot.Next;
        }

        return default;
    }

    private static EntryShadow Copy(ref EntryRecord entry) => new()
    {
        Nanoseconds = entry.Nanoseconds,
        Weighted = entry.Weighted,
        SharedNanoseconds = entry.SharedNanoseconds,
        CpuPlusOne = entry.CpuPlusOne,
    };

    /// <summary>Hangs chains that the kernel has let go of on their owners, so that these are looked at.</summary>
    private void CollectDetached(Span<SlotRecord> slots)
    {
        for (int i = 1; i <= _highest; i++)
        {
            if (slots[i].State == SlotState.Detached)
            {
                int owner = (int)slots[i].Home;
                if ((uint)owner < (uint)_shadows.Length)
                {
                    _shadows[i].DetachedNext = _shadows[owner].DetachedHead;
                    _shadows[owner].DetachedHead = i;
                }
            }
        }
    }

    private void Report(Observation into, Span<SlotRecord> slots, int index, bool dead)
    {
        ref SlotRecord slot = ref slots[index];
        ref SlotShadow shadow = ref _shadows[index];
        if (!shadow.Known)
        {
            int runningOn = shadow.RunningOn, detached = shadow.DetachedHead;
            shadow = new SlotShadow { Row = -1, Known = true, RunningOn = runningOn, DetachedHead = detached, Generation = uint.MaxValue };
            _entries[index] = default;
        }

        // Before the entries: what is added to them after this makes the runtime differ at the next drain.
        shadow.Runtime = Volatile.Read(ref slot.Runtime);
        shadow.Provisional = false;
        if (!_priming)
        {
            Identify(into, index, ref shadow);
        }

        int firstRun = into.Runs.Count;
        bool chained = slot.Next != 0 || slot.ChainStamp != 0 || shadow.DetachedHead != 0;
        ReportEntries(into, ref slot, index, ref shadow, dead);
        int link = 0;
        for (int at = (int)slot.Next; at != 0 && at < _shadows.Length && link < LongestChain; at = (int)slots[at].Next, link++)
        {
            ReportOverflow(into, slots, at, ref shadow, dead);
        }

        for (int head = shadow.DetachedHead; head != 0; head = _shadows[head].DetachedNext)
        {
            for (int at = head; at != 0 && at < _shadows.Length && link < LongestChain; at = (int)slots[at].Next, link++)
            {
                ReportOverflow(into, slots, at, ref shadow, dead);
                _recycle.Add() = at;
            }
        }

        shadow.DetachedHead = 0;
        ReportRunningWithoutEntry(into, ref shadow, dead);
        shadow.RunningOn = 0;
        int runs = into.Runs.Count - firstRun;
        if (_priming)
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
            // A chain detached between the two looks at this slot is found at the next drain: keep its owner until then.
            if (chained && !shadow.SeenDead)
            {
                shadow.SeenDead = true;
                return;
            }

            for (int at = (int)slot.Next; at != 0 && at < _shadows.Length; at = (int)slots[at].Next)
            {
                _recycle.Add() = at;
            }

            _recycle.Add() = index;
            Overcharged += shadow.Debt;
            if (shadow.Row >= 0)
            {
                into.ThreadTable.End(shadow.Row);
            }
        }
    }

    private void ReportOverflow(Observation into, Span<SlotRecord> slots, int at, ref SlotShadow owner, bool dead)
    {
        ref SlotShadow shadow = ref _shadows[at];
        if (!shadow.Known)
        {
            int next = shadow.DetachedNext;
            shadow = new SlotShadow { Row = -1, Known = true, DetachedNext = next };
            _entries[at] = default;
        }

        ReportEntries(into, ref slots[at], at, ref owner, dead);
    }

    private void ReportEntries(Observation into, ref SlotRecord slot, int index, ref SlotShadow shadow, bool dead)
    {
        EntryRecords entries = slot.Entries;
        for (int attempt = 0; attempt < SeqlockAttempts; attempt++)
        {
            uint seq = Volatile.Read(ref slot.Seq);
            entries = slot.Entries;
            Interlocked.MemoryBarrier();
            if ((seq & 1) == 0 && Volatile.Read(ref slot.Seq) == seq)
            {
                break;
            }
        }

        ref EntryShadows reported = ref _entries[index];
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

            EntryShadow now = Copy(ref entry);
            bool running = false;
            for (int cpu = dead ? 0 : shadow.RunningOn; cpu != 0; cpu = _cpus[cpu - 1].NextOfSlot)
            {
                ref CpuSnapshot snapshot = ref _cpus[cpu - 1];
                if (cpu == (int)entry.CpuPlusOne && snapshot.Settled.CpuPlusOne == entry.CpuPlusOne)
                {
                    now = snapshot.Settled;
                    AddInFlight(ref now, in snapshot);
                    running = true;
                    shadow.Provisional = true;
                }
            }

            ReportRun(into, ref was, in now, ref shadow, running);
        }
    }

    private static void AddInFlight(ref EntryShadow entry, in CpuSnapshot snapshot)
    {
        entry.Nanoseconds += snapshot.InFlight;
        entry.Weighted += snapshot.InFlight * snapshot.Record.Megahertz;
        entry.SharedNanoseconds += snapshot.InFlightShared;
    }

    /// <summary>A thread that runs on a CPU for the first time has no entry there until it is switched out.</summary>
    private void ReportRunningWithoutEntry(Observation into, ref SlotShadow shadow, bool dead)
    {
        for (int cpu = dead ? 0 : shadow.RunningOn; cpu != 0; cpu = _cpus[cpu - 1].NextOfSlot)
        {
            ref CpuSnapshot snapshot = ref _cpus[cpu - 1];
            if (snapshot.Settled.CpuPlusOne != 0)
            {
                continue;
            }

            if (shadow.Pending.CpuPlusOne != (uint)cpu)
            {
                shadow.Debt += (long)shadow.Pending.Nanoseconds;
                shadow.Pending = new EntryShadow { CpuPlusOne = (uint)cpu };
            }

            EntryShadow now = new() { CpuPlusOne = (uint)cpu };
            AddInFlight(ref now, in snapshot);
            ReportRun(into, ref shadow.Pending, in now, ref shadow, running: true);
            shadow.Provisional = true;
            return;
        }

        shadow.Debt += (long)shadow.Pending.Nanoseconds;
        shadow.Pending = default;
    }

    private void ReportRun(Observation into, ref EntryShadow was, in EntryShadow now, ref SlotShadow shadow, bool running)
    {
        long ran = (long)(now.Nanoseconds - was.Nanoseconds);
        if (ran <= 0)
        {
            if (ran < 0 && !running)
            {
                shadow.Debt -= ran;
                was = now;
            }

            return;
        }

        long kiloCycles = (long)(now.Weighted / 1_000_000) - (long)(was.Weighted / 1_000_000);
        long sharedTime = (long)(now.SharedNanoseconds - was.SharedNanoseconds);
        was = now;
        if (shadow.Debt > 0)
        {
            long repaid = Math.Min(shadow.Debt, ran);
            shadow.Debt -= repaid;
            ran -= repaid;
            if (ran == 0)
            {
                return;
            }
        }

        if (_priming)
        {
            return;
        }

        ref RunSample run = ref into.Runs.Add();
        run.Cpu = (int)now.CpuPlusOne - 1;
        run.Nanoseconds = ran;
        run.SharedNanoseconds = Math.Clamp(sharedTime, 0, ran);
        run.KiloCycles = kiloCycles > 0 ? kiloCycles : Unobserved.Value;
        if ((uint)run.Cpu < (uint)_cpus.Length)
        {
            _cpus[run.Cpu].Ran += ran;
        }
    }

    private void ReportCounters(ref ThreadSample thread, int index, ref SlotShadow shadow)
    {
        Span<CounterRecord> counters = _memory.Counters;
        if (counters.IsEmpty)
        {
            thread.Instructions = thread.Cycles = thread.LlcMisses = Unobserved.Value;
            return;
        }

        CounterRecord now = counters[index];
        thread.Instructions = (long)(now.First - shadow.Counters.First);
        thread.Cycles = (long)(now.Second - shadow.Counters.Second);
        thread.LlcMisses = (long)(now.Third - shadow.Counters.Third);
        shadow.Counters = new CounterShadow { First = now.First, Second = now.Second, Third = now.Third };
    }

    private void Identify(Observation into, int index, ref SlotShadow shadow)
    {
        ref MetaRecord meta = ref _memory.Metas[index];
        if (shadow.Row >= 0 && Volatile.Read(ref meta.Generation) == shadow.Generation)
        {
            return;
        }

        MetaRecord copy = meta;
        for (int attempt = 0; attempt < SeqlockAttempts; attempt++)
        {
            uint generation = Volatile.Read(ref meta.Generation);
            copy = meta;
            Interlocked.MemoryBarrier();
            if ((generation & 1) == 0 && Volatile.Read(ref meta.Generation) == generation)
            {
                break;
            }
        }

        shadow.Generation = copy.Generation;
        string name = _names.Get(copy.Comm);
        if (shadow.Row >= 0)
        {
            ref ThreadRow known = ref into.ThreadTable[shadow.Row];
            if (known.Tid == (int)copy.Tid && known.StartNanoseconds == (long)copy.StartNanoseconds)
            {
                known.Name = name;
                return;
            }

            // A thread that execed took its leader's tid and start: another identity.
            into.ThreadTable.End(shadow.Row);
        }

        ThreadRow row = new()
        {
            Tid = (int)copy.Tid,
            Pid = (int)copy.ThreadGroup,
            StartNanoseconds = (long)copy.StartNanoseconds,
            ProcessStartNanoseconds = (long)copy.LeaderStartNanoseconds,
            CgroupId = copy.CgroupId,
            Name = name,
            Kernel = (copy.Flags & MetaRecord.KernelThread) != 0,
        };
        shadow.Row = into.ThreadTable.Add(in row);
    }

    /// <summary>One CPU's sample: busy + idle + interrupt is its wall time, minus steal.</summary>
    /// <returns>What its parts, each measured, leave open, in parts per million of the wall time; null on a baseline.</returns>
    private double? Close(Observation into, int cpu, Span<long> steal)
    {
        ref CpuSnapshot c = ref _cpus[cpu];
        ref CpuRecord record = ref c.Record;
        ulong idle = record.IdleNanoseconds + (record.Slot == 0 ? c.InFlight : 0);
        ulong lost = record.LostNanoseconds + (record.Slot == CpuRecord.NoSlot ? c.InFlight : 0);
        ulong behind = record.Clock - record.TaskClock;
        bool based = c.Based;
        long wall = (long)(c.Instant - c.LastInstant);
        long idleTime = Advance(ref c.IdleReported, idle, based);
        long lostTime = Advance(ref c.LostReported, lost, based);
        long kernelInterrupt = (long)(behind - c.LastBehind);
        c.LastBehind = behind;
        c.LastInstant = c.Instant;
        c.Based = true;
        if (!based || _priming)
        {
            c.Rest = 0;
            return null;
        }

        if (cpu < steal.Length)
        {
            c.Rest -= steal[cpu];
            steal[cpu] = 0;
        }

        long open = wall - c.Ran - lostTime - idleTime;
        c.Rest += open;
        ref CpuSample sample = ref into.Cpus.Add();
        sample.Cpu = cpu;
        sample.BusyNanoseconds = c.Ran + lostTime;
        sample.IdleNanoseconds = idleTime;
        sample.LostNanoseconds = lostTime;
        sample.InterruptNanoseconds = Math.Max(0, c.Rest);
        sample.KiloHertz = Unobserved.Value;
        c.Rest -= sample.InterruptNanoseconds;
        c.Wall += wall;
        return wall <= 0 ? null : Math.Abs((double)(open - kernelInterrupt)) / wall * 1e6;
    }

    /// <summary>A counter that may have been reported ahead (in flight) is reported again only once it has caught up.</summary>
    private static long Advance(ref ulong reported, ulong now, bool based)
    {
        long ahead = (long)(now - reported);
        if (based && ahead <= 0)
        {
            return 0;
        }

        reported = now;
        return ahead;
    }

    private void Recycle(Span<SlotRecord> slots)
    {
        foreach (int slot in _recycle.Items)
        {
            _shadows[slot] = default;
            slots[slot].State = SlotState.Free;
            _free[slot >> 6] |= 1UL << (slot & 63);
            _freeHint = Math.Min(_freeHint, slot >> 6);
        }

        _recycle.Clear();
        Refill();
    }

    /// <summary>Keeps a bounded stock in the ring, lowest numbers first, so that the scan stays short.</summary>
    private void Refill()
    {
        Span<ulong> ring = _memory.Ring;
        ref GlobalsRecord globals = ref _memory.Globals;
        ulong tail = globals.Tail;
        long missing = _freeTarget - (long)(tail - Volatile.Read(ref globals.Head));
        while (missing > 0 && _freeHint < _free.Length)
        {
            ref ulong word = ref _free[_freeHint];
            if (word == 0)
            {
                _freeHint++;
                continue;
            }

            int slot = (_freeHint << 6) + BitOperations.TrailingZeroCount(word);
            word &= word - 1;
            _highest = Math.Max(_highest, slot);
            ring[(int)(tail & (ulong)(ring.Length - 1))] = (ulong)slot;
            tail++;
            missing--;
        }

        Debug.Assert(_highest < _memory.Slots.Length, "a slot that does not exist");
        Volatile.Write(ref globals.Tail, tail);
    }
}
