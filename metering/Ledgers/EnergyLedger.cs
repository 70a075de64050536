using System.Collections.Immutable;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>
/// Cumulative energy per meter and per process, cgroup, container and pod. One writer, the tick loop; readers take a
/// <see cref="LedgerSnapshot"/>, made when asked for and shared until the next tick.
/// </summary>
public sealed class EnergyLedger
{
    private readonly Lock _gate = new();
    private readonly Guid _epoch;
    private readonly AccountBook _book = new();
    private readonly Cells _cells = new();
    private readonly MachineBook _machines = new();
    private readonly UsageSums _usage = new();
    private readonly Column<ThreadSum> _threads = new();
    private readonly List<MeterColumn> _meters = [];
    private int[] _columnOf = [];
    private ImmutableArray<Meter> _selected = [];
    private Observation? _observation;
    private LedgerSnapshot? _snapshot;
    private ModelKind _model;
    private long _tick;
    private long? _startNanoseconds;
    private long? _pruneAt;
    private bool _restored;
    private long _endNanoseconds;

    /// <summary>A ledger with no energy in it.</summary>
    /// <param name="epoch">A random id: new only when a ledger is lost.</param>
    public EnergyLedger(Guid epoch) => _epoch = epoch;

    /// <summary>Books a tick. Call on the thread that owns the observation.</summary>
    public void Apply(Observation observation, TickAttribution tick)
    {
        lock (_gate)
        {
            _observation = observation;
            _snapshot = null;
            if (_selected != tick.Meters)
            {
                UseMeters(tick.Meters);
            }

            _tick = tick.Tick;
            _model = tick.Model;
            _startNanoseconds ??= observation.StartNanoseconds;
            _endNanoseconds = observation.EndNanoseconds;
            Prune();
            for (int k = 0; k < tick.Meters.Length; k++)
            {
                _meters[_columnOf[k]].Add(tick.Shares[k]);
            }

            bool read = BeginMachines(observation, tick);
            BookThreads(observation, tick, read);
            BookProcesses(observation, tick);
            BookWholeMachine(observation, tick);
            BookCpus(observation, tick);
            BookAllocated(observation, tick);
        }
    }

    /// <summary>Lets go of a process that ended: its energy moves to the departed, its accounts are freed. The caller then releases the row.</summary>
    public void Depart(int process)
    {
        lock (_gate)
        {
            _snapshot = null;
            _book.Depart(process, _meters);
            _cells.Depart(process);
        }
    }

    /// <summary>Reads a machine's account; cheaper than a <see cref="Snapshot"/>, and allocates nothing.</summary>
    /// <param name="uuid">The machine.</param>
    /// <param name="policy">Who bears static energy.</param>
    /// <param name="into">Filled.</param>
    /// <returns>False where it has no account.</returns>
    public bool ReadMachine(string uuid, IdlePolicy policy, MachineFigures into)
    {
        lock (_gate)
        {
            if (_machines.Find(uuid) is not { } account)
            {
                return false;
            }

            (into.Series, into.Overhead) = (account.Series, account.Overhead);
            into.Vcpus.Resize(account.Vcpus.Count);
            for (int vcpu = 0; vcpu < account.Vcpus.Count; vcpu++)
            {
                into.Vcpus[vcpu] = account.Vcpus[vcpu].Microjoules;
            }

            (into.Dram, into.PackageStatic, into.DramStatic, into.Active) = (0, 0, 0, 0);
            (into.Quality, into.Origin) = (_selected.IsEmpty ? ReadingQuality.Derived : ReadingQuality.Measured, _selected.IsEmpty ? EnergyOrigin.Estimate : _selected[0].Origin);
            ReadOnlySpan<AccountEnergy> energies = _book.Machine(uuid, out BoundSample bounds);
            into.Bounds = bounds;
            for (int meter = 0; meter < _meters.Count && meter < energies.Length; meter++)
            {
                Meter of = _meters[meter].Meter;
                long part = policy switch { IdlePolicy.Proportional => energies[meter].Proportional, IdlePolicy.Allocated => energies[meter].Allocated, _ => 0 };
                into.Active += energies[meter].Active;
                if (of.Domain.FollowsRuns() || of is { Domain: EnergyDomain.Static, Id: not Meter.StaticMemoryId })
                {
                    into.PackageStatic += part;
                }
                else
                {
                    into.Dram += energies[meter].Active;
                    into.DramStatic += part;
                }

                if (of.Quality > into.Quality && energies[meter].Active + part > 0)
                {
                    (into.Quality, into.Origin) = (of.Quality, of.Origin);
                }
            }

            return true;
        }
    }

