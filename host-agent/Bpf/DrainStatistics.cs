namespace Keck.Bpf;

/// <summary>What one drain did.</summary>
public readonly record struct DrainStatistics
{
    /// <summary>Slots looked at.</summary>
    public int Scanned { get; init; }

    /// <summary>Slots that had something new.</summary>
    public int Changed { get; init; }

    /// <summary>Slots given back to the kernel.</summary>
    public int Recycled { get; init; }

    /// <summary>CPUs whose running slice was settled by a call into the kernel.</summary>
    public int Flushes { get; init; }

    /// <summary>
    /// The worst CPU: |wall − threads − idle − interrupt and steal as the kernel itself counts them| over the wall time, parts
    /// per million. Independent of <c>CpuSample.InterruptNanoseconds</c>, which takes up this rest.
    /// </summary>
    public double WorstClosurePartsPerMillion { get; init; }

    /// <summary>The mean of the same over all CPUs.</summary>
    public double MeanClosurePartsPerMillion { get; init; }
}
