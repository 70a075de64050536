using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Threading.Channels;
using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Virt;

/// <summary>
/// Knows the machines of this host: hypervisors' processes from procfs, KVM's statistics, and libvirt where it is asked for.
/// <see cref="RunAsync"/> does the reading; <see cref="Current"/> may be taken from any thread at any time.
/// </summary>
public sealed partial class MachineDirectory
{
    private const int QueueLength = 4096;
    private const int LookAgain = 0;
    private const int DomainsChanged = -1;
    private const int YoungLooks = 4;
    private static readonly TimeSpan YoungPause = TimeSpan.FromMilliseconds(500);

    private readonly VirtOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LibvirtSource? _libvirt;
    private readonly HypervisorReader _reader;
    private readonly KvmStatistics _kvm;
    private readonly Channel<int> _work =
        Channel.CreateBounded<int>(new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly Dictionary<int, Known> _hypervisors = [];
    private readonly Dictionary<int, (MachineProcess Process, VsockDaemon Daemon)> _daemons = [];
    private readonly Dictionary<int, List<string>> _kvmDirectories = [];
    private MachineInventory _current = MachineInventory.Empty;
    private Absence? _kvmAbsence;
    private bool _kvmTold;
    private bool _full;

    /// <summary>Builds the directory; nothing is read and libvirt is not loaded before <see cref="RunAsync"/>.</summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message names all of them.</exception>
    public MachineDirectory(VirtOptions options, TimeProvider time, ILogger logger)
    {
        IReadOnlyList<string> errors = options.Validate();
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", errors), nameof(options));
        }

        (_options, _time, _logger) = (options, time, logger);
        _reader = new HypervisorReader(options.ProcRoot);
        _kvm = new KvmStatistics(options.SysRoot);
        if (options.LibvirtUri is not null)
        {
            _libvirt = new LibvirtSource(options, time, logger) { Changed = OnDomains };
        }
    }

    /// <summary>The machines known now.</summary>
    public MachineInventory Current => Volatile.Read(ref _current);

    /// <summary>How the connection to libvirt stands.</summary>
    public LibvirtStatus Libvirt => _libvirt?.Status ?? LibvirtStatus.Unwanted;

    /// <summary>Whether KVM's debugfs tells which thread runs which vCPU; null when it does, else why not.</summary>
    public Absence? KvmAbsence => _kvmAbsence;

    /// <summary>What libvirt tells, as it tells it. Called on the directory's own task: a handler that blocks holds up discovery.</summary>
    public event Action<MachineEvent>? Happened;

    internal VirtOptions Options => _options;

