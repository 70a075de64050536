namespace Keck.Bpf;

/// <summary>
/// Whether the CPUs' counters are ours all the time. Where others want more of them than there are, the kernel lets events take turns, and
/// what was counted is too little by an unknown part: then it is not known.
/// </summary>
internal sealed class CounterTurns(AccountingMemory memory)
{
    /// <summary>Events looked at in one go: a system call each.</summary>
    internal const int EachLook = 96;

    // What an event may have missed while it was set up.
    private const double Whole = 0.98;

    private readonly (ulong Wanted, ulong Counted)[] _last = new (ulong, ulong)[memory.Events];
    private readonly bool[] _taken = new bool[memory.Events];
    private int _next;

    /// <summary>Whether any event had to wait for its turn when it was last looked at.</summary>
    internal bool Taken => Array.IndexOf(_taken, true) >= 0;

    /// <summary>Looks at the next events.</summary>
    internal void Look()
    {
        for (int i = Math.Min(EachLook, _last.Length); i > 0; i--)
        {
            if (memory.EventTimes(_next) is { } now)
            {
                ulong wanted = now.Wanted - _last[_next].Wanted, counted = now.Counted - _last[_next].Counted;
                _taken[_next] = counted < wanted * Whole;
                _last[_next] = now;
            }

            _next = (_next + 1) % _last.Length;
        }
    }
}
