using Keck.Agent;
using Keck.Metering;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Host.Tests;

/// <summary>What the running agent changes when the governor steps down, and back.</summary>
public sealed class StepDownTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Observe_OverMemory_AppliesTheSmallerProfileWholeAndBackAgain()
    {
        HostOptions options = new() { Profile = ProfileKind.Full, Runs = RunSourceChoice.Schedstat, Socket = null, Listen = null };
        using HostAgent agent = HostAgent.Create(options, TimeProvider.System, NullLoggerFactory.Instance);
        Assert.Equal((ModelKind.FullModel, HistoryLayout.Full, TimeSpan.FromMilliseconds(100), 5_000), Applied(agent));

        long now = 0;
        Assert.Equal(ProfileKind.Standard, Until(agent, 300L << 20, ref now).To);
        Assert.Equal((ModelKind.FrequencyWeighted, HistoryLayout.Standard, TimeSpan.FromMilliseconds(500), 500), Applied(agent));
        Assert.Equal(ProfileKind.Minimal, Until(agent, 300L << 20, ref now).To);
        Assert.Equal((ModelKind.CpuTimeRatio, HistoryLayout.Minimal, TimeSpan.FromSeconds(1), 100), Applied(agent));
        NodeFacts node = agent.Node();
        Assert.Equal((ProfileKind.Minimal, ModelKind.CpuTimeRatio, 2), (node.Profile, node.ModelLimit, node.ProfileChanges));
        Assert.Equal("memory 300 MiB is over standard's 50 MiB", node.ProfileReason);

        Assert.Equal(ProfileKind.Standard, Until(agent, 1 << 20, ref now).To);
        Assert.Equal(ProfileKind.Full, Until(agent, 1 << 20, ref now).To);
        Assert.Equal((ModelKind.FullModel, HistoryLayout.Full, TimeSpan.FromMilliseconds(100), 5_000), Applied(agent));
        Assert.Equal("configured", agent.Node().ProfileReason);
    }

    [Fact]
    public void Observe_ModelConfiguredBelowTheProfile_StaysAsConfigured()
    {
        HostOptions options = new() { Profile = ProfileKind.Full, Model = ModelKind.CpuTimeRatio, Runs = RunSourceChoice.Schedstat };
        using HostAgent agent = HostAgent.Create(options, TimeProvider.System, NullLoggerFactory.Instance);
        long now = 0;
        _ = Until(agent, 300L << 20, ref now);
        Assert.Equal(ModelKind.CpuTimeRatio, agent.ModelLimit);
    }

    private static (ModelKind Model, HistoryLayout History, TimeSpan Tick, int Ended) Applied(HostAgent agent) =>
        (agent.ModelLimit, agent.History.Layout, agent.Node().TickPeriod, agent.Engine.EndedProcessLimit);

    private static ProfileChange Until(HostAgent agent, long memory, ref long now)
    {
        for (int second = 0; second < 4_000; second++)
        {
            now += Second;
            if (agent.Observe(new SelfUsage(0, memory, memory), now) is { } change)
            {
                return change;
            }
        }

        throw new InvalidOperationException("the governor never decided");
    }
}
