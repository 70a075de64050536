using Keck.Bpf.Interop;

namespace Keck.Bpf.Tests;

/// <summary>Accounting memory that a test writes in the programs' place.</summary>
internal sealed class SyntheticMemory(int cpus, int slots) : AccountingMemory
{
    private readonly CpuRecord[] _cpus = new CpuRecord[cpus];
    private readonly SlotRecord[] _slots = new SlotRecord[slots];
    private readonly MetaRecord[] _metas = new MetaRecord[slots];
    private readonly ulong[] _ring = new ulong[slots];
    private readonly GlobalsRecord[] _globals = new GlobalsRecord[1];

    internal long Time { get; set; } = 1_000_000;

    internal override Span<CpuRecord> Cpus => _cpus;

    internal override Span<SlotRecord> Slots => _slots;

    internal override Span<MetaRecord> Metas => _metas;

    internal override Span<ulong> Ring => _ring;

    internal override Span<CounterRecord> Counters => Counted;

    internal override int Events => Times.Length;

    /// <summary>Perf counters by slot; none unless a test has some.</summary>
    internal CounterRecord[] Counted { get; set; } = [];

    /// <summary>How long each event was wanted and counted.</summary>
    internal (ulong Wanted, ulong Counted)?[] Times { get; init; } = [];

    /// <summary>How often an event's times were asked for.</summary>
    internal int Looked { get; private set; }

    internal override ref GlobalsRecord Globals => ref _globals[0];

    /// <summary>Called whenever the drain asks for the time: what happens while it reads.</summary>
    internal Action? Meanwhile { get; set; }

    internal override long Now()
    {
        Meanwhile?.Invoke();
        return Time;
    }

    internal override (ulong Wanted, ulong Counted)? EventTimes(int index)
    {
        Looked++;
        return Times[index];
    }

    internal override void Flush(int cpu)
    {
    }

    /// <summary>Takes a slot from the ring, as a thread's first switch does.</summary>
    internal int Birth(int tid)
    {
        int slot = (int)_ring[(int)(_globals[0].Head++ % (ulong)_ring.Length)];
        _slots[slot] = new SlotRecord { State = SlotState.Live };
        _metas[slot] = new MetaRecord { Tid = (uint)tid, ThreadGroup = (uint)tid, StartNanoseconds = 1, Generation = _metas[slot].Generation + 2 };
        return slot;
    }

    /// <summary>A switch: whoever ran on the CPU is settled, <paramref name="next"/> (0: idle) comes in.</summary>
    internal void Switch(int cpu, int next, int? chargedTo = null)
    {
        ref CpuRecord record = ref _cpus[cpu];
        ulong ran = (ulong)Time - record.Clock;
        if (record.On != 0 && record.Slot != 0)
        {
            ref SlotRecord slot = ref _slots[record.Slot];
            uint at = (uint)(chargedTo ?? cpu) + 1;
            slot.Runtime += ran;
            for (int k = 0; k < EntryRecords.Count; k++)
            {
                if (slot.Entries[k].CpuPlusOne == at || slot.Entries[k].CpuPlusOne == 0)
                {
                    ref EntryRecord entry = ref slot.Entries[k];
                    entry.NanosecondsAtCut = entry.Stamp == record.Cut ? entry.NanosecondsAtCut : entry.Nanoseconds;
                    entry.Stamp = record.Cut;
                    entry.CpuPlusOne = at;
                    entry.Nanoseconds += ran;
                    break;
                }
            }
        }
        else if (record.On != 0)
        {
            record.IdleNanoseconds += ran;
        }

        record.On = 1;
        record.Slot = (uint)next;
        record.Clock = record.TaskClock = (ulong)Time;
        record.Seq += 2;
    }
}