    /// <summary>Identifies the ledger: counters are comparable within one epoch.</summary>
    public Guid Epoch => _epoch;

    /// <summary>Writes the members of <see cref="LedgerState"/>.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        lock (_gate)
        {
            json.WriteString("epoch"u8, _epoch);
            json.WriteNumber("startNanoseconds"u8, _startNanoseconds ?? 0);
            json.WriteNumber("endNanoseconds"u8, _endNanoseconds);
            json.WriteStartArray("meters"u8);
            foreach (MeterColumn column in _meters)
            {
                TraceHeaderWriter.WriteMeter(json, column.Meter);
            }

            json.WriteEndArray();
            json.WriteStartArray("columns"u8);
            AccountEnergy[] processes = new AccountEnergy[_meters.Count];
            BoundSample[] bounds = new BoundSample[_meters.Count];
            _book.Processes(processes, bounds);
            for (int meter = 0; meter < _meters.Count; meter++)
            {
                _meters[meter].Write(json, processes[meter], bounds[meter]);
            }

            json.WriteEndArray();
            _machines.Write(json);
            _book.Write(json, _meters.Count);
            _cells.Write(json);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote into this ledger, which must be new.</summary>
    internal void Read(JsonElement element)
    {
        foreach (Meter meter in TraceHeaderReader.ReadMeters(element, "meters"u8, unique: false))
        {
            _meters.Add(new MeterColumn(meter));
        }

        int index = 0;
        foreach (JsonElement item in LedgerState.Items(element, "columns"u8))
        {
            TraceFields.RequireObject(item, "a column");
            if (index < _meters.Count)
            {
                _meters[index].Read(item);
            }

            index++;
        }

        if (index != _meters.Count)
        {
            throw new TraceFormatException($"there are {_meters.Count} meters and {index} columns");
        }

        _book.Widen(_meters.Count);
        _startNanoseconds = TraceFields.Long(element, "startNanoseconds"u8, -LedgerState.Most, LedgerState.Most);
        _endNanoseconds = TraceFields.Long(element, "endNanoseconds"u8, 0, LedgerState.Most);
        _machines.Read(element);
        _book.Read(element, _meters.Count);
        _cells.Read(element);
        _restored = true;

        // What was restored can be asked for before the first tick.
        _observation = new Observation();
    }

    /// <summary>Goes on under another monotonic clock (the machine was booted again): the epoch began this long before it did.</summary>
    public void MoveStart(long nanoseconds)
    {
        lock (_gate)
        {
            _startNanoseconds = nanoseconds;
        }
    }

    // Who was there before a restart has this long to come back.
    private void Prune()
    {
        if (!_restored)
        {
            return;
        }

        _pruneAt ??= _endNanoseconds + 600_000_000_000;
        if (_endNanoseconds >= _pruneAt)
        {
            _book.Prune();
            _restored = false;
        }
    }

    /// <summary>The ledger as of the last tick.</summary>
    public LedgerSnapshot Snapshot()
    {
        lock (_gate)
        {
            return _snapshot ??= _observation is { } observation ? Take(observation) : LedgerSnapshot.Empty with { Epoch = _epoch };
        }
    }

    /// <summary>The live threads of a process with their cumulative energy, or none for a process that is not there.</summary>
    public ImmutableArray<ThreadTotals> Threads(int pid)
    {
        lock (_gate)
        {
            ImmutableArray<ThreadTotals>.Builder threads = ImmutableArray.CreateBuilder<ThreadTotals>();
            if (_observation is { } observation)
            {
                Span<ThreadRow> rows = observation.ThreadTable.Rows;
                for (int row = 0; row < rows.Length && row < _threads.Count; row++)
                {
                    if (rows[row].Pid == pid && _threads[row].Tid == rows[row].Tid)
                    {
                        threads.Add(_threads[row].Totals(rows[row]));
                    }
                }
            }

            return threads.ToImmutable();
        }
    }

    private void UseMeters(ImmutableArray<Meter> selected)
    {
        _selected = selected;
        _columnOf = new int[selected.Length];
        for (int k = 0; k < selected.Length; k++)
        {
            // The same domain from another origin is another series: its error is not the same.
            int column = _meters.FindIndex(known => known.Meter.Id == selected[k].Id && known.Meter.Origin == selected[k].Origin);
            if (column < 0)
            {
                column = _meters.Count;
                _meters.Add(new MeterColumn(selected[k]));
            }

            _columnOf[k] = column;
        }

        _book.Widen(_meters.Count);
    }

    // Cells and threads; what a process used is gathered first and booked once.
    private void BookThreads(Observation observation, TickAttribution tick, bool read)
    {
        Span<RunSample> runs = observation.Runs.Items;
        Span<long> energies = tick.RunMicrojoules.Items[..runs.Length];
        Span<ThreadRow> rows = observation.ThreadTable.Rows;
        _usage.Begin(observation.ProcessTable.Rows.Length);
        _threads.Resize(Math.Max(_threads.Count, rows.Length));
        Span<ThreadSum> threads = _threads.Items;
        Span<Cell> cells = _cells.Items;
        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            ref ThreadRow row = ref rows[thread.Row];
            int owner = row.Owner;
            long nanoseconds = 0, microjoules = 0;
            int end = thread.FirstRun + thread.RunCount;

            // Counted on all CPUs together: where it ran on several, each has its part by time, the last what is left.
            long instructions = Math.Max(0, thread.Instructions), misses = Math.Max(0, thread.LlcMisses), left = 0;
            for (int i = thread.FirstRun; i < end && thread.RunCount > 1; i++)
            {
                left += runs[i].Nanoseconds;
            }

            for (int i = thread.FirstRun; i < end; i++)
            {
                ref RunSample run = ref runs[i];
                long energy = energies[i];
                nanoseconds += run.Nanoseconds;
                microjoules += energy;

                // A thread mostly stays where it was: its first and its last cell of the tick before save the search.
                ref int known = ref i == thread.FirstRun ? ref row.FirstCell : ref row.LastCell;
                if (unchecked((uint)known) >= (uint)cells.Length || cells[known].Owner != owner || cells[known].Cpu != run.Cpu)
                {
                    known = _cells.Find(owner, observation.Topology.Package(run.Cpu), run.Cpu);
                    cells = _cells.Items;
                }

                ref Cell cell = ref cells[known];
                cell.Microjoules += energy;
                cell.Nanoseconds += run.Nanoseconds;
                cell.KiloCycles += Math.Max(0, run.KiloCycles);
                if (i == end - 1)
                {
                    cell.Instructions += instructions;
                    cell.LlcMisses += misses;
                    break;
                }

                double part = (double)run.Nanoseconds / Math.Max(1, left);
                long counted = (long)(instructions * part), missed = (long)(misses * part);
                (instructions, misses, left) = (instructions - counted, misses - missed, left - run.Nanoseconds);
                cell.Instructions += counted;
                cell.LlcMisses += missed;
            }

            if (owner >= 0)
            {
                _usage.Add(owner, nanoseconds, thread);
                if (row.Role != ThreadRole.None)
                {
                    BookRole(observation, row, microjoules, nanoseconds, read);
                }
            }

            ref ThreadSum sum = ref threads[thread.Row];
            if (sum.Tid != row.Tid || sum.StartNanoseconds != row.StartNanoseconds)
            {
                sum = new ThreadSum { Tid = row.Tid, StartNanoseconds = row.StartNanoseconds };
            }

            sum.Microjoules += microjoules;
            sum.CpuNanoseconds += nanoseconds;
        }
    }

