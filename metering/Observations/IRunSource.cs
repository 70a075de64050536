namespace Keck.Metering;

/// <summary>Who ran where and how long: eBPF, or the fallback without it, or a trace.</summary>
public interface IRunSource
{
    /// <summary>In a word, for <c>doctor</c> and the API: <c>ebpf</c>, <c>schedstat</c>, <c>trace</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Adds to the observation what ran since the last drain: CPUs, threads, runs, births and deaths in the
    /// <see cref="ThreadTable"/>; sets <see cref="Observation.EndNanoseconds"/> to the moment of the drain.
    /// </summary>
    void Drain(Observation into);
}
