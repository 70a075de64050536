namespace Keck.Metering;

/// <summary>What can be set about attribution; every value is written into a trace's initial state.</summary>
public sealed record AttributionOptions
{
    /// <summary>The most detailed model allowed; null for the best that the data allow.</summary>
    /// <value>Default null (auto).</value>
    public ModelKind? Model { get; init; }

    /// <summary>Weight of instructions per cycle in <see cref="ModelKind.FullModel"/>.</summary>
    /// <value>0 to 10, default 0.3.</value>
    public double Alpha { get; init; } = 0.3;

    /// <summary>Weight of last-level cache misses per instruction in <see cref="ModelKind.FullModel"/>.</summary>
    /// <value>0 to 100, default 1.5.</value>
    public double Beta { get; init; } = 1.5;

    /// <summary>What a nanosecond beside a busy hyperthread weighs against one alone: two busy siblings draw little more than one.</summary>
    /// <value>0.5 to 1, default 0.55.</value>
    public double SharedWeight { get; init; } = 0.55;

    /// <summary>Part of memory's active energy split by resident memory (PSS) where cache misses are counted; the rest goes by misses.</summary>
    /// <value>0 to 1, default 0.6.</value>
    public double DramPssPart { get; init; } = 0.6;

    /// <summary>Whether large consumers get a factor of their own on the model, learned from what their going on and off does to the meters.</summary>
    /// <value>Default true.</value>
    public bool Signatures { get; init; } = true;

    /// <summary>What is assumed of this machine's idle power before it has been seen idle.</summary>
    /// <value>Default null: <see cref="Metering.IdlePrior.Generic"/>.</value>
    public IdlePrior? IdlePrior { get; init; }

    /// <summary>What a commissioning run found out about this machine; null where there was none.</summary>
    public MachineProfile? Profile { get; init; }

    /// <summary>Whether a profile's models are used: wherever there is one and it is allowed, since each of them can do with less.</summary>
    internal bool MayCalibrate => Profile is { Models.Length: > 0 } && Model is (null or ModelKind.Calibrated);
}