    private void BookProcesses(Observation observation, TickAttribution tick)
    {
        foreach (int process in tick.Processes.Items)
        {
            ref ProcessRow row = ref observation.ProcessTable[process];
            _book.Book(process, row, observation.Machines, tick, _columnOf, _usage.Take(process));
            if (row.Machine >= 0 && _machines.Of(observation.Machines, row.Machine) is { } machine)
            {
                machine.Overhead += FollowingRuns(tick, tick.Active(process));
            }
        }

        // Who ran while no meter was read.
        foreach (int process in _usage.Touched)
        {
            if (!_usage.Taken(process))
            {
                _book.Book(process, observation.ProcessTable[process], observation.Machines, null, _columnOf, _usage.Take(process));
            }
        }
    }

    // What runs used on meters of the whole machine moves from their package's cells to cells of none: each meter's energy has its own.
    private void BookWholeMachine(Observation observation, TickAttribution tick)
    {
        Span<long> whole = tick.WholeRunMicrojoules.Items;
        if (whole.IsEmpty)
        {
            return;
        }

        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            int owner = observation.ThreadTable[thread.Row].Owner;
            for (int i = thread.FirstRun; i < thread.FirstRun + thread.RunCount; i++)
            {
                if (whole[i] == 0)
                {
                    continue;
                }

                int cpu = observation.Runs[i].Cpu, package = observation.Topology.Package(cpu);
                if (package >= 0)
                {
                    _cells[_cells.Find(owner, package, cpu)].Microjoules -= whole[i];
                    _cells[_cells.Find(owner, -1, cpu)].Microjoules += whole[i];
                }
            }
        }
    }

    private void BookCpus(Observation observation, TickAttribution tick)
    {
        Span<CpuSample> cpus = observation.Cpus.Items;
        for (int i = 0; i < cpus.Length; i++)
        {
            AddToCell(observation, Leaf.SystemOwner, cpus[i].Cpu, tick.InterruptMicrojoules[i], cpus[i].InterruptNanoseconds);
            AddToCell(observation, Leaf.UnattributedOwner, cpus[i].Cpu, tick.LostMicrojoules[i], cpus[i].LostNanoseconds);
        }

        foreach (ref OffCoreShare share in tick.OffCore.Items)
        {
            _cells[_cells.Find(share.Owner, share.Package, share.Cpu)].Microjoules += share.Microjoules;
        }
    }

    // Machines come before their threads: what a slow meter says now of earlier ticks goes by the time they ran then.
    private bool BeginMachines(Observation observation, TickAttribution tick)
    {
        MachineTable machines = observation.Machines;
        if (machines.Count > 0 || _machines.Accounts.Count > 0)
        {
            foreach (string gone in _machines.Follow(machines, tick.Tick))
            {
                _book.ForgetMachine(gone, _meters);
            }
        }

        bool read = false;
        for (int k = 0; k < tick.Meters.Length; k++)
        {
            read |= tick.Shares[k].Observed && tick.Meters[k].Domain.FollowsRuns();
        }

        if (machines.Count == 0)
        {
            return read;
        }

        foreach (ref OffCoreShare share in tick.OffCore.Items)
        {
            if (share.Owner >= 0 && observation.ProcessTable[share.Owner].Machine is var machine and >= 0 && _machines.Of(machines, machine) is { } account)
            {
                _machines.Spread(account, share.Microjoules);
            }
        }

        if (read)
        {
            _machines.ClearPending(machines);
        }

        return read;
    }

    private void BookRole(Observation observation, in ThreadRow row, long microjoules, long nanoseconds, bool read)
    {
        if (observation.ProcessTable[row.Process].Machine is not (var machine and >= 0) || _machines.Of(observation.Machines, machine) is not { } account)
        {
            return;
        }

        if (row.Role == ThreadRole.Vcpu)
        {
            MachineBook.AddVcpu(account, row.Vcpu, microjoules, nanoseconds, read);
        }
        else
        {
            account.OverheadPending += read ? 0 : nanoseconds;
        }
    }

    private static long FollowingRuns(TickAttribution tick, ReadOnlySpan<long> byMeter)
    {
        long sum = 0;
        for (int k = 0; k < byMeter.Length; k++)
        {
            sum += tick.Meters[k].Domain.FollowsRuns() ? byMeter[k] : 0;
        }

        return sum;
    }

    private void BookAllocated(Observation observation, TickAttribution tick)
    {
        foreach (int machine in observation.Machines.InOrder)
        {
            string uuid = observation.Machines[machine].Uuid;
            for (int k = 0; k < tick.Meters.Length; k++)
            {
                if (tick.Allocated(machine, k) is var microjoules and > 0)
                {
                    _book.Allocate(uuid, _columnOf[k], microjoules);
                }
            }
        }
    }

    private void AddToCell(Observation observation, int owner, int cpu, long microjoules, long nanoseconds)
    {
        if (microjoules != 0 || nanoseconds != 0)
        {
            ref Cell cell = ref _cells[_cells.Find(owner, observation.Topology.Package(cpu), cpu)];
            cell.Microjoules += microjoules;
            cell.Nanoseconds += nanoseconds;
        }
    }

    private LedgerSnapshot Take(Observation observation) => new()
    {
        Epoch = _epoch,
        Tick = _tick,
        StartNanoseconds = _startNanoseconds ?? 0,
        EndNanoseconds = _endNanoseconds,
        Model = _model,
        Topology = observation.Topology,
        Meters = [.. _meters.Select((column, index) => column.Totals with { Current = Array.IndexOf(_columnOf, index) >= 0 })],
        Consumers = _book.Take(observation, _meters.Count),
        Machines = TakeMachines(observation.Machines),
        Cores = TakeCores(observation.ProcessTable),
    };

    private ImmutableArray<MachineTotals> TakeMachines(MachineTable table)
    {
        ImmutableArray<MachineTotals>.Builder machines = ImmutableArray.CreateBuilder<MachineTotals>(_machines.Accounts.Count);
        foreach (MachineAccount account in _machines.Accounts)
        {
            MachineRow? row = table.At(table.Find(account.Uuid));
            ImmutableArray<VcpuTotals>.Builder vcpus = ImmutableArray.CreateBuilder<VcpuTotals>(account.Vcpus.Count);
            for (int vcpu = 0; vcpu < account.Vcpus.Count; vcpu++)
            {
                vcpus.Add(new VcpuTotals(vcpu, account.Vcpus[vcpu].Microjoules, account.Vcpus[vcpu].Nanoseconds));
            }

            machines.Add(new MachineTotals
            {
                Uuid = account.Uuid,
                Name = account.Name,
                SizedVcpus = row?.Vcpus,
                MemoryKibibytes = row?.MemoryKibibytes,
                Running = row is { Running: true },
                Series = account.Series,
                Vcpus = vcpus.MoveToImmutable(),
                Overhead = account.Overhead,
            });
        }

        machines.Sort(static (a, b) => string.CompareOrdinal(a.Uuid, b.Uuid));
        return machines.ToImmutable();
    }

    private ImmutableArray<CoreTotals> TakeCores(ProcessTable processes)
    {
        ImmutableArray<CoreTotals>.Builder cores = ImmutableArray.CreateBuilder<CoreTotals>(_cells.InUse);
        ReadOnlySpan<Cell> cells = _cells.Items;
        for (int index = 0; index < cells.Length; index++)
        {
            ref readonly Cell cell = ref cells[index];
            if (cell.Owner == int.MinValue)
            {
                continue;
            }

            string owner = cell.Owner switch
            {
                >= 0 => "process",
                Leaf.SystemOwner => "system",
                Leaf.UnattributedOwner => "unattributed",
                _ => "departed",
            };
            bool counted = cell.Owner >= 0 && _book.IsCounted(cell.Owner);
            string? id = cell.Owner >= 0 ? AccountBook.ProcessId(processes[cell.Owner]) : null;
            cores.Add(new CoreTotals(id, owner, _cells.Package(index), cell.Cpu, cell.Microjoules, cell.Nanoseconds, cell.KiloCycles > 0 ? cell.KiloCycles : null)
            {
                Instructions = counted ? cell.Instructions : null,
                LlcMisses = counted ? cell.LlcMisses : null,
            });
        }

        cores.Sort(static (a, b) => (a.Cpu, a.Owner, a.ProcessId).CompareTo((b.Cpu, b.Owner, b.ProcessId)));
        return cores.DrainToImmutable();
    }
}
