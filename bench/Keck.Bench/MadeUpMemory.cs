using Keck.Bpf;
using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bench;

/// <summary>The kernel's records of a made-up host, written by this program in place of the kernel's: what the drain reads each tick.</summary>
internal sealed class MadeUpMemory(int cpus, int slots) : AccountingMemory
{
    private readonly CpuRecord[] _cpus = new CpuRecord[cpus];
    private readonly SlotRecord[] _slots = new SlotRecord[slots];
    private readonly MetaRecord[] _metas = new MetaRecord[slots];
    private readonly ulong[] _ring = new ulong[slots];
    private readonly CounterRecord[] _counters = new CounterRecord[slots];
    private readonly List<int> _live = [];
    private GlobalsRecord _globals;
    private long _now = 1_000_000_000;

    internal override Span<CpuRecord> Cpus => _cpus;

    internal override Span<SlotRecord> Slots => _slots;

    internal override Span<MetaRecord> Metas => _metas;

    internal override Span<ulong> Ring => _ring;

    internal override Span<CounterRecord> Counters => _counters;

    internal override ref GlobalsRecord Globals => ref _globals;

    /// <summary>Threads that have a slot.</summary>
    internal int Threads => _live.Count;

    internal override long Now() => _now;

    internal override void Flush(int cpu)
    {
    }

    /// <summary>Gives slots from the ring to new threads, as many as it holds.</summary>
    internal void Start(int limit)
    {
        while (_live.Count < limit && _globals.Head < _globals.Tail)
        {
            int slot = (int)(_ring[(int)(_globals.Head++ % (ulong)_ring.Length)] & 0xFFFF_FFFF);
            _slots[slot].State = SlotState.Live;
            _metas[slot].Tid = 1_000_000 + (uint)_live.Count;
            _metas[slot].ThreadGroup = 1_000 + ((uint)_live.Count % 5_000);
            _metas[slot].StartNanoseconds = 1_000_000UL + (ulong)_live.Count;
            _metas[slot].LeaderStartNanoseconds = 1_000_000;
            _live.Add(slot);
        }
    }

    /// <summary>One tick of a host: each thread runs once, every second one on two CPUs.</summary>
    internal void Run(Observation like)
    {
        _now += like.Length.Nanoseconds;
        foreach (ref CpuRecord cpu in _cpus.AsSpan())
        {
            cpu.On = 1;
            cpu.Clock = cpu.TaskClock = (ulong)_now;
        }

        Span<RunSample> runs = like.Runs.Items;
        Span<ThreadSample> threads = like.Threads.Items;
        for (int t = 0; t < _live.Count; t++)
        {
            ref SlotRecord slot = ref _slots[_live[t]];
            for (int i = 0; i < threads[t].RunCount; i++)
            {
                ref RunSample run = ref runs[threads[t].FirstRun + i];
                ref EntryRecord entry = ref slot.Entries[i];
                entry.CpuPlusOne = (uint)run.Cpu + 1;
                entry.Nanoseconds += (ulong)run.Nanoseconds;
                entry.SharedNanoseconds += (ulong)run.SharedNanoseconds;
                entry.Weighted += (ulong)run.KiloCycles * 1_000_000;
                slot.Runtime += (ulong)run.Nanoseconds;
                _cpus[run.Cpu].BusyNanoseconds += (ulong)run.Nanoseconds;
            }

            ref CounterRecord counters = ref _counters[_live[t]];
            counters.First += (ulong)threads[t].Instructions;
            counters.Second += (ulong)threads[t].Cycles;
            counters.Third += (ulong)threads[t].LlcMisses;
        }
    }
}
