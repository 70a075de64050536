using Keck.Metering;
using Keck.Power;

namespace Keck.Agent;

/// <summary>The host's power sources as the tick loop wants them.</summary>
internal sealed class PowerFeed(MeterSet meters) : IMeterFeed
{
    public Topology Topology => meters.Topology;

    public void Sample(Observation observation) => meters.Sample(observation);
}