    /// <summary>Looks through all of procfs, then follows what is asked and told, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        LookAtAll();
        Look(domainsChanged: false);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task follower = _libvirt?.RunAsync(stop.Token) ?? Task.CompletedTask;
        try
        {
            await using ITimer timer = _time.CreateTimer(_ => _work.Writer.TryWrite(LookAgain), null, NextLook(), Timeout.InfiniteTimeSpan);
            while (await _work.Reader.WaitToReadAsync(cancellationToken))
            {
                bool look = false;
                bool changed = false;
                bool domains = false;
                while (_work.Reader.TryRead(out int asked))
                {
                    look |= asked is LookAgain or DomainsChanged;
                    domains |= asked == DomainsChanged;
                    changed |= asked > 0 && TryAdd(asked);
                    if (follower.IsFaulted)
                    {
                        await follower;
                    }
                }

                if (look || changed)
                {
                    Look(domains);
                    _ = timer.Change(NextLook(), Timeout.InfiniteTimeSpan);
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            await follower.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>
    /// Halt-polling of a machine, read when asked: from KVM's debugfs, else through libvirt. A label: the time is in its vCPU threads'.
    /// Blocks while files or the daemon answer; not for the tick thread.
    /// </summary>
    public Reading<HaltPoll> ReadHaltPoll(Machine machine)
    {
        if (machine.Process is not { } process)
        {
            return Absence.NotPresent;
        }

        Reading<HaltPoll> reading = new KvmStatistics(_options.SysRoot).HaltPoll(process.Pid);
        return reading.Value is null && _libvirt?.HaltPoll(machine.SystemUuid ?? machine.Uuid) is { } told ? told : reading;
    }

    /// <summary>Asks for a look at a process; false when too many wait. Any thread; does not block.</summary>
    internal bool Ask(int pid) => _work.Writer.TryWrite(pid);

    private void OnDomains(ImmutableArray<DomainEvent> events)
    {
        foreach (DomainEvent happened in events)
        {
            if (MachineEvent.From(happened) is { } known)
            {
                Happened?.Invoke(known);
            }
        }

        // A full queue holds a look already, or will be followed by one.
        _ = _work.Writer.TryWrite(DomainsChanged);
    }

    private TimeSpan NextLook() =>
        YoungPause < _options.ScanInterval && _hypervisors.Values.Any(known => known.Looks < YoungLooks) ? YoungPause : _options.ScanInterval;

    private void LookAtAll()
    {
        try
        {
            foreach (string directory in Directory.EnumerateDirectories(_options.ProcRoot))
            {
                if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && !_hypervisors.ContainsKey(pid))
                {
                    _ = TryAdd(pid);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NoProcesses(_logger, _options.ProcRoot, e is IOException ? Absence.NotPresent : Absence.NotPermitted);
        }
    }

    private bool TryAdd(int pid)
    {
        if (!_reader.TryRead(pid, out HypervisorProcess? hypervisor, out (MachineProcess Process, VsockDaemon Daemon)? daemon))
        {
            return false;
        }

        if (daemon is { } serving)
        {
            _daemons[pid] = serving;
            return true;
        }

        if (_hypervisors.Count >= _options.MachineLimit && !_hypervisors.ContainsKey(pid))
        {
            if (!_full)
            {
                Log.TooMany(_logger, _options.MachineLimit);
            }

            _full = true;
            return false;
        }

        _hypervisors[pid] = new Known(hypervisor!);
        return true;
    }

    private void Look(bool domainsChanged)
    {
        foreach (Known known in _hypervisors.Values.ToArray())
        {
            if (_reader.StartTicks(known.Seen.Process.Pid) != known.Seen.Process.StartTicks)
            {
                _ = _hypervisors.Remove(known.Seen.Process.Pid);
                _full = false;
            }
        }

        foreach ((MachineProcess process, VsockDaemon _) in _daemons.Values.ToArray())
        {
            if (_reader.StartTicks(process.Pid) != process.StartTicks)
            {
                _ = _daemons.Remove(process.Pid);
            }
        }

        SetKvmAbsence(_kvm.List(_kvmDirectories));
        foreach (int pid in _kvmDirectories.Keys)
        {
            _ = !_hypervisors.ContainsKey(pid) && TryAdd(pid);
        }

        string[] unseen = UnseenDomains();
        if (unseen.Length > 0 && domainsChanged)
        {
            LookAtAll();
        }
        else
        {
            foreach (string uuid in unseen)
            {
                _libvirt!.AskAgain(uuid);
            }
        }

        foreach (Known known in _hypervisors.Values)
        {
            known.Looks++;
            if (_kvmDirectories.TryGetValue(known.Seen.Process.Pid, out List<string>? directories))
            {
                known.Vcpus = _kvm.VcpuThreads(directories);
            }
        }

        Publish();
    }

    // Domains that run, says libvirt, and have no process that we know.
    private string[] UnseenDomains()
    {
        if (_libvirt is null)
        {
            return [];
        }

        HashSet<string> seen = [.. _hypervisors.Values.Select(known => known.Seen.Arguments.Uuid ?? known.Seen.Arguments.SmbiosUuid).OfType<string>()];
        return [.. _libvirt.Domains.Values.Where(domain => domain.State is MachineState.Running or MachineState.Paused && !seen.Contains(domain.Uuid)).Select(domain => domain.Uuid)];
    }

    private void SetKvmAbsence(Absence? absence)
    {
        if (!_kvmTold || _kvmAbsence != absence)
        {
            (_kvmTold, _kvmAbsence) = (true, absence);
            if (absence == Absence.NotPermitted)
            {
                Log.NoKvmStatistics(_logger, _options.SysRoot);
            }
        }
    }

    private void Publish()
    {
        ImmutableDictionary<string, DomainFacts> domains = _libvirt?.Domains ?? ImmutableDictionary<string, DomainFacts>.Empty;
        Dictionary<string, string> hybrid = [];
        foreach ((string control, string channel) in _daemons.Values.SelectMany(serving => serving.Daemon.Guests))
        {
            _ = hybrid.TryAdd(control, channel);
        }

        HashSet<string> taken = [];
        HashSet<string> shown = [];
        ImmutableArray<Machine>.Builder machines = ImmutableArray.CreateBuilder<Machine>();
        // Who may be in a machine's cgroup was put there by root; among equals the older one was first.
        foreach (Known known in _hypervisors.Values.OrderBy(known => MachineCgroup.Own(known.Seen.Cgroup).IsEmpty).ThenBy(known => known.Seen.Process.StartTicks).ThenBy(known => known.Seen.Process.Pid))
        {
            Machine machine = MachineBuilder.Create(known.Seen, domains, hybrid, known.Vcpus, _options.HostId);
            if (!taken.Add(machine.Uuid))
            {
                machine = MachineBuilder.AsDuplicate(machine, known.Seen, _options.HostId);
                if (!taken.Add(machine.Uuid))
                {
                    continue;
                }
            }
            else
            {
                _ = shown.Add(machine.SystemUuid ?? machine.Uuid);
            }

            machines.Add(machine);
        }

        foreach (DomainFacts domain in domains.Values)
        {
            Machine machine = MachineBuilder.Create(domain);
            if (machines.Count < _options.MachineLimit && !shown.Contains(domain.Uuid) && taken.Add(machine.Uuid))
            {
                machines.Add(machine);
            }
        }

        machines.Sort((left, right) => string.CompareOrdinal(left.Uuid, right.Uuid));
        if (!IsSame(machines))
        {
            Volatile.Write(ref _current, new MachineInventory(machines.ToImmutable(), ServingOne(machines)));
        }
    }

    // Machines are records of values and short arrays: the same again is no news, and costs the tick nothing.
    private bool IsSame(ImmutableArray<Machine>.Builder machines)
    {
        ImmutableArray<Machine> known = Current.Machines;
        if (known.Length != machines.Count || Current.Daemons.Count != ServingOne(machines).Count)
        {
            return false;
        }

        for (int i = 0; i < known.Length; i++)
        {
            Machine now = machines[i];
            if (!now.VcpuThreads.SequenceEqual(known[i].VcpuThreads) || !now.Channels.SequenceEqual(known[i].Channels)
                || !SameOwner(now.Owner, known[i].Owner)
                || now with { VcpuThreads = default, Channels = default, Owner = null } != known[i] with { VcpuThreads = default, Channels = default, Owner = null })
            {
                return false;
            }
        }

        return true;
    }

    private static bool SameOwner(MachineOwner? left, MachineOwner? right) =>
        left is null || right is null
            ? left is null && right is null
            : left.Tags.SequenceEqual(right.Tags) && left with { Tags = right.Tags } == right;

    private FrozenDictionary<int, Machine> ServingOne(ImmutableArray<Machine>.Builder machines)
    {
        Dictionary<int, Machine> serving = [];
        foreach ((MachineProcess process, VsockDaemon daemon) in _daemons.Values)
        {
            string[] paths = [.. daemon.Guests.Select(guest => guest.Channel).Distinct()];
            if (paths.Length != 1)
            {
                continue;
            }

            MachineChannel channel = new(ChannelKind.HybridVsock, 0, paths[0]);
            Machine[] served = [.. machines.Where(machine => machine.Channels.Contains(channel)).Take(2)];
            if (served.Length == 1)
            {
                serving[process.Pid] = served[0];
            }
        }

        return serving.ToFrozenDictionary();
    }

    private sealed class Known(HypervisorProcess seen)
    {
        internal HypervisorProcess Seen { get; } = seen;

        internal ImmutableArray<VcpuThread> Vcpus { get; set; } = [];

        internal int Looks { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 6011, Level = LogLevel.Warning, Message = "Cannot list {ProcRoot} ({Reason}): machines without libvirt are not found")]
        internal static partial void NoProcesses(ILogger logger, string procRoot, Absence reason);

        [LoggerMessage(EventId = 6012, Level = LogLevel.Warning, Message = "More than {Limit} machines: further ones are counted as ordinary processes")]
        internal static partial void TooMany(ILogger logger, int limit);

        [LoggerMessage(EventId = 6013, Level = LogLevel.Information, Message = "KVM's statistics below {SysRoot} may not be read: vCPU threads are known by their names and cgroups only")]
        internal static partial void NoKvmStatistics(ILogger logger, string sysRoot);
    }
}
