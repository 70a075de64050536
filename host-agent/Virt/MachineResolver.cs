using Keck.Metering;

namespace Keck.Virt;

/// <summary>
/// Tells the observation which processes and threads belong to which machine. <see cref="Resolve"/> belongs to the tick thread: it costs
/// what is new and allocates nothing when nothing is; looking for machines is the <see cref="MachineDirectory"/>'s business.
/// </summary>
public sealed class MachineResolver(MachineDirectory directory)
{
    private const long TickNanoseconds = 10_000_000; // USER_HZ: the unit of field 22 of /proc/PID/stat
    private const int SweepLeast = 64;
    private const int SweepParts = 16;
    private const int ReleaseEvery = 32;

    private readonly ThreadRoles _roles = new(directory.Options.ProcRoot);
    private readonly Column<Examined> _examined = new();
    private readonly Dictionary<string, Machine> _byCgroup = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Machine?> _byShared = new(StringComparer.Ordinal);
    private readonly List<int> _gone = [];
    private MachineInventory _inventory = MachineInventory.Empty;
    private int _version;
    private int _sweep;
    private bool _newcomers;
    private long _ticks;

    /// <summary>Threads whose names are looked at again in the next ticks.</summary>
    internal int YoungCount => _roles.YoungCount;

    /// <summary>Places what is new in the observation; after processes are resolved, before attribution.</summary>
    public void Resolve(Observation observation)
    {
        _ticks++;
        MachineInventory inventory = directory.Current;
        bool news = !ReferenceEquals(inventory, _inventory);
        if (news)
        {
            Adopt(observation.Machines, inventory);
        }

        ThreadTable threads = observation.ThreadTable;
        ProcessTable processes = observation.ProcessTable;
        _examined.Resize(Math.Max(_examined.Count, processes.Rows.Length));
        _newcomers = false;
        Sweep(observation, news ? processes.Rows.Length : Math.Max(SweepLeast, processes.Rows.Length / SweepParts));
        for (int i = 0; i < threads.Added.Count; i++)
        {
            if (threads[threads.Added[i]].Process is >= 0 and var process)
            {
                Examine(observation, process);
            }
        }

        if (news || _newcomers)
        {
            for (int row = 0; row < threads.Rows.Length; row++)
            {
                Begin(observation, row, again: news);
            }
        }
        else
        {
            for (int i = 0; i < threads.Added.Count; i++)
            {
                Begin(observation, threads.Added[i], again: false);
            }
        }

        _roles.Recheck(observation, inventory);
        if (_gone.Count > 0 && _ticks % ReleaseEvery == 0)
        {
            Release(observation);
        }
    }

    private void Adopt(MachineTable table, MachineInventory inventory)
    {
        _inventory = inventory;
        _version++;
        _byCgroup.Clear();
        _byShared.Clear();
        foreach (Machine machine in inventory.Machines)
        {
            // One that is only defined has nothing to be charged with; one that was here stays until its processes are let go.
            bool here = machine.Process is not null;
            if (here || table.Find(machine.Uuid) >= 0)
            {
                _ = table.Set(new MachineRow(
                    machine.Uuid, machine.Name, machine.Vcpus > 0 ? machine.Vcpus : null, machine.MemoryKibibytes > 0 ? machine.MemoryKibibytes : null, here));
            }

            if (here && machine.Cgroup is { } own)
            {
                _ = _byCgroup.TryAdd(own, machine);
            }

            if (here && machine.SharedCgroup is { } shared && !_byShared.TryAdd(shared, machine))
            {
                // Two machines in one container: whose a helper is, cannot be told.
                _byShared[shared] = null;
            }
        }

        _gone.Clear();
        for (int i = 0; i < table.InOrder.Count; i++)
        {
            MachineRow row = table[table.InOrder[i]];
            if (inventory.Find(row.Uuid)?.Process is null)
            {
                _ = row.Running ? table.Set(row with { Running = false }) : 0;
                _gone.Add(table.InOrder[i]);
            }
        }
    }

    // Names and cgroups of known processes change without notice (exec, a move into a machine's cgroup): a part of them is looked at each tick.
    private void Sweep(Observation observation, int count)
    {
        int rows = observation.ProcessTable.Rows.Length;
        for (int i = 0; i < Math.Min(count, rows); i++)
        {
            _sweep = _sweep + 1 < rows ? _sweep + 1 : 0;
            Examine(observation, _sweep);
        }
    }

