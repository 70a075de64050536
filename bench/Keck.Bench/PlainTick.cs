using Keck.Metering;

namespace Keck.Bench;

/// <summary>A tick as arrays, which LINQ can walk; made outside the measured time, in favour of the baseline.</summary>
internal sealed class PlainTick(Observation observation)
{
    internal ThreadSample[] Threads { get; private set; } = observation.Threads.Items.ToArray();

    internal RunSample[] Runs { get; private set; } = observation.Runs.Items.ToArray();

    /// <summary>The same tick with threads and runs from elsewhere.</summary>
    internal PlainTick With(ThreadSample[] threads, RunSample[] runs)
    {
        (Threads, Runs) = (threads, runs);
        return this;
    }

    internal CpuSample[] Cpus { get; } = observation.Cpus.Items.ToArray();

    internal MeterSample[] MeterSamples { get; } = observation.MeterSamples.Items.ToArray();

    internal ThreadRow[] Identities { get; } = observation.ThreadTable.Rows.ToArray();

    internal ProcessRow[] Processes { get; } = observation.ProcessTable.Rows.ToArray();

    internal Meter[] Meters { get; } = [.. observation.Meters];

    internal Dictionary<int, CpuPlace> Places { get; } = observation.Topology.Cpus.ToDictionary(place => place.Cpu);

    internal long Length { get; } = observation.Length.Nanoseconds;

    internal long End { get; } = observation.EndNanoseconds;
}
