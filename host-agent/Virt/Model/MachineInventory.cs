using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Keck.Virt;

/// <summary>The machines known at one moment. Immutable: a reader keeps what it took.</summary>
public sealed class MachineInventory
{
    private readonly FrozenDictionary<string, Machine> _byUuid;
    private readonly FrozenDictionary<int, Machine> _byPid;
    private readonly FrozenDictionary<MachineChannel, Machine> _byChannel;

    internal MachineInventory(ImmutableArray<Machine> machines, FrozenDictionary<int, Machine> daemons)
    {
        Machines = machines;
        Daemons = daemons;
        _byUuid = machines.ToFrozenDictionary(machine => machine.Uuid);
        _byPid = machines.Where(machine => machine.Process is not null).ToFrozenDictionary(machine => machine.Process!.Value.Pid);
        _byChannel = machines
            .SelectMany(machine => machine.Channels.Distinct().Select(channel => (Channel: channel, Machine: machine)))
            .GroupBy(pair => pair.Channel, pair => pair.Machine)
            .Select(claims => (Channel: claims.Key, Owner: OwnerOf([.. claims])))
            .Where(pair => pair.Owner is not null)
            .ToFrozenDictionary(pair => pair.Channel, pair => pair.Owner!);
    }

    /// <summary>Nothing known.</summary>
    public static MachineInventory Empty { get; } = new([], FrozenDictionary<int, Machine>.Empty);

    /// <summary>All machines, by UUID.</summary>
    public ImmutableArray<Machine> Machines { get; }

    /// <summary>vsock daemons that serve exactly one machine, by pid.</summary>
    internal FrozenDictionary<int, Machine> Daemons { get; }

    /// <summary>A machine by its key, or null.</summary>
    public Machine? Find(string uuid) => _byUuid.GetValueOrDefault(uuid);

    /// <summary>The machine whose hypervisor has this pid, or null.</summary>
    public Machine? FindByPid(int pid) => _byPid.GetValueOrDefault(pid);

    /// <summary>The machine behind an accepted AF_VSOCK connection's peer, or null; a Kata sandbox never is.</summary>
    public Machine? FindByCid(uint cid) => _byChannel.GetValueOrDefault(new MachineChannel(ChannelKind.Vsock, cid, null));

    /// <summary>The machine behind a socket's path, or null.</summary>
    public Machine? FindBySocket(ChannelKind kind, string path) => _byChannel.GetValueOrDefault(new MachineChannel(kind, 0, path));

    /// <summary>
    /// Whose an address is that several claim: a command line is easily imitated, a place in a machine's own cgroup is not. Where that
    /// does not decide, it attests nobody.
    /// </summary>
    private static Machine? OwnerOf(Machine[] claims)
    {
        Machine[] better = claims.Length == 1 ? claims : [.. claims.Where(machine => machine.Process is not null && machine.Cgroup is not null && !machine.Derived)];
        return better.Length == 1 ? better[0] : null;
    }
}
