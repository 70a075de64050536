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
    internal static Recorder Attach(HostAgent agent, HostOptions options, Stream trace, Stream? figures, TimeProvider time)
    {
        Recorder recorder = new(agent.Engine, options.Idle);
        agent.Engine.Attach(recorder, (observation, attributor) =>
        {
            recorder._trace = new TraceWriter(trace, Header(agent, options, observation, attributor, time));
            recorder._figures = figures is null ? null : new ReplayWriter(figures);
        });
        return recorder;
    }

    /// <summary>The first line of a trace that goes on from the engine's present state.</summary>
    internal static TraceHeader Header(HostAgent agent, HostOptions options, Observation observation, Attributor attributor, TimeProvider time) => new()
    {
        Host = Environment.MachineName,
        StartedAt = time.GetUtcNow(),
        Source = "recorded",
        Cpu = new TraceCpu(
            agent.Meters.Cpu.Vendor, agent.Meters.Cpu.Family, agent.Meters.Cpu.Model, agent.Meters.Cpu.Stepping, agent.Meters.Cpu.Microcode, agent.Meters.Cpu.Name),
        Topology = observation.Topology,
        Meters = observation.Meters,
        Machines = [.. observation.Machines.InOrder.Select(index => observation.Machines[index])],
        InitialState = new TraceInitialState(attributor.Options, options.Idle, attributor.State),
    };

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
