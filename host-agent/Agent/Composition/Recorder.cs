using Keck.Agent;
using Keck.Metering;

namespace Keck.Host;

/// <summary>Writes each tick into a trace, and the figures that replay will give beside it.</summary>
internal sealed class Recorder : ITickOutlet, IDisposable
{
    private readonly IdlePolicy _idle;
    private readonly MeteringEngine _engine;
    private TraceWriter? _trace;
    private ReplayWriter? _figures;

    private Recorder(MeteringEngine engine, IdlePolicy idle) => (_engine, _idle) = (engine, idle);

    /// <summary>Starts recording with the engine's next tick.</summary>
    internal static Recorder Attach(HostAgent agent, HostOptions options, Stream trace, Stream? figures)
    {
        Recorder recorder = new(agent.Engine, options.Idle);
        agent.Engine.Attach(recorder, (observation, attributor) =>
        {
            recorder._trace = new TraceWriter(trace, agent.TraceHeader(observation, attributor));
            recorder._figures = figures is null ? null : new ReplayWriter(figures);
        });
        return recorder;
    }

    public void OnTick(Observation observation, TickAttribution attribution)
    {
        _trace?.Write(observation);
        _figures?.Write(observation, attribution, _idle);
    }

    /// <summary>Ends the recording after the tick under way.</summary>
    internal void Finish()
    {
        _engine.Detach(this);
        Dispose();
    }

    public void Dispose()
    {
        _trace?.Dispose();
        _figures?.Dispose();
        (_trace, _figures) = (null, null);
    }
}
