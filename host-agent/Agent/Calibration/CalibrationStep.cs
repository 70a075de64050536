using System.Globalization;

namespace Keck.Host;

/// <summary>A part of a commissioning run in which nothing changes.</summary>
/// <param name="Load">What runs; null for nothing.</param>
/// <param name="Cpus">On how many CPUs.</param>
/// <param name="Speed">How much of the CPUs' range of frequencies they may use, 0 to 1; null for what is set.</param>
/// <param name="Length">How long.</param>
internal readonly record struct CalibrationStep(LoadKind? Load, int Cpus, double? Speed, TimeSpan Length)
{
    /// <summary>For people.</summary>
    public override string ToString()
    {
        string what = Load is { } load ? $"{load.ToString().ToLowerInvariant()} on {Cpus} CPU{(Cpus == 1 ? "" : "s")}" : "idle";
        return Speed is { } speed ? string.Create(CultureInfo.InvariantCulture, $"{what} up to {speed:P0} of the frequency range") : what;
    }
}
