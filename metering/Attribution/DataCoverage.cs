namespace Keck.Metering;

/// <summary>For how much of a tick's run time there was what models need.</summary>
/// <param name="Frequency">Part with a known frequency, 0 to 1.</param>
/// <param name="Counters">Part with counted instructions, cycles and misses, 0 to 1.</param>
public readonly record struct DataCoverage(double Frequency, double Counters)
{
    /// <summary>A model is used where its data cover this much of the run time.</summary>
    public const double Needed = 0.9;
}
