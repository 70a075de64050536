using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// A run source that, once the agent has stepped down, no longer shows what the smaller profile's model does not use. The
/// limit works on the observation and not on the attribution, so that a recorded trace replays to the same figures.
/// </summary>
internal sealed class LimitedRuns(IRunSource source) : IRunSource
{
    private volatile int _limit = -1;

    /// <inheritdoc/>
    public string Name => source.Name;

    /// <summary>The most detailed model the observations may serve; null for all they can.</summary>
    internal ModelKind? Limit
    {
        get => _limit < 0 ? null : (ModelKind)_limit;
        set => _limit = value is { } model ? (int)model : -1;
    }

    /// <inheritdoc/>
    public void Drain(Observation into)
    {
        source.Drain(into);
        if (Limit is not { } limit || limit == ModelKind.FullModel)
        {
            return;
        }

        foreach (ref ThreadSample thread in into.Threads.Items)
        {
            (thread.Instructions, thread.LlcMisses) = (Unobserved.Value, Unobserved.Value);
            thread.Cycles = limit == ModelKind.FrequencyWeighted ? thread.Cycles : Unobserved.Value;
        }

        if (limit == ModelKind.CpuTimeRatio)
        {
            foreach (ref RunSample run in into.Runs.Items)
            {
                run.KiloCycles = Unobserved.Value;
            }
        }
    }
}
