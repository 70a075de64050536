using Keck.Metering;

namespace Keck.Agent;

/// <summary>Where the tick loop's energy comes from: the host's power sources, or a guest's budget.</summary>
public interface IMeterFeed
{
    /// <summary>The CPUs online at the last look.</summary>
    Topology Topology { get; }

    /// <summary>Puts the meters and what they said into the observation; called right after its runs were drained. Must not block.</summary>
    void Sample(Observation observation);
}
