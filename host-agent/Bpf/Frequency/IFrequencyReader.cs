using Keck.Metering;

namespace Keck.Bpf.Frequency;

/// <summary>One way to know CPUs' frequencies.</summary>
internal interface IFrequencyReader : IDisposable
{
    /// <summary>The way's name on figures.</summary>
    FrequencyOrigin Origin { get; }

    /// <summary>A CPU's mean frequency while busy since the last call, kHz; <see cref="Unobserved.Value"/> where unknown.</summary>
    /// <param name="cpu">The kernel's CPU number.</param>
    /// <param name="busyNanoseconds">How long threads ran on it since the last call.</param>
    long Read(int cpu, long busyNanoseconds);
}
