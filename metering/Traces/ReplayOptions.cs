namespace Keck.Metering;

/// <summary>What a replay does otherwise than the live attribution did.</summary>
public sealed record ReplayOptions
{
    /// <summary>Whether <see cref="Model"/> replaces the recorded limit.</summary>
    /// <value>Default false.</value>
    public bool OverrideModel { get; init; }

    /// <summary>The most detailed model allowed where overridden; null for the best that the data allow (auto).</summary>
    public ModelKind? Model { get; init; }

    /// <summary>The idle policy; null for the recorded one, or <see cref="IdlePolicy.Separate"/>.</summary>
    public IdlePolicy? Idle { get; init; }

    /// <summary>Whether to forget what the live attribution had learned.</summary>
    /// <value>Default false.</value>
    public bool ColdStart { get; init; }

    /// <summary>Whether consumers get factors of their own; null as recorded, or true.</summary>
    public bool? Signatures { get; init; }

    /// <summary>What is assumed of a CPU's idle power, for a trace that does not say what was; null for the generic prior.</summary>
    public Func<TraceCpu, IdlePrior?>? IdlePrior { get; init; }

    /// <summary>The machine's profile; null for none.</summary>
    public MachineProfile? Profile { get; init; }
}
