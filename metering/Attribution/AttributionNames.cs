namespace Keck.Metering;

/// <summary>The names of models and policies on the command line, in traces and in the API.</summary>
public static class AttributionNames
{
    /// <summary><c>time</c>, <c>frequency</c>, <c>full</c>, <c>calibrated</c> or <c>adaptive</c>.</summary>
    public static string Name(this ModelKind model) => model switch
    {
        ModelKind.CpuTimeRatio => "time",
        ModelKind.FrequencyWeighted => "frequency",
        ModelKind.FullModel => "full",
        ModelKind.Calibrated => "calibrated",
        _ => "adaptive",
    };

    /// <summary><c>separate</c>, <c>proportional</c> or <c>allocated</c>.</summary>
    public static string Name(this IdlePolicy policy) => policy switch
    {
        IdlePolicy.Separate => "separate",
        IdlePolicy.Proportional => "proportional",
        _ => "allocated",
    };

    /// <summary>The model of a name, or null for a name that is none.</summary>
    public static ModelKind? ParseModel(string name) => name switch
    {
        "time" => ModelKind.CpuTimeRatio,
        "frequency" => ModelKind.FrequencyWeighted,
        "full" => ModelKind.FullModel,
        "calibrated" => ModelKind.Calibrated,
        "adaptive" => ModelKind.Adaptive,
        _ => null,
    };

    /// <summary>The policy of a name, or null for a name that is none.</summary>
    public static IdlePolicy? ParsePolicy(string name) => name switch
    {
        "separate" => IdlePolicy.Separate,
        "proportional" => IdlePolicy.Proportional,
        "allocated" => IdlePolicy.Allocated,
        _ => null,
    };
}
