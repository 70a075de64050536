using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>
/// Writes observations as a trace, one line each. It keeps its own account of what it has written and changes nothing in the
/// tables, so that several outlets may follow the same ones.
/// </summary>
public sealed class TraceWriter : IDisposable
{
    private readonly Stream _output;
    private readonly ArrayBufferWriter<byte> _line = new(4096);
    private readonly Utf8JsonWriter _json;
    private readonly Column<ProcessRow> _written = new();
    private readonly Dictionary<string, MachineRow> _writtenMachines;
    private Topology _topology;
    private ImmutableArray<Meter> _meters;
    private long _machinesVersion = -1;
    private long _tick = -1;
    private long _end;

    /// <summary>Writes the header.</summary>
    /// <param name="output">Where to; one write a line, never closed here.</param>
    /// <param name="header">
    /// The header; its <see cref="TraceHeader.InitialState"/> is that of the end of the tick before the first one written.
    /// </param>
    public TraceWriter(Stream output, TraceHeader header)
    {
        _output = output;
        _topology = header.Topology;
        _meters = header.Meters;
        _writtenMachines = header.Machines.ToDictionary(machine => machine.Uuid, StringComparer.Ordinal);
        _json = new Utf8JsonWriter(_line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        TraceHeaderWriter.Write(_json, header);
        EndLine();
    }

    /// <summary>Ticks written.</summary>
    public long Ticks { get; private set; }

    /// <summary>Writes one tick, which must start where the one before ended.</summary>
    public void Write(Observation observation)
    {
        if (_tick >= 0 && (observation.Tick <= _tick || observation.StartNanoseconds != _end))
        {
            throw new ArgumentException(
                $"Tick {observation.Tick} starts at {observation.StartNanoseconds} ns; tick {_tick} ended at {_end} ns. The ticks of a trace are contiguous.",
                nameof(observation));
        }

        _json.WriteStartObject();
        _json.WriteNumber("tick"u8, observation.Tick);
        _json.WriteNumber("startNanoseconds"u8, observation.StartNanoseconds);
        _json.WriteNumber("endNanoseconds"u8, observation.EndNanoseconds);
        WriteChangedMachine(observation);
        WriteMeters(observation);
        WriteCpus(observation);
        WriteThreads(observation);
        WriteReleased(observation);
        WriteProcesses(observation);
        WriteMachines(observation.Machines);
        _json.WriteEndObject();
        EndLine();
        (_tick, _end) = (observation.Tick, observation.EndNanoseconds);
        Ticks++;
    }

    /// <summary>Flushes the stream below.</summary>
    public void Flush() => _output.Flush();

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    // CPUs or meters that came or went since the header.
    private void WriteChangedMachine(Observation observation)
    {
        if (!ReferenceEquals(observation.Topology, _topology))
        {
            _topology = observation.Topology;
            TraceHeaderWriter.WriteTopology(_json, _topology);
        }

        if (observation.Meters != _meters)
        {
            _meters = observation.Meters;
            _json.WriteStartArray("meterList"u8);
            TraceHeaderWriter.WriteMeters(_json, _meters);
            _json.WriteEndArray();
        }
    }

    private void WriteMeters(Observation observation)
    {
        _json.WriteStartArray("meters"u8);
        foreach (ref MeterSample sample in observation.MeterSamples.Items)
        {
            _json.WriteStartObject();
            _json.WriteString("id"u8, observation.Meters[sample.Meter].Id);
            Observed("microjoules"u8, sample.Microjoules);
            Observed("milliwatts"u8, sample.Milliwatts);
            _json.WriteNumber("readNanoseconds"u8, sample.ReadNanoseconds);
            if (sample.Unattributable)
            {
                _json.WriteBoolean("unattributable"u8, true);
            }

            if (sample.Below != 0 || sample.Above != 0)
            {
                _json.WriteNumber("belowMicrojoules"u8, sample.Below);
                _json.WriteNumber("aboveMicrojoules"u8, sample.Above);
            }

            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    private void WriteCpus(Observation observation)
    {
        _json.WriteStartArray("cpus"u8);
        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            _json.WriteStartObject();
            _json.WriteNumber("cpu"u8, cpu.Cpu);
            _json.WriteNumber("busyNanoseconds"u8, cpu.BusyNanoseconds);
            _json.WriteNumber("idleNanoseconds"u8, cpu.IdleNanoseconds);
            _json.WriteNumber("interruptNanoseconds"u8, cpu.InterruptNanoseconds);
            _json.WriteNumber("lostNanoseconds"u8, cpu.LostNanoseconds);
            Observed("kiloHertz"u8, cpu.KiloHertz);
            if (cpu.FrequencyOrigin != FrequencyOrigin.None)
            {
                _json.WriteString("frequencyOrigin"u8, TraceNames.Name(cpu.FrequencyOrigin));
            }

            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    private void WriteThreads(Observation observation)
    {
        _json.WriteStartArray("threads"u8);
        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            ref ThreadRow row = ref observation.ThreadTable[thread.Row];
            _json.WriteStartObject();
            _json.WriteNumber("tid"u8, row.Tid);
            WriteOwner(observation, row);
            Observed("instructions"u8, thread.Instructions);
            Observed("cycles"u8, thread.Cycles);
            Observed("llcMisses"u8, thread.LlcMisses);
            _json.WriteStartArray("runs"u8);
            foreach (ref RunSample run in observation.Runs.Items.Slice(thread.FirstRun, thread.RunCount))
            {
                _json.WriteStartObject();
                _json.WriteNumber("cpu"u8, run.Cpu);
                _json.WriteNumber("nanoseconds"u8, run.Nanoseconds);
                _json.WriteNumber("sharedNanoseconds"u8, run.SharedNanoseconds);
                Observed("kiloCycles"u8, run.KiloCycles);
                _json.WriteEndObject();
            }

            _json.WriteEndArray();
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    private void WriteOwner(Observation observation, in ThreadRow row)
    {
        bool namedKernel = TraceNames.IsBracketed(row.Name);
        MachineRow? machine = null;
        if (row.Process >= 0)
        {
            ref ProcessRow process = ref observation.ProcessTable[row.Process];
            _json.WriteNumber("pid"u8, process.Pid);
            _json.WriteNumber("processStartNanoseconds"u8, process.StartNanoseconds);
            namedKernel |= process.Kernel;
            machine = observation.Machines.At(process.Machine);
        }
        else
        {
            _json.WriteNumber("pid"u8, row.Pid);
            _json.WriteBoolean("unresolved"u8, true);
        }

        _json.WriteNumber("startNanoseconds"u8, row.StartNanoseconds);
        _json.WriteString("name"u8, row.Name);
        if (row.Kernel || namedKernel)
        {
            _json.WriteBoolean("kernel"u8, row.Kernel);
        }

        if (machine is not null)
        {
            _json.WriteString("machine"u8, machine.Uuid);
        }

        if (row.Role != ThreadRole.None)
        {
            _json.WriteString("role"u8, TraceNames.Name(row.Role));
            if (row.Role == ThreadRole.Vcpu)
            {
                _json.WriteNumber("vcpu"u8, row.Vcpu);
            }
        }
    }

    // Rows that hold another process than when last written, or none.
    private void WriteReleased(Observation observation)
    {
        Span<ProcessRow> rows = observation.ProcessTable.Rows;
        bool any = false;
        for (int i = 0; i < _written.Count; i++)
        {
            ref ProcessRow old = ref _written[i];
            if (old.Pid == 0 || (i < rows.Length && rows[i].Pid == old.Pid && rows[i].StartNanoseconds == old.StartNanoseconds))
            {
                continue;
            }

            if (!any)
            {
                any = true;
                _json.WriteStartArray("released"u8);
            }

            _json.WriteStartObject();
            _json.WriteNumber("pid"u8, old.Pid);
            _json.WriteNumber("startNanoseconds"u8, old.StartNanoseconds);
            _json.WriteEndObject();
            old = default;
        }

        if (any)
        {
            _json.WriteEndArray();
        }
    }

    private void WriteProcesses(Observation observation)
    {
        Span<ProcessRow> rows = observation.ProcessTable.Rows;
        _written.Resize(Math.Max(_written.Count, rows.Length));
        bool any = false;
        for (int i = 0; i < rows.Length; i++)
        {
            ref ProcessRow row = ref rows[i];
            if (row.Pid == 0 || IsWritten(row, _written[i]))
            {
                continue;
            }

            if (!any)
            {
                any = true;
                _json.WriteStartArray("processes"u8);
            }

            WriteProcess(i, row, observation.Machines);
            _written[i] = row;
        }

        if (any)
        {
            _json.WriteEndArray();
        }
    }

    private static bool IsWritten(in ProcessRow row, in ProcessRow written) =>
        row.Pid == written.Pid && row.StartNanoseconds == written.StartNanoseconds
        && row.PssKibibytes == written.PssKibibytes && row.Kernel == written.Kernel
        && row.Machine == written.Machine && row.Ended == written.Ended
        && string.Equals(row.Name, written.Name, StringComparison.Ordinal)
        && string.Equals(row.Cgroup, written.Cgroup, StringComparison.Ordinal)
        && string.Equals(row.Container, written.Container, StringComparison.Ordinal)
        && string.Equals(row.PodUid, written.PodUid, StringComparison.Ordinal);

    private void WriteProcess(int index, in ProcessRow row, MachineTable machines)
    {
        _json.WriteStartObject();
        _json.WriteNumber("pid"u8, row.Pid);
        _json.WriteNumber("startNanoseconds"u8, row.StartNanoseconds);
        _json.WriteNumber("row"u8, index);
        _json.WriteString("name"u8, row.Name ?? "");
        TraceHeaderWriter.Text(_json, "cgroup"u8, row.Cgroup);
        TraceHeaderWriter.Text(_json, "container"u8, row.Container);
        TraceHeaderWriter.Text(_json, "podUid"u8, row.PodUid);
        Observed("pssKibibytes"u8, row.PssKibibytes);
        if (row.Kernel || TraceNames.IsBracketed(row.Name ?? ""))
        {
            _json.WriteBoolean("kernel"u8, row.Kernel);
        }

        if (machines.At(row.Machine) is { } machine)
        {
            _json.WriteString("machine"u8, machine.Uuid);
        }

        if (row.Ended)
        {
            _json.WriteBoolean("ended"u8, true);
        }

        _json.WriteEndObject();
    }

    private void WriteMachines(MachineTable machines)
    {
        if (machines.Version == _machinesVersion)
        {
            return;
        }

        _machinesVersion = machines.Version;
        bool any = false;
        foreach (int index in machines.InOrder)
        {
            MachineRow machine = machines[index];
            if (_writtenMachines.TryGetValue(machine.Uuid, out MachineRow? written) && written == machine)
            {
                continue;
            }

            if (!any)
            {
                any = true;
                _json.WriteStartArray("machines"u8);
            }

            _writtenMachines[machine.Uuid] = machine;
            TraceHeaderWriter.WriteMachine(_json, machine, machine.Running ? "started" : "stopped");
        }

        if (any)
        {
            _json.WriteEndArray();
        }
    }

    private void Observed(ReadOnlySpan<byte> name, long value)
    {
        if (value >= 0)
        {
            _json.WriteNumber(name, value);
        }
    }

    private void EndLine()
    {
        _json.Flush();
        _line.GetSpan(1)[0] = (byte)'\n';
        _line.Advance(1);
        _output.Write(_line.WrittenSpan);
        _line.ResetWrittenCount();
        _json.Reset(_line);
    }
}
