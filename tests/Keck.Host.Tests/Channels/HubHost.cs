using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Keck.Agent;
using Keck.Metering;
using Keck.Virt;
using Keck.VsockProtocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Host.Tests;

/// <summary>A host agent's engine, hub and doors over made-up machines, each with a hybrid vsock socket in a folder.</summary>
internal sealed class HubHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly StateKeeper? _keeper;
    private readonly List<Task> _doors = [];
    private MachineInventory _inventory;

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The host disposes of its keeper.")]
    internal HubHost(string folder, int machines, MadeUpMachines? source = null, bool keepState = false, HostOptions? options = null, SkippingTime? time = null)
    {
        Folder = folder;
        Time = time ?? new SkippingTime();
        Source = source ?? new MadeUpMachines(machines);
        options ??= new HostOptions();
        _keeper = keepState ? StateKeeper.Open(Path.Combine(folder, "state"), "boot-1", Time, NullLogger.Instance) : null;
        ResumedState state = _keeper?.Load() ?? ResumedState.New();
        Engine = new MeteringEngine(Source, Source, Source, new Attributor(new AttributionOptions(), state.Floors), state.Ledger, new EngineOptions(), Time);
        _inventory = new MachineInventory([.. Enumerable.Range(0, machines).Select(machine => Machine(machine, Socket(machine)))], FrozenDictionary<int, Machine>.Empty);
        Hub = new ChannelHub(() => Volatile.Read(ref _inventory), Engine, options, Time, NullLogger.Instance);
        Outlet = new ChannelOutlet(Hub, _keeper, options.ChannelInterval, ChannelOutlet.NumberOf(state));
        _keeper?.Follow(Engine, Outlet.Write);
        Engine.Attach(Outlet);
        for (int machine = 0; machine < machines; machine++)
        {
            Open(Socket(machine));
        }
    }

    internal string Folder { get; }

    internal SkippingTime Time { get; }

    internal MadeUpMachines Source { get; }

    internal MeteringEngine Engine { get; }

    internal ChannelHub Hub { get; }

    internal ChannelOutlet Outlet { get; }

    internal static Machine Machine(int machine, string socket) => new()
    {
        Uuid = MadeUpMachines.Uuid(machine),
        Name = $"vm-{machine}",
        Vcpus = MadeUpMachines.Vcpus,
        State = MachineState.Running,
        Process = new MachineProcess(MadeUpMachines.Pid(machine), 1),
        Channels = [new MachineChannel(ChannelKind.HybridVsock, 0, socket), new MachineChannel(ChannelKind.Vsock, (uint)(100 + machine), null)],
    };

    /// <summary>The hypervisor's socket of a machine.</summary>
    internal string Socket(int machine) => Path.Combine(Folder, $"vm{machine}");

    /// <summary>Where a machine's guest comes in.</summary>
    internal string Door(int machine) => UnixListener.HybridVsock(Socket(machine));

    internal void Know(params Machine[] machines) => Volatile.Write(ref _inventory, new MachineInventory([.. machines], FrozenDictionary<int, Machine>.Empty));

    internal void Open(string socket) => _doors.Add(ChannelListeners.ListenAsync(
        () => new UnixListener(UnixListener.HybridVsock(socket)), Hub, TimeSpan.FromMilliseconds(1), Time, _stop.Token));

    internal void Tick() => Engine.Tick();

    /// <summary>A machine's consumer, by the ledger.</summary>
    internal ConsumerTotals Consumer(int machine) =>
        Engine.Ledger().Consumers.Single(consumer => consumer.Kind == ConsumerKind.Machine && consumer.Id == MadeUpMachines.Uuid(machine));

    internal MachineTotals Totals(int machine) => Engine.Ledger().Machines.Single(totals => totals.Uuid == MadeUpMachines.Uuid(machine));

    /// <summary>Ends the agent as a kill does: what was not saved is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_doors).ContinueWith(static _ => { }, TaskScheduler.Default);
        _keeper?.Dispose();
        _stop.Dispose();
    }
}
