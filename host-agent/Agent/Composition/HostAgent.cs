using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Keck.Agent;
using Keck.Metering;
using Keck.Power;
using Keck.Virt;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>Everything of a running host agent, wired along the data path: sources → engine → what the outlets ask.</summary>
internal sealed class HostAgent : AgentCore
{
    private readonly RunSources _runs;
    private readonly MachineParts _machines;

    private HostAgent(
        HostOptions options, TimeProvider time, MeterSet meters, RunSources runs, MachineParts machines, StateKeeper? keeper, MachineCalibration calibration, ILoggerFactory loggers)
        : base(options, time, runs.Source, new PowerFeed(meters), machines, keeper, calibration.Profile, IdlePriors.For(meters.Cpu))
    {
        (_runs, _machines, PowerMeters, Calibration) = (runs, machines, meters, calibration.Facts);
        HostState.Start(meters, State);
        Hub = new ChannelHub(() => machines.Directory.Current, Engine, options, time, loggers.CreateLogger("Keck.Host.Channels"));
        ChannelOutlet channels = new(Hub, keeper, options.ChannelInterval, ChannelOutlet.NumberOf(State));
        AdoptionLog = new AdoptionLog(time, loggers.CreateLogger("Keck.Host"), State.Saved);
        if (calibration.Profile is { } profile && profile.Hash != State.Calibration)
        {
            AdoptionLog.Take(profile, State.Floors, meters.Meters);
        }

        ForgetState();

        // Before the state is saved, so that what was learned and that it was learned are saved together.
        Engine.Attach(AdoptionLog);
        keeper?.Follow(Engine, json =>
        {
            HostState.Write(meters, calibration.Profile?.Hash, json);
            channels.Write(json);
            AdoptionLog.Write(json);
        });
        Engine.Attach(channels);
    }

    internal override string Program => Settings.Table.Program;

    internal MeterSet PowerMeters { get; }

    internal override CalibrationFacts Calibration { get; }

    internal override AdoptionLog AdoptionLog { get; }

    internal override WorkloadFeed Workloads => _machines.Workloads;

    /// <summary>The virtual machines.</summary>
    internal MachineDirectory Machines => _machines.Directory;

    /// <summary>Reads again what is only shown of machines; blocks while files or libvirt's daemon answer.</summary>
    internal void LookAtMachines() => _machines.ReadHaltPolls();

    /// <summary>The guests' channels.</summary>
    internal ChannelHub Hub { get; }

    protected override TraceCpu Cpu => MachineCalibration.Cpu(PowerMeters);

    protected override long? MapBytes => _runs.MapBytes;

    /// <summary>Finds this machine's sources and wires the agent; throws <see cref="StartException"/> for what cannot work.</summary>
    /// <param name="options">What is set.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where it says what it finds.</param>
    /// <param name="keepState">Whether counters are kept over restarts; a look at the machine keeps none.</param>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The agent owns its sources and disposes of them.")]
    internal static HostAgent Create(HostOptions options, TimeProvider time, ILoggerFactory loggers, bool keepState = false)
    {
        MeterSet meters = MeterSet.Discover(options.Power, time, loggers.CreateLogger("Keck.Power"));
        try
        {
            RunSources runs = RunSources.Open(options, AgentProfile.Of(options.Profile), meters.Topology, time, loggers);
            try
            {
                MachineParts machines = MachineParts.Create(options, WorkloadFeed.Create(options, time, loggers), time, loggers);
                StateKeeper? keeper = keepState ? StateOpening.Open(options, time, loggers.CreateLogger("Keck.Host")) : null;
                MachineCalibration calibration = MachineCalibration.Load(options.Calibration, meters);
                calibration.Log(loggers.CreateLogger("Keck.Host"));
                return new HostAgent(options, time, meters, runs, machines, keeper, calibration, loggers);
            }
            catch
            {
                runs.Dispose();
                throw;
            }
        }
        catch
        {
            meters.Dispose();
            throw;
        }
    }

    internal override void RefreshTopology() => _ = PowerMeters.RefreshTopology();

    public override ImmutableArray<Keck.Agent.MeterReport> Meters() => MeterReports.Of(PowerMeters.States());

    public override MachineFacts? Machine(string uuid) => _machines.Facts(uuid, Hub);

    public override ImmutableArray<(string Reason, long Count)> ChannelRefusals() => ((HostOptions)Options).Channels ? Hub.Refusals : [];

    public override RunSourceFacts Runs() => _runs.Facts();

    protected override void DisposeSources()
    {
        PowerMeters.Dispose();
        _runs.Dispose();
    }
}
