namespace Keck.Agent;

/// <summary>The machine and the agent on it.</summary>
internal sealed record NodeDocument
{
    public required string Host { get; init; }

    public required string Agent { get; init; }

    public required string Version { get; init; }

    public string? Kernel { get; init; }

    public string? CpuModel { get; init; }

    public int Cpus { get; init; }

    public int Packages { get; init; }

    public required Guid Epoch { get; init; }

    public DateTime? EpochStartedAt { get; init; }

    public required DateTime At { get; init; }

    public long Tick { get; init; }

    public double TickSeconds { get; init; }

    public required string Model { get; init; }

    /// <summary>What a better model lacked in the last tick with runs; absent where nothing.</summary>
    public string? ModelReason { get; init; }

    public required string IdlePolicy { get; init; }

    public required ProfileDocument Profile { get; init; }

    /// <summary>The machine profile; absent in a guest, which takes none.</summary>
    public CalibrationDocument? Calibration { get; init; }

    /// <summary>What is assumed of idle power until the machine is seen idle; absent in a guest.</summary>
    public IdlePriorDocument? IdlePrior { get; init; }

    public required RunSourceDocument RunSource { get; init; }

    public required DomainDocument[] Domains { get; init; }

    /// <summary>What the components leave unexplained of the machine's own meter; absent where there is none.</summary>
    public double? ErrorRatio { get; init; }

    public double? GapRatio { get; init; }

    public required SelfDocument Self { get; init; }
}
