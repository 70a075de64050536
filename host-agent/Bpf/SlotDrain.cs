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
    private readonly AccountingMemory _memory;
    private readonly FreeSlots _free;
    private readonly SlotShadows _shadows;
    private readonly CpuCuts _cuts;
    private readonly SlotReports _reports;

    internal SlotDrain(AccountingMemory memory)
    {
        _memory = memory;
        _free = new FreeSlots(memory);
        _shadows = new SlotShadows(memory.Slots.Length);
        _cuts = new CpuCuts(memory, _shadows);
        _reports = new SlotReports(memory, _cuts.Cpus, _cuts.Tallies, _shadows, _free);
    }

    /// <summary>Slots that hold a thread or an overflow.</summary>
    internal int SlotsInUse { get; private set; }

    /// <inheritdoc cref="SlotReports.Overcharged"/>
    internal long Overcharged => _reports.Overcharged;

    /// <inheritdoc cref="CpuCuts.Unconfirmed"/>
    internal long Unconfirmed => _cuts.Unconfirmed;

    /// <inheritdoc cref="SlotReports.CountersTaken"/>
    internal bool CountersTaken
    {
        get => _reports.CountersTaken;
        set => _reports.CountersTaken = value;
    }

    /// <summary>What the last drain did.</summary>
    internal DrainStatistics Statistics { get; private set; }

    /// <summary>Per-CPU values of the last drain.</summary>
    internal ReadOnlySpan<CpuSnapshot> Cpus => _cuts.Cpus;

    /// <summary>Takes everything so far as the baseline; nothing is reported.</summary>
    internal void Prime(ReadOnlySpan<bool> online, Observation scratch)
    {
        _reports.Priming = true;
        Drain(scratch, online, []);
        _reports.Priming = false;
    }

    /// <summary>Reports what ran since the last drain.</summary>
    /// <param name="into">Where to.</param>
    /// <param name="online">Which CPUs are online.</param>
    /// <param name="steal">Steal time per CPU not yet subtracted, ns; set to zero once used. May be empty.</param>
    internal void Drain(Observation into, ReadOnlySpan<bool> online, Span<long> steal)
    {
        _shadows.Reach(_free.Highest);
        _cuts.Take(online);
        if (_memory.Globals.Overflows > 0)
        {
            CollectDetached();
        }

        int scanned = _free.Highest;
        int changed = ReportSlots(into, scanned);
        int recycled = _free.EndedCount;
        double worst = 0, sum = 0;
        int counted = 0;
        for (int cpu = 0; cpu < Cpus.Length; cpu++)
        {
            ref CpuSnapshot snapshot = ref _cuts.Cpus[cpu];
            if (snapshot.Taken && CpuClosing.Close(_reports.Priming ? null : into, ref snapshot, in _cuts.Tallies[cpu], cpu, steal) && snapshot.Wall > 0)
            {
                double partsPerMillion = Math.Abs((double)snapshot.Open) / snapshot.Wall * 1e6;
                worst = Math.Max(worst, partsPerMillion);
                sum += partsPerMillion;
                counted++;
            }
        }

        _free.Recycle(_shadows);
        Statistics = new DrainStatistics
        {
            Scanned = scanned,
            Changed = changed,
            Recycled = recycled,
            WorstClosurePartsPerMillion = worst,
            MeanClosurePartsPerMillion = counted == 0 ? 0 : sum / counted,
        };
    }

    /// <inheritdoc cref="BpfRunSource.Ahead"/>
    internal long Ahead(int tid)
    {
        long ahead = 0;
        for (int i = 1; i < _shadows.Slots.Length; i++)
        {
            ahead += _shadows.Slots[i].Known && _memory.Slots[i].State == SlotState.Live && _memory.Metas[i].Tid == (uint)tid ? _shadows.Slots[i].Debt : 0;
        }

        return ahead;
    }

    private int ReportSlots(Observation into, int highest)
    {
        Span<SlotRecord> slots = _memory.Slots;
        SlotShadow[] shadows = _shadows.Slots;
        int changed = 0, inUse = 0;
        for (int i = 1; i <= highest; i++)
        {
            ref SlotRecord slot = ref slots[i];
            SlotState state = slot.State;
            if (state == SlotState.Free)
            {
                continue;
            }

            inUse++;
            ref SlotShadow shadow = ref shadows[i];
            if (state == SlotState.Live
                ? slot.Runtime != shadow.Runtime || !shadow.Known || shadow.RunningOn != 0 || shadow.Provisional || shadow.DetachedHead != 0
                : state == SlotState.Dead)
            {
                changed++;
                _reports.Report(into, i, Volatile.Read(ref Unsafe.As<SlotState, uint>(ref slot.State)) == (uint)SlotState.Dead);
            }
        }

        SlotsInUse = inUse - _free.EndedCount;
        return changed;
    }

    /// <summary>Hangs chains that the kernel has let go of on their owners, so that these are looked at.</summary>
    private void CollectDetached()
    {
        Span<SlotRecord> slots = _memory.Slots;
        SlotShadow[] shadows = _shadows.Slots;
        for (int i = 1; i <= _free.Highest; i++)
        {
            if (slots[i].State == SlotState.Detached)
            {
                int owner = (int)slots[i].Home;
                if ((uint)owner < (uint)shadows.Length)
                {
                    shadows[i].DetachedNext = shadows[owner].DetachedHead;
                    shadows[owner].DetachedHead = i;
                }
            }
        }
    }
}
