namespace Keck.Host;

/// <summary>What a CPU's frequency was limited to before anything was changed, kHz.</summary>
/// <param name="Folder">Its cpufreq folder.</param>
/// <param name="Least">The lowest that the hardware has.</param>
/// <param name="Low">The lower limit.</param>
/// <param name="High">The upper limit.</param>
internal readonly record struct CpuLimits(string Folder, long Least, long Low, long High)
{
    /// <summary>File of the lower limit.</summary>
    internal const string Lowest = "scaling_min_freq";

    /// <summary>File of the upper limit.</summary>
    internal const string Highest = "scaling_max_freq";

    /// <summary>A part of the way from the lowest frequency to the upper limit; the kernel takes the next one that there is.</summary>
    internal long At(double part) => Least + (long)(Math.Max(0, High - Least) * Math.Clamp(part, 0, 1));
}
