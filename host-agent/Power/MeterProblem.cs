using Keck.Metering;

namespace Keck.Power;

/// <summary>Why a meter has no value, in words for people.</summary>
/// <param name="Reason">The kind of absence.</param>
/// <param name="What">What was found and where.</param>
/// <param name="Mend">What to do about it; null where nothing can be done.</param>
public sealed record MeterProblem(Absence Reason, string What, string? Mend = null)
{
    /// <summary>The problem and its mend in one sentence.</summary>
    public override string ToString() => Mend is null ? What : $"{What}: {Mend}";
}
