namespace Keck.Metering;

/// <summary>How a run's weight is computed, simplest first.</summary>
public enum ModelKind
{
    /// <summary>Weight = ns.</summary>
    CpuTimeRatio,

    /// <summary>Weight = ns × f².</summary>
    FrequencyWeighted,

    /// <summary>Weight = ns × f² × (1 + α·IPC + β·missRate).</summary>
    FullModel,

    /// <summary>Weight = µJ by a machine profile's coefficients.</summary>
    Calibrated,

    /// <summary>Weight = energy by coefficients that hold for any CPU roughly, and become this machine's own by learning.</summary>
    Adaptive,
}
