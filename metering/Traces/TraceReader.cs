using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>
/// Reads a trace, plain or gzip, tick by tick into one observation. Nothing in a trace is believed: every number has limits,
/// memory is bounded, and the first thing that is wrong ends it with a <see cref="TraceFormatException"/> that says where.
/// </summary>
public sealed class TraceReader : IDisposable
{
    internal const long MostMicrojoules = 1_000_000_000_000_000;
    internal const long MostMilliwatts = 10_000_000_000;
    private const long LongestTick = 100_000_000_000_000;
    private const long MostCounts = 10_000_000_000_000;
    private const int MostSamples = 4096;
    private const int MostThreads = 500_000;
    private const int MostMachines = 65_536;

    // The attribution keeps a cell for each process and meter: rows × meters is what memory is made of.
    private const int MostCells = 1 << 23;

    // A thread unseen for this many ticks is forgotten, a process too once there are many and the trace itself lets none go.
    private const long ForgetTicks = 640;
    private const long SweepTicks = 64;
    private const int ManyProcesses = 65_536;
    private const int ManyThreads = 262_144;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16 };

    private readonly TraceLines _lines;
    private readonly Dictionary<(int Tid, long Start), int> _threadRows = [];
    private readonly Column<long> _threadSeen = new();
    private readonly Column<long> _processSeen = new();
    private readonly Column<bool> _processPlaced = new();
    private readonly Column<long> _cpuSeen = new();
    private readonly Dictionary<string, int> _meterIndex = new(StringComparer.Ordinal);
    private long _tick = -1;
    private long _end;
    private bool _done;

    /// <summary>Reads the header.</summary>
    /// <param name="input">The trace; never closed here.</param>
    /// <exception cref="TraceFormatException">It is no trace, or its header is cut or wrong.</exception>
    public TraceReader(Stream input)
    {
        _lines = new TraceLines(input);
        if (!_lines.Next(out ReadOnlyMemory<byte> line))
        {
            throw new TraceFormatException(1, "the trace is empty; record it again");
        }

        Header = Guard(line, TraceHeaderReader.Read);
        foreach (MachineRow machine in Header.Machines)
        {
            _ = Observation.Machines.Set(machine);
        }

        Observation.Topology = Header.Topology;
        UseMeters(Header.Meters);
    }

    /// <summary>The header.</summary>
    public TraceHeader Header { get; }

    /// <summary>The tick read last; filled again by each <see cref="Read"/>.</summary>
    public Observation Observation { get; } = new();

    /// <summary>Ticks read.</summary>
    public long Ticks { get; private set; }

    /// <summary>Where and how the trace is cut short, in words; null where it is not (known only at its end).</summary>
    public string? Cut { get; private set; }

    /// <summary>Reads the next tick.</summary>
    /// <returns>False at the end, also at that of a trace cut in the middle: see <see cref="Cut"/>.</returns>
    /// <exception cref="TraceFormatException">A line cannot be understood.</exception>
    public bool Read()
    {
        if (_done || !_lines.Next(out ReadOnlyMemory<byte> line))
        {
            if (_lines.Broken && Cut is null)
            {
                Cut = $"the compressed data end or break after line {_lines.Line}; the {Ticks} ticks before are used";
            }

            _done = true;
            return false;
        }

        try
        {
            _ = Guard(line, ReadTick);
        }
        catch (TraceFormatException e) when (_lines.Unterminated && e.InnerException is JsonException)
        {
            Cut = $"line {_lines.Line} is cut in the middle; the {Ticks} ticks before are used";
            _done = true;
            return false;
        }

        Ticks++;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();

    // Whatever is wrong with a line comes out as one kind of exception that names the line.
    private T Guard<T>(ReadOnlyMemory<byte> line, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, Options);
            return read(document.RootElement);
        }
        catch (TraceFormatException e) when (e.Line == 0)
        {
            throw new TraceFormatException(_lines.Line, e.Message, e);
        }
        catch (JsonException e)
        {
            throw new TraceFormatException(_lines.Line, $"no JSON object (at byte {e.BytePositionInLine}); a trace has one on each line", e);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or OverflowException)
        {
            throw new TraceFormatException(_lines.Line, "a text is not valid UTF-8, or a number too large", e);
        }
    }

    private bool ReadTick(JsonElement root)
    {
        TraceFields.RequireObject(root, "a tick");
        long tick = TraceFields.Long(root, "tick"u8, 0, TraceHeaderReader.LongestTime);
        long start = TraceFields.Long(root, "startNanoseconds"u8, 0, TraceHeaderReader.LongestTime);
        long end = TraceFields.Long(root, "endNanoseconds"u8, 0, TraceHeaderReader.LongestTime);
        if (_tick >= 0 && tick <= _tick)
        {
            throw new TraceFormatException($"tick {tick} comes after tick {_tick}; ticks go forward");
        }

        if (_tick >= 0 && start != _end)
        {
            throw new TraceFormatException($"tick {tick} starts at {start} ns but the tick before ended at {_end} ns; ticks are contiguous: replay the parts apart");
        }

        if (end < start || end - start > LongestTick)
        {
            throw new TraceFormatException($"tick {tick} lasts {end - start} ns; a tick takes 0 to {LongestTick} ns");
        }

        Observation.Begin(tick, start);
        Observation.EndNanoseconds = end;
        (_tick, _end) = (tick, end);
        if (TraceFields.TryGet(root, "topology"u8, out JsonElement topology))
        {
            Observation.Topology = TraceHeaderReader.ReadTopology(topology).Remembering(Observation.Topology);
        }

        if (TraceFields.TryGet(root, "meterList"u8, out _))
        {
            UseMeters(TraceHeaderReader.ReadMeters(root, "meterList"u8));
        }

        ReadMeters(root);
        ReadCpus(root);
        foreach (JsonElement item in TraceFields.Array(root, "machines"u8, MostMachines))
        {
            _ = Machines.Set(TraceHeaderReader.ReadMachine(item, uuid => Machines.At(Machines.Find(uuid))));
            CheckMachines();
        }

        foreach (JsonElement item in TraceFields.Array(root, "released"u8))
        {
            TraceFields.RequireObject(item, "a released process");
            int row = Observation.ProcessTable.Find(Pid(item), Start(item));
            if (row >= 0)
            {
                Release(row);
            }
        }

        foreach (JsonElement item in TraceFields.Array(root, "processes"u8))
        {
            ReadProcess(item);
        }

        foreach (JsonElement item in TraceFields.Array(root, "threads"u8, MostThreads))
        {
            ReadThread(item);
        }

        Sweep();
        return true;
    }

    private void UseMeters(ImmutableArray<Meter> meters)
    {
        Observation.Meters = meters;
        _meterIndex.Clear();
        for (int i = 0; i < meters.Length; i++)
        {
            _meterIndex.Add(meters[i].Id, i);
        }
    }

    private void ReadMeters(JsonElement root)
    {
        foreach (JsonElement item in TraceFields.Array(root, "meters"u8, MostSamples))
        {
            TraceFields.RequireObject(item, "a meter's reading");
            string id = TraceFields.Text(item, "id"u8);
            if (!_meterIndex.TryGetValue(id, out int meter))
            {
                throw new TraceFormatException($"meter \"{TraceFields.Shorten(id)}\" is not in the header");
            }

            long? microjoules = TraceFields.LongOrNull(item, "microjoules"u8, 0, MostMicrojoules);
            long? milliwatts = TraceFields.LongOrNull(item, "milliwatts"u8, 0, MostMilliwatts);
            if (microjoules is null && milliwatts is null)
            {
                continue;
            }

            ref MeterSample sample = ref Observation.MeterSamples.Add();
            sample.Meter = meter;
            sample.Microjoules = microjoules ?? Unobserved.Value;
            sample.Milliwatts = milliwatts ?? Unobserved.Value;
            sample.ReadNanoseconds = TraceFields.LongOrNull(item, "readNanoseconds"u8, 0, TraceHeaderReader.LongestTime) ?? _end;
            sample.Unattributable = TraceFields.BoolOrNull(item, "unattributable"u8) ?? false;
            sample.Below = TraceFields.LongOrNull(item, "belowMicrojoules"u8, 0, MostMicrojoules) ?? 0;
            sample.Above = TraceFields.LongOrNull(item, "aboveMicrojoules"u8, 0, MostMicrojoules) ?? 0;
        }
    }

    private void ReadCpus(JsonElement root)
    {
        foreach (JsonElement item in TraceFields.Array(root, "cpus"u8, TraceHeaderReader.MostCpus))
        {
            TraceFields.RequireObject(item, "a CPU");
            int number = TraceFields.Int(item, "cpu"u8, 0, TraceHeaderReader.HighestCpu);
            _cpuSeen.Resize(Math.Max(_cpuSeen.Count, number + 1));
            if (_cpuSeen[number] == Ticks + 1)
            {
                throw new TraceFormatException($"cpus lists CPU {number} twice");
            }

            _cpuSeen[number] = Ticks + 1;
            ref CpuSample cpu = ref Observation.Cpus.Add();
            cpu.Cpu = number;
            cpu.BusyNanoseconds = TraceFields.Long(item, "busyNanoseconds"u8, 0, LongestTick);
            cpu.IdleNanoseconds = TraceFields.LongOrNull(item, "idleNanoseconds"u8, 0, LongestTick) ?? 0;
            cpu.InterruptNanoseconds = TraceFields.LongOrNull(item, "interruptNanoseconds"u8, 0, LongestTick) ?? 0;
            cpu.LostNanoseconds = TraceFields.LongOrNull(item, "lostNanoseconds"u8, 0, LongestTick) ?? 0;
            cpu.KiloHertz = TraceFields.LongOrNull(item, "kiloHertz"u8, 0, 100_000_000) ?? Unobserved.Value;
            string origin = TraceFields.TextOrNull(item, "frequencyOrigin"u8) ?? "none";
            cpu.FrequencyOrigin = TraceNames.ParseOrigin(origin)
                ?? throw TraceFields.Unknown("frequencyOrigin", origin, "aperf, cycles, tracepoint, cpufreq, msr, base");
        }
    }

    private void ReadProcess(JsonElement item)
    {
        TraceFields.RequireObject(item, "a process");
        ProcessTable table = Observation.ProcessTable;
        int pid = Pid(item);
        long start = TraceFields.LongOrNull(item, "startNanoseconds"u8, 0, TraceHeaderReader.LongestTime) ?? 0;
        int row = table.Find(pid, start);
        string name = TraceFields.TextOrNull(item, "name"u8, row >= 0 ? table[row].Name : null) ?? (row >= 0 ? table[row].Name : "");
        bool kernel = TraceFields.BoolOrNull(item, "kernel"u8) ?? TraceNames.IsBracketed(name);
        if (TraceFields.IntOrNull(item, "row"u8, 0, TraceHeaderReader.HighestRow) is { } wanted)
        {
            row = Place(row, wanted, pid, start, name, kernel);
        }
        else if (row < 0)
        {
            row = AddProcess(pid, start, name, kernel);
        }

        _processSeen[row] = Ticks + 1;
        ref ProcessRow process = ref table[row];
        process.Name = name;
        process.Kernel = kernel;
        process.Cgroup = TraceFields.TextOrNull(item, "cgroup"u8, process.Cgroup);
        process.Container = TraceFields.TextOrNull(item, "container"u8, process.Container);
        process.PodUid = TraceFields.TextOrNull(item, "podUid"u8, process.PodUid);
        process.PssKibibytes = TraceFields.LongOrNull(item, "pssKibibytes"u8, 0, MostCounts) ?? Unobserved.Value;
        process.Ended = TraceFields.BoolOrNull(item, "ended"u8) ?? false;
        process.Described = true;
        process.Changed = true;
        UseMachine(item, ref process);
    }

    private int Place(int row, int wanted, int pid, long start, string name, bool kernel)
    {
        if (row == wanted)
        {
            return row;
        }

        if (row >= 0)
        {
            throw new TraceFormatException($"process {pid} moves from row {row} to row {wanted}; a process keeps its row");
        }

        CheckCells(wanted + 1);
        ProcessTable table = Observation.ProcessTable;
        if (wanted < table.Rows.Length && table[wanted].Pid != 0)
        {
            Release(wanted);
        }

        table.Place(wanted, pid, start, name, kernel);
        Follow(wanted);
        _processPlaced[wanted] = true;
        return wanted;
    }

    private int AddProcess(int pid, long start, string name, bool kernel)
    {
        CheckCells(Observation.ProcessTable.Count + 1);
        int row = Observation.ProcessTable.FindOrAdd(pid, start, name, kernel);
        Follow(row);
        _processPlaced[row] = false;
        return row;
    }

    private void Follow(int row)
    {
        _processSeen.Resize(Math.Max(_processSeen.Count, row + 1));
        _processPlaced.Resize(Math.Max(_processPlaced.Count, row + 1));
    }

    private void CheckCells(int rows)
    {
        if ((long)rows * Math.Max(4, Observation.Meters.Length) > MostCells)
        {
            throw new TraceFormatException($"{rows} processes on {Observation.Meters.Length} meters are more than replay holds ({MostCells} cells)");
        }
    }

    private void ReadThread(JsonElement item)
    {
        TraceFields.RequireObject(item, "a thread");
        int tid = Identity(TraceFields.Int(item, "tid"u8, -int.MaxValue, int.MaxValue));
        long start = Start(item);
        ref int known = ref CollectionsMarshal.GetValueRefOrAddDefault(_threadRows, (tid, start), out bool exists);
        if (!exists)
        {
            known = Observation.ThreadTable.Add(new ThreadRow { Tid = tid, StartNanoseconds = start, Name = "" });
            _threadSeen.Resize(Math.Max(_threadSeen.Count, known + 1));
        }

        int index = known;
        _threadSeen[index] = Ticks + 1;
        ref ThreadRow row = ref Observation.ThreadTable[index];
        row.Name = TraceFields.TextOrNull(item, "name"u8, row.Name) ?? row.Name;
        row.Pid = Identity(TraceFields.IntOrNull(item, "pid"u8, -int.MaxValue, int.MaxValue) ?? tid);
        bool inMachine = Resolve(item, ref row);
        bool kernelProcess = row.Process >= 0 && Observation.ProcessTable[row.Process].Kernel;
        row.Kernel = TraceFields.BoolOrNull(item, "kernel"u8) ?? (!inMachine && (kernelProcess || TraceNames.IsBracketed(row.Name)));
        string role = TraceFields.TextOrNull(item, "role"u8) ?? "none";
        row.Role = TraceNames.ParseRole(role) ?? throw TraceFields.Unknown("role", role, "vcpu, emulator, iothread, vhost, helper");
        row.Vcpu = TraceFields.IntOrNull(item, "vcpu"u8, 0, TraceHeaderReader.HighestCpu) ?? 0;

        ref ThreadSample sample = ref Observation.Threads.Add();
        sample.Row = index;
        sample.FirstRun = Observation.Runs.Count;
        sample.Instructions = TraceFields.LongOrNull(item, "instructions"u8, 0, MostMicrojoules) ?? Unobserved.Value;
        sample.Cycles = TraceFields.LongOrNull(item, "cycles"u8, 0, MostMicrojoules) ?? Unobserved.Value;
        sample.LlcMisses = TraceFields.LongOrNull(item, "llcMisses"u8, 0, MostCounts) ?? Unobserved.Value;
        foreach (JsonElement run in TraceFields.Array(item, "runs"u8, TraceHeaderReader.MostCpus))
        {
            ReadRun(run);
        }

        sample.RunCount = Observation.Runs.Count - sample.FirstRun;
    }

    private void ReadRun(JsonElement item)
    {
        TraceFields.RequireObject(item, "a run");
        long nanoseconds = TraceFields.Long(item, "nanoseconds"u8, 0, LongestTick);
        ref RunSample run = ref Observation.Runs.Add();
        run.Cpu = TraceFields.Int(item, "cpu"u8, 0, TraceHeaderReader.HighestCpu);
        run.Nanoseconds = nanoseconds;
        run.SharedNanoseconds = TraceFields.LongOrNull(item, "sharedNanoseconds"u8, 0, nanoseconds) ?? 0;
        run.KiloCycles = TraceFields.LongOrNull(item, "kiloCycles"u8, 0, MostMicrojoules) ?? Unobserved.Value;
    }

    // Finds the thread's process, made up where the trace says nothing of it; tells whether the thread is part of a machine.
    private bool Resolve(JsonElement item, ref ThreadRow row)
    {
        ProcessTable table = Observation.ProcessTable;
        row.Process = -1;
        if (TraceFields.BoolOrNull(item, "unresolved"u8) ?? false)
        {
            return false;
        }

        long? start = TraceFields.LongOrNull(item, "processStartNanoseconds"u8, 0, TraceHeaderReader.LongestTime);
        int process = start is { } known ? table.Find(row.Pid, known) : table.FindNewest(row.Pid);
        if (process < 0)
        {
            process = AddProcess(row.Pid, start ?? (row.Tid == row.Pid ? row.StartNanoseconds : 0), row.Name, TraceNames.IsBracketed(row.Name));
        }

        row.Process = process;
        row.ProcessStartNanoseconds = table[process].StartNanoseconds;
        _processSeen[process] = Ticks + 1;
        return UseMachine(item, ref table[process]);
    }

    private bool UseMachine(JsonElement item, ref ProcessRow process)
    {
        string? known = process.Machine >= 0 ? Machines[process.Machine].Uuid : null;
        string? uuid = TraceFields.TextOrNull(item, "machine"u8, known);
        if (uuid is not null && !ReferenceEquals(uuid, known))
        {
            process.Machine = Machines.FindOrAdd(uuid);
            CheckMachines();
        }

        return uuid is not null;
    }

    private void CheckMachines()
    {
        if ((long)Machines.Count * Math.Max(16, Observation.Meters.Length) > MostCells)
        {
            throw new TraceFormatException($"{Machines.Count} machines are more than replay holds");
        }
    }

    private void Release(int row)
    {
        Observation.ProcessTable.Release(row);
        _processSeen[row] = 0;
    }

    private void Sweep()
    {
        bool crowded = _threadRows.Count > ManyThreads;
        if (!crowded && (Ticks + 1) % SweepTicks != 0)
        {
            return;
        }

        // Forgotten threads end in this tick; their rows are reused from the next.
        long oldest = Ticks + 1 - (crowded ? 0 : ForgetTicks);
        foreach (((int Tid, long Start) identity, int row) in _threadRows)
        {
            if (_threadSeen[row] < oldest)
            {
                _ = _threadRows.Remove(identity);
                Observation.ThreadTable.End(row);
            }
        }

        if (Observation.ProcessTable.Count <= ManyProcesses)
        {
            return;
        }

        Span<ProcessRow> rows = Observation.ProcessTable.Rows;
        for (int row = 0; row < rows.Length; row++)
        {
            if (rows[row].Pid != 0 && !_processPlaced[row] && _processSeen[row] < Ticks + 1 - ForgetTicks)
            {
                Release(row);
            }
        }
    }

    private MachineTable Machines => Observation.Machines;

    private static int Pid(JsonElement item) => Identity(TraceFields.Int(item, "pid"u8, -int.MaxValue, int.MaxValue));

    // Below 0: what ran in a cgroup and was seen by no thread of its own (a recording without eBPF).
    private static int Identity(int id) => id != 0 ? id : throw new TraceFormatException("0 is no pid or tid");

    private static long Start(JsonElement item) => TraceFields.LongOrNull(item, "startNanoseconds"u8, 0, TraceHeaderReader.LongestTime) ?? 0;
}
