namespace Keck.Agent;

/// <summary>Energy since the epoch and power over a window, as every document shows them; absent where the machine has no meter.</summary>
internal abstract record FigureDocument
{
    /// <summary>Cumulative since the epoch, µJ, under the policy of the answer.</summary>
    public long? EnergyMicrojoules { get; init; }

    /// <summary>95 % lower bound of it, µJ.</summary>
    public long? Low { get; init; }

    /// <summary>95 % upper bound of it, µJ.</summary>
    public long? High { get; init; }

    /// <summary>The worst quality among the meters it comes from.</summary>
    public string? Quality { get; init; }

    /// <summary>The origins of the meters it comes from, joined by <c>+</c>.</summary>
    public string? Origin { get; init; }

    /// <summary>Mean over <see cref="WindowSeconds"/>, W.</summary>
    public double? PowerWatts { get; init; }

    /// <summary>95 % lower bound of it, W.</summary>
    public double? PowerLowWatts { get; init; }

    /// <summary>95 % upper bound of it, W.</summary>
    public double? PowerHighWatts { get; init; }

    /// <summary>The window that the records at hand allow: the one asked for to within half a row of the ring store.</summary>
    public double? WindowSeconds { get; init; }
}
