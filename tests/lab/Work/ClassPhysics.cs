namespace Keck.Lab;

/// <summary>What one class of instructions does on one machine, or one workload of that class.</summary>
public sealed record ClassPhysics
{
    /// <summary>Instructions per cycle, alone on the core at the machine's base frequency.</summary>
    public required double Ipc { get; init; }

    /// <summary>Energy per instruction at 1 V, nJ; grows with V².</summary>
    public required double NanojoulesPerInstruction { get; init; }

    /// <summary>Counted last-level misses per instruction.</summary>
    public required double MissesPerInstruction { get; init; }

    /// <summary>Lines that move for each counted miss: prefetches and write-backs are not counted.</summary>
    public required double LinesPerMiss { get; init; }

    /// <summary>Last-level accesses per instruction: they cost energy outside the core.</summary>
    public required double AccessesPerInstruction { get; init; }

    /// <summary>Throughput beside a busy hyperthread, against alone.</summary>
    public required double SharedThroughput { get; init; }

    /// <summary>Part of the time, at base frequency, spent waiting for memory, which a higher clock does not shorten.</summary>
    public required double MemoryBound { get; init; }

    /// <summary>Wake-ups of the core per second of running, where it is not saturated.</summary>
    public required double WakesPerSecond { get; init; }

    /// <summary>A variant: the same kind of work, another program.</summary>
    public ClassPhysics Vary(LabRandom random, double deviation) => this with
    {
        Ipc = Ipc * random.Spread(deviation),
        NanojoulesPerInstruction = NanojoulesPerInstruction * random.Spread(deviation),
        MissesPerInstruction = MissesPerInstruction * random.Spread(2 * deviation),
        LinesPerMiss = 1 + ((LinesPerMiss - 1) * random.Spread(deviation)),
        AccessesPerInstruction = AccessesPerInstruction * random.Spread(2 * deviation),
        SharedThroughput = Math.Clamp(SharedThroughput * random.Spread(deviation / 3), 0.5, 0.98),
        MemoryBound = Math.Clamp(MemoryBound * random.Spread(deviation), 0, 0.95),
        WakesPerSecond = WakesPerSecond * random.Spread(3 * deviation),
    };
}
