using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bench;

/// <summary>The baseline of the drain: what grew in the kernel's records since the last time, the plain way with LINQ and dictionaries.</summary>
internal sealed class PlainDrain
{
    private Dictionary<(int Slot, int Entry), EntryRecord> _entries = [];
    private Dictionary<int, CounterRecord> _counters = [];

    /// <summary>The threads that ran, and their runs.</summary>
    /// <param name="slots">The slots.</param>
    /// <param name="tids">Thread id of each slot.</param>
    /// <param name="counters">Counters of each slot.</param>
    /// <param name="rowOf">Row of a thread id.</param>
    internal (ThreadSample[] Threads, RunSample[] Runs) Drain(SlotRecord[] slots, MetaRecord[] tids, CounterRecord[] counters, Dictionary<uint, int> rowOf)
    {
        List<(SlotRecord Slot, int Index)> live = slots.Select((slot, index) => (Slot: slot, Index: index)).Where(item => item.Slot.State == SlotState.Live).ToList();
        Dictionary<(int Slot, int Entry), EntryRecord> now = live.SelectMany(item => Entries(item.Slot).Select(entry => (item.Index, entry.Place, entry.Entry)))
            .ToDictionary(item => (item.Index, item.Place), item => item.Entry);
        var grown = now.Select(item => (Index: item.Key.Slot, Now: item.Value, Was: _entries.GetValueOrDefault(item.Key)))
            .Where(item => item.Now.Nanoseconds > item.Was.Nanoseconds)
            .GroupBy(item => item.Index).OrderBy(group => group.Key).ToList();
        RunSample[] runs = grown.SelectMany(group => group.Select(item => new RunSample
        {
            Cpu = (int)item.Now.CpuPlusOne - 1,
            Nanoseconds = (long)(item.Now.Nanoseconds - item.Was.Nanoseconds),
            SharedNanoseconds = (long)(item.Now.SharedNanoseconds - item.Was.SharedNanoseconds),
            KiloCycles = (long)(item.Now.Weighted / 1_000_000) - (long)(item.Was.Weighted / 1_000_000),
        })).ToArray();
        int first = 0;
        ThreadSample[] threads = grown.Select(group =>
        {
            CounterRecord counted = counters[group.Key], before = _counters.GetValueOrDefault(group.Key);
            var thread = new ThreadSample
            {
                Row = rowOf[tids[group.Key].Tid],
                FirstRun = first,
                RunCount = group.Count(),
                Instructions = (long)(counted.First - before.First),
                Cycles = (long)(counted.Second - before.Second),
                LlcMisses = (long)(counted.Third - before.Third),
            };
            first += thread.RunCount;
            return thread;
        }).ToArray();
        (_entries, _counters) = (now, live.ToDictionary(item => item.Index, item => counters[item.Index]));
        return (threads, runs);
    }

    private static IEnumerable<(int Place, EntryRecord Entry)> Entries(SlotRecord slot)
    {
        for (int i = 0; i < EntryRecords.Count; i++)
        {
            if (slot.Entries[i].CpuPlusOne != 0)
            {
                yield return (i, slot.Entries[i]);
            }
        }
    }
}
