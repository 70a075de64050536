namespace Keck.Metering;

/// <summary>What a meter is: the header of its readings. Immutable for the life of a trace.</summary>
public sealed record Meter
{
    /// <summary>Id of the meter of a budget that holds memory's static part; the other one of <see cref="EnergyDomain.Static"/> is the packages'.</summary>
    public const string StaticMemoryId = "static-dram";

    /// <summary>Unique on its host, such as <c>package-0</c>, <c>dram-1</c>, <c>psu-0</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What it covers.</summary>
    public required EnergyDomain Domain { get; init; }

    /// <summary>The package it covers, counted from 0; null where it covers the whole machine.</summary>
    public int? Package { get; init; }

    /// <summary>The core it covers (AMD per-core energy; numbering of <see cref="CpuPlace.Core"/>); null otherwise.</summary>
    public int? Core { get; init; }

    /// <summary>The CPU it covers (in a guest, one vCPU's budget); null otherwise.</summary>
    public int? Cpu { get; init; }

    /// <summary>Where its figures come from.</summary>
    public required EnergyOrigin Origin { get; init; }

    /// <summary>How much its figures are worth.</summary>
    public required ReadingQuality Quality { get; init; }

    /// <summary>Whether its energy is attributed; the others are kept for comparison. Selected meters never overlap.</summary>
    public bool Selected { get; init; }

    /// <summary>Why it is not selected, in words; null when it is.</summary>
    public string? NotSelectedBecause { get; init; }

    /// <summary>The step of its counter; null where unknown.</summary>
    public Microjoules? Quantum { get; init; }

    /// <summary>95 % bounds of its energy as factors on the reading, from what the source itself is worth; (1, 1) for a counter taken at its word.</summary>
    public double LowFactor { get; init; } = 1;

    /// <summary>See <see cref="LowFactor"/>.</summary>
    public double HighFactor { get; init; } = 1;

    /// <summary>What it draws with all its CPUs idle, where the source itself knows (an estimate does; a counter does not). Watts.</summary>
    public double? KnownStaticWatts { get; init; }
}
