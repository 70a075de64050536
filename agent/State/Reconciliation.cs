namespace Keck.Agent;

/// <summary>The measured components against a meter of the whole machine, over one window.</summary>
/// <param name="PlatformMeter">Id of the meter of the whole machine.</param>
/// <param name="PlatformWatts">What it says, W.</param>
/// <param name="ComponentWatts">Sum of the non-overlapping components, W.</param>
/// <param name="GapRatio">(platform − components) / platform: fans, boards, losses.</param>
/// <param name="ErrorRatio">What remains after the learned part, on readings it was not learned from; null before it is known.</param>
public sealed record Reconciliation(string PlatformMeter, double PlatformWatts, double ComponentWatts, double GapRatio, double? ErrorRatio);
