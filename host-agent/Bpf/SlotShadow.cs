namespace Keck.Bpf;

/// <summary>What has been reported of a slot so far: counters in the kernel only grow, ours are the difference.</summary>
internal struct SlotShadow
{
    /// <summary>The slot's runtime at the last look: unchanged means nothing to do.</summary>
    internal ulong Runtime;

    /// <summary>Time reported too much on some CPU (a provisional slice that the scheduler put elsewhere): taken off the thread's next time.</summary>
    internal long Debt;

    /// <summary>Reported for a CPU that had no entry yet.</summary>
    internal EntryShadow Pending;

    /// <summary>Perf counters reported.</summary>
    internal CounterShadow Counters;

    /// <summary>Row in the thread table; -1 while the thread has not been added.</summary>
    internal int Row;

    /// <summary>Generation of the identity at the last look.</summary>
    internal uint Generation;

    /// <summary>First CPU whose snapshot has this slot running, + 1; 0 for none.</summary>
    internal int RunningOn;

    /// <summary>First detached overflow chain of this slot; 0 for none.</summary>
    internal int DetachedHead;

    /// <summary>For an overflow slot: the next detached chain of the same owner.</summary>
    internal int DetachedNext;

    /// <summary>Whether the slot's thread is known.</summary>
    internal bool Known;

    /// <summary>Whether a provisional slice was reported at the last drain.</summary>
    internal bool Provisional;

    /// <summary>Whether the slot was already dead at the last drain (it is kept once more where it had a chain).</summary>
    internal bool SeenDead;
}
