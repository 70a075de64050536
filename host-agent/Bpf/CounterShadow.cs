namespace Keck.Bpf;

/// <summary>Perf counters of a thread that have been reported.</summary>
internal struct CounterShadow
{
    internal ulong First;
    internal ulong Second;
    internal ulong Third;
}
