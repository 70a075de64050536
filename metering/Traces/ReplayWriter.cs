using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>
/// Writes who owned each tick's energy, one line a tick: machines by UUID, processes by (pid, start), <c>system</c>, then
/// <c>idle</c> and <c>unattributed</c> per meter in the meters' order.
/// </summary>
/// <param name="output">Where to; one write a line, never closed here.</param>
public sealed class ReplayWriter(Stream output) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _line = new(4096);
    private readonly List<int> _processes = [];
    private readonly Column<long> _machineActive = new();
    private readonly Column<long> _machineStatic = new();
    private readonly Column<BoundSample> _machineBounds = new();
    private readonly Column<long> _active = new();
    private readonly Column<long> _static = new();
    private readonly Column<long> _booked = new();
    private Utf8JsonWriter? _json;
    private IdlePolicy _policy;

    /// <summary>Writes one tick.</summary>
    /// <exception cref="InvalidOperationException">The attribution does not add up to the meters: a bug.</exception>
    public void Write(Observation observation, TickAttribution attribution, IdlePolicy policy)
    {
        _policy = policy;
        _json ??= new Utf8JsonWriter(_line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        int meters = attribution.Meters.Length;
        Zero(_booked, meters);
        _active.Resize(meters);
        _static.Resize(meters);
        SumMachines(observation, attribution);

        _json.WriteStartObject();
        _json.WriteNumber("tick"u8, attribution.Tick);
        _json.WriteString("model"u8, attribution.Model.Name());
        _json.WriteStartArray("consumers"u8);
        WriteMachines(observation.Machines, attribution);
        WriteProcesses(observation, attribution);
        WriteOthers(attribution);
        _json.WriteEndArray();
        _json.WriteEndObject();
        CheckConserved(attribution);

        _json.Flush();
        _line.GetSpan(1)[0] = (byte)'\n';
        _line.Advance(1);
        output.Write(_line.WrittenSpan);
        _line.ResetWrittenCount();
        _json.Reset(_line);
    }

    /// <inheritdoc/>
    public void Dispose() => _json?.Dispose();

    private void SumMachines(Observation observation, TickAttribution attribution)
    {
        int meters = attribution.Meters.Length;
        MachineTable machines = observation.Machines;
        Zero(_machineActive, machines.Limit * meters);
        Zero(_machineStatic, machines.Limit * meters);
        Zero(_machineBounds, machines.Limit);
        _processes.Clear();
        foreach (int process in attribution.Processes.Items)
        {
            int machine = observation.ProcessTable[process].Machine;
            if (machines.At(machine) is null)
            {
                _processes.Add(process);
                continue;
            }

            for (int k = 0; k < meters; k++)
            {
                _machineActive[(machine * meters) + k] += attribution.Active(process, k);
                _machineStatic[(machine * meters) + k] += _policy == IdlePolicy.Proportional ? attribution.Proportional(process, k) : 0;
            }

            _machineBounds[machine].Add(attribution.Bounds(process));
        }

        foreach (int machine in machines.InOrder)
        {
            for (int k = 0; k < meters && _policy == IdlePolicy.Allocated; k++)
            {
                _machineStatic[(machine * meters) + k] = attribution.Allocated(machine, k);
            }
        }

        ProcessTable table = observation.ProcessTable;
        _processes.Sort((a, b) => (table[a].Pid, table[a].StartNanoseconds).CompareTo((table[b].Pid, table[b].StartNanoseconds)));
    }

    private void WriteMachines(MachineTable machines, TickAttribution attribution)
    {
        int meters = attribution.Meters.Length;
        foreach (int machine in machines.InOrder)
        {
            _machineActive.Items.Slice(machine * meters, meters).CopyTo(_active.Items);
            _machineStatic.Items.Slice(machine * meters, meters).CopyTo(_static.Items);
            WriteBounded(attribution, "machine"u8, machines[machine].Uuid, _machineBounds[machine]);
        }
    }

    private void WriteProcesses(Observation observation, TickAttribution attribution)
    {
        Span<char> id = stackalloc char[16];
        foreach (int process in _processes)
        {
            for (int k = 0; k < attribution.Meters.Length; k++)
            {
                _active[k] = attribution.Active(process, k);
                _static[k] = Borne(attribution.Proportional(process, k));
            }

            _ = observation.ProcessTable[process].Pid.TryFormat(id, out int length, provider: System.Globalization.CultureInfo.InvariantCulture);
            WriteBounded(attribution, "process"u8, id[..length], attribution.Bounds(process));
        }
    }

    private void WriteOthers(TickAttribution attribution)
    {
        bool any = false;
        for (int k = 0; k < attribution.Meters.Length; k++)
        {
            any |= attribution.Shares[k].Observed;
            _active[k] = attribution.Shares[k].SystemActive;
            _static[k] = Borne(attribution.Shares[k].SystemProportional);
        }

        if (!any)
        {
            return;
        }

        Begin("system"u8, "kernel");
        WriteEnergy(attribution, onlyMeter: -1, withStatic: true);
        _json!.WriteEndObject();
        for (int k = 0; k < attribution.Meters.Length; k++)
        {
            if (attribution.Shares[k].Observed)
            {
                _active[k] = _policy switch
                {
                    IdlePolicy.Proportional => attribution.Shares[k].IdleProportional,
                    IdlePolicy.Allocated => attribution.Shares[k].IdleAllocated,
                    _ => attribution.Shares[k].IdleSeparate,
                };
                Begin("idle"u8, attribution.Meters[k].Id);
                WriteEnergy(attribution, k, withStatic: false);
                _json.WriteEndObject();
            }
        }

        for (int k = 0; k < attribution.Meters.Length; k++)
        {
            if (attribution.Shares[k].Overhead > 0)
            {
                _active[k] = attribution.Shares[k].Overhead;
                Begin("overhead"u8, attribution.Meters[k].Id);
                WriteEnergy(attribution, k, withStatic: false);
                _json!.WriteEndObject();
            }
        }

        for (int k = 0; k < attribution.Meters.Length; k++)
        {
            if (attribution.Shares[k].Observed)
            {
                _active[k] = attribution.Shares[k].UnattributedActive;
                _static[k] = Borne(attribution.Shares[k].UnattributedProportional);
                Begin("unattributed"u8, attribution.Meters[k].Id);
                WriteEnergy(attribution, k, withStatic: true);
                _json.WriteEndObject();
            }
        }
    }

    // Only under the proportional policy do processes, the system and what is unattributed bear static energy.
    private long Borne(long proportional) => _policy == IdlePolicy.Proportional ? proportional : 0;

    private void WriteBounded(TickAttribution attribution, ReadOnlySpan<byte> kind, ReadOnlySpan<char> id, in BoundSample bounds)
    {
        long active = 0, fixedPart = 0;
        for (int k = 0; k < attribution.Meters.Length; k++)
        {
            active += _active[k];
            fixedPart += _static[k];
        }

        long high = bounds.High(active);
        if (active == 0 && fixedPart == 0 && high == 0)
        {
            return;
        }

        Begin(kind, id);
        WriteEnergy(attribution, onlyMeter: -1, withStatic: true);
        _json!.WriteNumber("low"u8, bounds.Low(active));
        _json.WriteNumber("high"u8, high);
        _json.WriteEndObject();
    }

    private void Begin(ReadOnlySpan<byte> kind, ReadOnlySpan<char> id)
    {
        _json!.WriteStartObject();
        _json.WriteString("kind"u8, kind);
        _json.WriteString("id"u8, id);
    }

    private void WriteEnergy(TickAttribution attribution, int onlyMeter, bool withStatic)
    {
        _json!.WriteStartObject("microjoules"u8);
        WriteByMeter(attribution, _active, onlyMeter);
        if (!withStatic || _policy == IdlePolicy.Separate)
        {
            return;
        }

        _json.WriteStartObject("staticMicrojoules"u8);
        WriteByMeter(attribution, _static, onlyMeter);
    }

    private void WriteByMeter(TickAttribution attribution, Column<long> values, int onlyMeter)
    {
        for (int k = 0; k < attribution.Meters.Length; k++)
        {
            if (attribution.Shares[k].Observed && (onlyMeter < 0 || onlyMeter == k))
            {
                _json!.WriteNumber(attribution.Meters[k].Id, values[k]);
                _booked[k] += values[k];
            }
        }

        _json!.WriteEndObject();
    }

    private void CheckConserved(TickAttribution attribution)
    {
        for (int k = 0; k < attribution.Meters.Length; k++)
        {
            if (attribution.Shares[k].Observed && _booked[k] != attribution.Shares[k].Total)
            {
                throw new InvalidOperationException(
                    $"Tick {attribution.Tick}, meter {attribution.Meters[k].Id}: {_booked[k]} µJ are owned of {attribution.Shares[k].Total} µJ measured.");
            }
        }
    }

    private static void Zero<T>(Column<T> column, int count)
        where T : struct
    {
        column.Clear();
        column.Resize(count);
    }
}
