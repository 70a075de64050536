using Keck.Metering;

namespace Keck.Lab;

/// <summary>Who owns energy: a machine, a process, or the kernel; with what it has used in this tick.</summary>
public sealed class LabConsumer
{
    /// <summary><c>machine</c>, <c>process</c> or <c>system</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>A machine's UUID, a process's pid, <c>kernel</c>.</summary>
    public required string Id { get; init; }

    /// <summary>For people.</summary>
    public required string Name { get; init; }

    /// <summary>Process id; 0 for the kernel.</summary>
    public int Pid { get; init; }

    /// <summary>The machine; null for others.</summary>
    public MachineRow? Machine { get; init; }

    /// <summary>The package whose memory holds its pages.</summary>
    public int HomePackage { get; init; }

    /// <summary>Memory that it holds, KiB.</summary>
    public long PssKibibytes { get; init; }

    /// <summary>From when it is here, s.</summary>
    public double StartsAt { get; init; }

    /// <summary>Until when, s.</summary>
    public double EndsAt { get; init; } = double.PositiveInfinity;

    /// <summary>Whether its hardware counters are read.</summary>
    public bool HasCounters { get; init; } = true;

    /// <summary>Active energy of this tick in packages, µJ.</summary>
    public double PackageMicrojoules { get; internal set; }

    /// <summary>Active energy of this tick in memory, µJ; 0 where memory has no meter.</summary>
    public double DramMicrojoules { get; internal set; }

    /// <summary>Row in the process table; -1 while it is not there.</summary>
    internal int Row { get; set; } = -1;
}
