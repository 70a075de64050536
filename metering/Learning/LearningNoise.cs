namespace Keck.Metering;

/// <summary>What a meter's active energy is off by in one tick: standard deviations, µJ.</summary>
/// <param name="Own">New in each tick: quantisation, what the model cannot follow.</param>
/// <param name="Late">What a reading came late by: missing now, and in the next one.</param>
internal readonly record struct LearningNoise(double Own, double Late)
{
    /// <summary>Nothing may be learned.</summary>
    internal static readonly LearningNoise Useless = new(double.PositiveInfinity, 0);

    internal bool IsUseless => !double.IsFinite(Own);
}