    private void Examine(Observation observation, int row)
    {
        ref ProcessRow process = ref observation.ProcessTable[row];
        ref Examined known = ref _examined[row];
        if (process.Pid == 0 || process.Kernel
            || (known.Version == _version && known.Pid == process.Pid && known.Start == process.StartNanoseconds
                && ReferenceEquals(known.Name, process.Name) && ReferenceEquals(known.Cgroup, process.Cgroup)))
        {
            return;
        }

        bool asked = known.Asked && known.Pid == process.Pid && known.Start == process.StartNanoseconds
            && ReferenceEquals(known.Name, process.Name) && ReferenceEquals(known.Cgroup, process.Cgroup);
        bool main = known.Main && known.Pid == process.Pid && known.Start == process.StartNanoseconds;
        known = new Examined { Version = _version, Pid = process.Pid, Start = process.StartNanoseconds, Name = process.Name, Cgroup = process.Cgroup, Asked = asked };
        if (MachineOf(process, out known.Main) is { } machine)
        {
            int index = observation.Machines.Find(machine.Uuid);
            if (index >= 0 && process.Machine != index)
            {
                process.Machine = index;
                process.Changed = true;
                _newcomers = true;
            }
        }

        // A hypervisor that has ended since is no longer in the inventory; what it was stays on its row.
        known.Main |= main;
        if (process.Machine < 0 && !asked && !process.Ended && (ThreadName.MayBeHypervisor(process.Name) || !MachineCgroup.Own(process.Cgroup).IsEmpty))
        {
            known.Asked = directory.Ask(process.Pid);
            // Not taken: forget that it was looked at, so that the next sweep asks again.
            known.Version = known.Asked ? known.Version : -1;
        }
    }

    private Machine? MachineOf(in ProcessRow process, out bool main)
    {
        main = _inventory.FindByPid(process.Pid) is { } machine && machine.Process!.Value.StartTicks == process.StartNanoseconds / TickNanoseconds;
        if (main)
        {
            return _inventory.FindByPid(process.Pid);
        }

        if (_inventory.Daemons.TryGetValue(process.Pid, out machine))
        {
            return machine;
        }

        if (process.Cgroup is not { Length: > 1 } cgroup)
        {
            return null;
        }

        ReadOnlySpan<char> own = MachineCgroup.Own(cgroup);
        if (!own.IsEmpty && _byCgroup.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(own, out machine))
        {
            return machine;
        }

        // A Kata sandbox's cgroup has a name of its own, and nothing of anybody else's in it.
        return _byCgroup.TryGetValue(cgroup, out machine)
            || (ThreadName.IsHelper(process.Name) && _byShared.TryGetValue(cgroup, out machine)) ? machine : null;
    }

    private void Begin(Observation observation, int row, bool again)
    {
        ref ThreadRow thread = ref observation.ThreadTable[row];
        if (thread.Tid == 0 || thread.Process < 0)
        {
            return;
        }

        if (thread.Kernel)
        {
            _roles.BeginKernel(observation, row, again);
        }
        else if (observation.ProcessTable[thread.Process].Machine >= 0)
        {
            if (_examined[thread.Process].Main)
            {
                _roles.Begin(ref thread, row, _inventory.FindByPid(thread.Pid));
            }
            else
            {
                thread.Role = ThreadRole.Helper;
            }
        }
    }

    // A machine's index may go once nothing points at it: its processes stay until the ledger has let go of them.
    private void Release(Observation observation)
    {
        foreach (ref ProcessRow process in observation.ProcessTable.Rows)
        {
            if (process.Pid != 0 && process.Machine >= 0)
            {
                _ = _gone.Remove(process.Machine);
            }
        }

        foreach (int index in _gone)
        {
            if (observation.Machines.At(index) is not null)
            {
                observation.Machines.Release(index);
            }
        }

        _gone.Clear();
        for (int i = 0; i < observation.Machines.InOrder.Count; i++)
        {
            if (!observation.Machines[observation.Machines.InOrder[i]].Running)
            {
                _gone.Add(observation.Machines.InOrder[i]);
            }
        }
    }

    private struct Examined
    {
        internal int Version;
        internal int Pid;
        internal long Start;
        internal string? Name;
        internal string? Cgroup;

        /// <summary>Whether the directory was asked to look at it, under this name and in this cgroup.</summary>
        internal bool Asked;

        /// <summary>Whether it is a hypervisor; a machine's other processes are helpers.</summary>
        internal bool Main;
    }
}

