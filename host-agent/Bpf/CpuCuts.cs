using Keck.Bpf.Interop;

namespace Keck.Bpf;

/// <summary>
/// Cuts each CPU's time at one instant: its record and its running thread's entry as they were then, under the record's
/// sequence lock. What the program adds afterwards it marks with the cut and keeps what was there before.
/// </summary>
internal sealed class CpuCuts(AccountingMemory memory, SlotShadows shadows)
{
    private const int CutsPerDrain = 256; // KECK_DRAIN of kernel/records.h
    private const int Rounds = 8;
    private const int CutsPerRound = (CutsPerDrain - 1) / (Rounds + 1); // A cut made anew needs a new number.

    private uint _drains;

    /// <summary>By CPU.</summary>
    internal CpuSnapshot[] Cpus { get; } = new CpuSnapshot[memory.Cpus.Length];

    /// <summary>What is reported of each CPU, by CPU.</summary>
    internal CpuTally[] Tallies { get; } = new CpuTally[memory.Cpus.Length];

    /// <summary>Cuts after which a CPU still ran another thread than the one on record, since the start.</summary>
    internal long Unconfirmed { get; private set; }

    /// <summary>Cuts every CPU that is online and accounted.</summary>
    internal void Take(ReadOnlySpan<bool> online)
    {
        _drains++;
        Span<CpuRecord> records = memory.Cpus;
        for (int cpu = 0; cpu < Cpus.Length; cpu++)
        {
            ref CpuSnapshot snapshot = ref Cpus[cpu];
            snapshot.NextOfSlot = 0;
            snapshot.Taken = online[cpu] && Volatile.Read(ref records[cpu].On) != 0 && TakeOne(ref snapshot, ref records[cpu], cpu, 0);
            if (!snapshot.Taken)
            {
                // Away, or its record in flux: what it writes with an older cut would look as if it could be taken for another CPU.
                Volatile.Write(ref records[cpu].Cut, (_drains * CutsPerDrain) + CutsPerDrain - 1);
            }

            snapshot.Based &= online[cpu]; // What happened while it was away is nobody's.
        }

        Confirm(records);
        for (int cpu = 0; cpu < Cpus.Length; cpu++)
        {
            ref CpuSnapshot snapshot = ref Cpus[cpu];
            Tallies[cpu] = new CpuTally { Taken = snapshot.Taken, Cut = snapshot.Record.Cut };
            if (snapshot.Taken)
            {
                LinkToSlot(ref snapshot, cpu);
                snapshot.InFlightShared = SharedInFlight(in snapshot);
            }
        }
    }

    /// <summary>
    /// A switch that the program did not see leaves the wrong thread on record, and the running slice would be charged to it. The
    /// kernel's own count of switches tells; then the CPU is made to take up who really runs, and is cut anew.
    /// </summary>
    private void Confirm(Span<CpuRecord> records)
    {
        for (int round = 1; ; round++)
        {
            memory.Look();
            int wrong = 0;
            for (int cpu = 0; cpu < Cpus.Length; cpu++)
            {
                ref CpuSnapshot snapshot = ref Cpus[cpu];
                if (!snapshot.Taken || IsConfirmed(in snapshot, ref records[cpu]))
                {
                    continue;
                }

                wrong++;
                if (round <= Rounds)
                {
                    memory.Flush(cpu);
                    snapshot.Taken = TakeOne(ref snapshot, ref records[cpu], cpu, round);
                }
            }

            if (wrong == 0 || round > Rounds)
            {
                Unconfirmed += wrong;
                return;
            }
        }
    }

    /// <summary>Whether the thread on record was really the running one at the cut.</summary>
    private static bool IsConfirmed(in CpuSnapshot snapshot, ref CpuRecord record)
    {
        for (int attempt = 0; attempt < AccountingMemory.SeqlockAttempts; attempt++)
        {
            ulong seq = Volatile.Read(ref record.Seq);
            if ((seq & 1) != 0)
            {
                Thread.SpinWait(1);
                continue;
            }

            // Unchanged: no switch but those on record. Moved on: the next switch found on record whom it expected.
            return Volatile.Read(ref record.Missed) == snapshot.Record.Missed
                && (seq != snapshot.Record.Seq || (long)(Volatile.Read(ref record.Switches) - snapshot.Record.KnownSwitches) <= 0);
        }

        return false;
    }

    private bool TakeOne(ref CpuSnapshot snapshot, ref CpuRecord record, int cpu, int round)
    {
        Span<SlotRecord> slots = memory.Slots;
        int cuts = 0;
        for (int attempt = 0; attempt < AccountingMemory.SeqlockAttempts; attempt++)
        {
            ulong seq = Volatile.Read(ref record.Seq);
            if ((seq & 1) != 0)
            {
                Thread.SpinWait(1);
                continue;
            }

            // A switch that is just beginning may not have seen the cut. Its thread is the one on record here, whose entry is
            // taken from this snapshot, so nothing is reported early.
            uint number = (uint)((round * CutsPerRound) + Math.Min(cuts++, CutsPerRound - 1));
            Volatile.Write(ref record.Cut, (_drains * CutsPerDrain) + number);
            Interlocked.MemoryBarrier();
            snapshot.Record = record;
            snapshot.Settled = default;
            uint index = snapshot.Record.Slot;
            if (index != 0 && index < (uint)slots.Length)
            {
                snapshot.Settled = SettledEntry(slots, (int)index, (uint)cpu + 1);
            }

            long instant = memory.Now() - snapshot.Record.Offset;
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
        for (int link = 0; index != 0 && index < slots.Length && link < AccountingMemory.LongestChain; link++)
        {
            ref SlotRecord slot = ref slots[index];
            for (int k = 0; k < EntryRecords.Count; k++)
            {
                ref EntryRecord entry = ref slot.Entries[k];
                if (entry.CpuPlusOne == cpuPlusOne)
                {
                    return EntryShadow.Of(ref entry);
                }
            }

            index = (int)slot.Next;
        }

        return default;
    }

    private void LinkToSlot(ref CpuSnapshot snapshot, int cpu)
    {
        uint slot = snapshot.Record.Slot;
        if (slot != 0 && slot < (uint)shadows.Slots.Length)
        {
            ref SlotShadow shadow = ref shadows.Slots[slot];
            snapshot.NextOfSlot = shadow.RunningOn;
            shadow.RunningOn = cpu + 1;
        }
    }

    private ulong SharedInFlight(in CpuSnapshot snapshot)
    {
        int sibling = snapshot.Record.SiblingPlusOne - 1;
        if (sibling < 0 || sibling >= Cpus.Length || snapshot.Record.Slot == 0 || !Cpus[sibling].Taken)
        {
            return 0;
        }

        ref CpuRecord other = ref Cpus[sibling].Record;
        ulong busy = other.BusyNanoseconds + (other.Slot != 0 && snapshot.Instant > other.Clock ? snapshot.Instant - other.Clock : 0);
        return (ulong)Math.Clamp((long)(busy - snapshot.Record.SiblingMark), 0, (long)snapshot.InFlight);
    }
}
