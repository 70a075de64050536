namespace Keck.Metering;

/// <summary>What a static floor goes by, the best first.</summary>
public enum FloorBasis
{
    /// <summary>The source's own word.</summary>
    Source,

    /// <summary>The machine was seen idle.</summary>
    Idle,

    /// <summary>A commissioning run found it; the machine has not been seen idle since.</summary>
    Profile,

    /// <summary>The lowest that busy windows allow, by the prior ratio of idle to full power.</summary>
    Busy,

    /// <summary>The prior ratio alone, tick by tick: the machine was never less than saturated, or has only started.</summary>
    Prior,
}
