namespace Keck.Bpf;

/// <summary>What every run of a drain needs of its CPU, apart from the snapshot: small, so that all CPUs stay in the first-level cache.</summary>
internal struct CpuTally
{
    /// <summary>Time of threads reported for this drain, ns.</summary>
    internal long Reported;

    /// <summary>By how much threads' time on this CPU has grown, ns: a slice that was reported ahead and settled elsewhere counts against it.</summary>
    internal long Grown;

    /// <summary>The cut's number, which marks what the kernel adds after it.</summary>
    internal uint Cut;

    /// <summary>Whether this drain has a snapshot.</summary>
    internal bool Taken;
}
