namespace Keck.Metering;

/// <summary>A CPU's clock frequency in kilohertz, the unit of cpufreq's <c>scaling_cur_freq</c>.</summary>
/// <param name="Value">Whole kilohertz, such as 2,400,000 for 2.4 GHz.</param>
public readonly record struct Kilohertz(long Value)
{
    /// <summary>The frequency with its unit, such as <c>2400000 kHz</c>.</summary>
    public override string ToString() => $"{Value} kHz";
}
