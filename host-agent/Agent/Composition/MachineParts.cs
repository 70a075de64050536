using System.Collections.Frozen;
using Keck.Agent;
using Keck.Metering;
using Keck.Virt;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>The virtual machines of this host: who they are, which threads are theirs, and what is known of them.</summary>
internal sealed class MachineParts(MachineDirectory directory) : IWorkloads
{
    private static readonly string[] Sockets = ["libvirt-sock-ro", "libvirt-sock", "virtqemud-sock-ro", "virtqemud-sock"];

    private readonly MachineResolver _resolver = new(directory);
    private FrozenDictionary<string, long> _haltPolls = FrozenDictionary<string, long>.Empty;

    internal MachineDirectory Directory => directory;

    /// <summary>Whose workloads these are placed in; they are resolved first.</summary>
    internal required WorkloadFeed Workloads { get; init; }

    internal static MachineParts Create(HostOptions options, WorkloadFeed workloads, TimeProvider time, ILoggerFactory loggers)
    {
        VirtOptions virt = new()
        {
            ProcRoot = Path.GetFullPath(options.ProcRoot),
            SysRoot = Path.GetFullPath(options.SysRoot),
            LibvirtUri = Libvirt(options),
            HostId = MachineId(options.RootFs),
        };
        return new MachineParts(new MachineDirectory(virt, time, loggers.CreateLogger("Keck.Virt"))) { Workloads = workloads };
    }

    public void Resolve(Observation observation)
    {
        Workloads.Resolve(observation);
        _resolver.Resolve(observation);
    }

    public void Forget(int process) => Workloads.Forget(process);

    /// <summary>What is known of a machine; null where it is not known.</summary>
    internal MachineFacts? Facts(string uuid, ChannelHub? hub)
    {
        MachineChannelState? channel = hub?.Find(uuid);
        if (directory.Current.Find(uuid) is not { } machine)
        {
            return channel is null ? null : new MachineFacts { Channel = channel.Facts(), Guest = channel.Report() };
        }

        return new MachineFacts
        {
            State = machine.State.ToString().ToLowerInvariant(),
            Manager = machine.Manager.ToString().ToLowerInvariant(),
            Project = machine.Owner?.Project,
            ProjectId = machine.Owner?.ProjectId,
            User = machine.Owner?.User,
            UserId = machine.Owner?.UserId,
            Flavor = machine.Owner?.Flavor,
            DisplayName = machine.Owner?.DisplayName,
            Tags = machine.Owner?.Tags ?? System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty,
            PodUid = machine.PodUid,
            Derived = machine.Derived,
            HaltPollNanoseconds = Volatile.Read(ref _haltPolls).TryGetValue(machine.Uuid, out long polled) ? polled : null,
            Channel = channel?.Facts() ?? (machine.Channels.IsEmpty ? null : new ChannelFacts()),
            Guest = channel?.Report(),
        };
    }

    /// <summary>Reads the machines' halt-polling: whoever asks for it does not wait for files, or for libvirt's daemon.</summary>
    internal void ReadHaltPolls()
    {
        Dictionary<string, long> read = [];
        foreach (Machine machine in directory.Current.Machines.Where(machine => machine.Process is not null))
        {
            if (directory.ReadHaltPoll(machine).Value is { } polled)
            {
                read[machine.Uuid] = polled.SuccessNanoseconds + polled.FailNanoseconds;
            }
        }

        Volatile.Write(ref _haltPolls, read.ToFrozenDictionary());
    }

    // The minimal profile does without libvirt, which costs 11 MB; where no libvirt serves there is nobody to ask, and another machine's trees are not its machines'.
    private static string? Libvirt(HostOptions options) => options.Libvirt != HostOptions.AutoLibvirt ? options.Libvirt
        : options.Profile != ProfileKind.Minimal && options.OwnTrees
            && Array.Exists(Sockets, socket => File.Exists(Path.Combine(options.RootFs, "run/libvirt", socket))) ? "qemu:///system" : null;

    private static string MachineId(string root)
    {
        try
        {
            return File.ReadAllText(Path.Combine(root, "etc/machine-id")).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
