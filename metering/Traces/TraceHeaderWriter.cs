using System.Collections.Immutable;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>Writes the header line and those of its parts that a tick may repeat when they change.</summary>
internal static class TraceHeaderWriter
{
    internal static void Write(Utf8JsonWriter json, TraceHeader header)
    {
        json.WriteStartObject();
        json.WriteString("format"u8, TraceHeader.Format);
        json.WriteNumber("version"u8, TraceHeader.Version);
        Text(json, "host"u8, header.Host);
        if (header.StartedAt is { } startedAt)
        {
            json.WriteString("startedAt"u8, startedAt.UtcDateTime);
        }

        Text(json, "source"u8, header.Source);
        if (header.Cpu is { } cpu)
        {
            WriteCpu(json, cpu);
        }

        WriteTopology(json, header.Topology);
        json.WriteStartArray("meters"u8);
        WriteMeters(json, header.Meters);
        json.WriteEndArray();
        if (!header.Machines.IsEmpty)
        {
            json.WriteStartArray("machines"u8);
            foreach (MachineRow machine in header.Machines)
            {
                WriteMachine(json, machine, machine.Running ? null : "stopped");
            }

            json.WriteEndArray();
        }

        if (header.InitialState is { } state)
        {
            WriteState(json, state);
        }

        json.WriteEndObject();
    }

    internal static void WriteCpu(Utf8JsonWriter json, TraceCpu cpu)
    {
        json.WriteStartObject("cpu"u8);
        Text(json, "vendor"u8, cpu.Vendor);
        Number(json, "family"u8, cpu.Family);
        Number(json, "model"u8, cpu.Model);
        Number(json, "stepping"u8, cpu.Stepping);
        Text(json, "microcode"u8, cpu.Microcode);
        Text(json, "name"u8, cpu.Name);
        json.WriteEndObject();
    }

    internal static void WriteTopology(Utf8JsonWriter json, Topology topology)
    {
        json.WriteStartObject("topology"u8);
        json.WriteStartArray("cpus"u8);
        foreach (CpuPlace place in topology.Cpus)
        {
            json.WriteStartObject();
            json.WriteNumber("cpu"u8, place.Cpu);
            json.WriteNumber("core"u8, place.Core);
            json.WriteNumber("package"u8, place.Package);
            json.WriteNumber("numaNode"u8, place.NumaNode);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (!topology.Offline.IsEmpty)
        {
            json.WriteStartArray("offline"u8);
            foreach (OfflineCpu cpu in topology.Offline)
            {
                json.WriteStartObject();
                json.WriteNumber("cpu"u8, cpu.Cpu);
                json.WriteNumber("package"u8, cpu.Package);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        Number(json, "baseKiloHertz"u8, topology.BaseFrequency?.Value);
        Number(json, "memoryKibibytes"u8, topology.MemoryKibibytes);
        json.WriteEndObject();
    }

    internal static void WriteMeters(Utf8JsonWriter json, ImmutableArray<Meter> meters)
    {
        foreach (Meter meter in meters)
        {
            WriteMeter(json, meter);
        }
    }

    internal static void WriteMeter(Utf8JsonWriter json, Meter meter)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, meter.Id);
        json.WriteString("domain"u8, meter.Domain.Name());
        Number(json, "package"u8, meter.Package);
        Number(json, "core"u8, meter.Core);
        Number(json, "cpu"u8, meter.Cpu);
        json.WriteString("origin"u8, meter.Origin.Name());
        json.WriteString("quality"u8, meter.Quality.Name());
        json.WriteBoolean("selected"u8, meter.Selected);
        Text(json, "notSelectedBecause"u8, meter.NotSelectedBecause);
        Number(json, "quantumMicrojoules"u8, meter.Quantum?.Value);
        if (meter.LowFactor != 1 || meter.HighFactor != 1)
        {
            json.WriteNumber("lowFactor"u8, meter.LowFactor);
            json.WriteNumber("highFactor"u8, meter.HighFactor);
        }

        if (meter.KnownStaticWatts is { } watts)
        {
            json.WriteNumber("knownStaticWatts"u8, watts);
        }

        json.WriteEndObject();
    }

    /// <param name="json">Where to.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="happened">The event; null for none.</param>
    internal static void WriteMachine(Utf8JsonWriter json, MachineRow machine, string? happened)
    {
        json.WriteStartObject();
        json.WriteString("uuid"u8, machine.Uuid);
        Text(json, "name"u8, machine.Name);
        Number(json, "vcpus"u8, machine.Vcpus);
        Number(json, "memoryKibibytes"u8, machine.MemoryKibibytes);
        Text(json, "event"u8, happened);
        json.WriteEndObject();
    }

    private static void WriteState(Utf8JsonWriter json, TraceInitialState state)
    {
        json.WriteStartObject("initialState"u8);
        AttributionOptions options = state.Attribution;
        json.WriteString("model"u8, options.Model?.Name() ?? "auto");
        json.WriteNumber("alpha"u8, options.Alpha);
        json.WriteNumber("beta"u8, options.Beta);
        json.WriteNumber("sharedWeight"u8, options.SharedWeight);
        json.WriteNumber("dramPssPart"u8, options.DramPssPart);
        json.WriteString("idle"u8, state.Idle.Name());
        json.WriteBoolean("signatures"u8, options.Signatures);
        Text(json, "calibration"u8, state.Calibration);
        if (options.IdlePrior is { } prior)
        {
            json.WriteStartObject("idlePrior"u8);
            json.WriteNumber("idleToFull"u8, prior.IdleToFull);
            json.WriteNumber("least"u8, prior.Least);
            json.WriteNumber("most"u8, prior.Most);
            json.WriteString("source"u8, prior.Source);
            json.WriteEndObject();
        }

        WriteFloors(json, state.State.Floors);
        if (state.State.Signatures is { } signatures)
        {
            SignatureStateJson.Write(json, signatures);
        }

        json.WriteStartArray("carries"u8);
        foreach ((string id, MeterCarry carry) in state.State.Carries)
        {
            WriteCarry(json, id, carry);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    internal static void WriteFloors(Utf8JsonWriter json, ImmutableSortedDictionary<string, StaticFloorState> floors)
    {
        json.WriteStartArray("floors"u8);
        foreach ((string id, StaticFloorState floor) in floors)
        {
            WriteFloor(json, id, floor);
        }

        json.WriteEndArray();
    }

    internal static void WriteFloor(Utf8JsonWriter json, string id, in StaticFloorState floor)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        if (floor.Watts is { } watts)
        {
            json.WriteNumber("watts"u8, watts);
        }

        json.WriteBoolean("seenIdle"u8, floor.SeenIdle);
        json.WriteNumber("windowMicrojoules"u8, floor.WindowMicrojoules);
        json.WriteNumber("windowBusyNanoseconds"u8, floor.WindowBusy);
        json.WriteNumber("windowCapacityNanoseconds"u8, floor.WindowCapacity);
        json.WriteNumber("windowNanoseconds"u8, floor.WindowLength);
        json.WriteNumber("idleWatts"u8, floor.IdleWatts);
        json.WriteNumber("idleUtilisation"u8, floor.IdleUtilisation);
        json.WriteNumber("idleToFull"u8, floor.Ratio);
        json.WriteEndObject();
    }

    private static void WriteCarry(Utf8JsonWriter json, string id, MeterCarry carry)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteBoolean("everRead"u8, carry.EverRead);
        json.WriteNumber("readNanoseconds"u8, carry.ReadNanoseconds);
        json.WriteBoolean("unattributable"u8, carry.Unattributable);
        if (carry.Milliwatts >= 0)
        {
            json.WriteNumber("milliwatts"u8, carry.Milliwatts);
        }

        json.WriteNumber("gaugeReadNanoseconds"u8, carry.GaugeReadNanoseconds);
        json.WriteNumber("remainderPicojoules"u8, carry.GaugeRemainderPicojoules);
        json.WriteNumber("spanNanoseconds"u8, carry.SpanNanoseconds);
        json.WriteNumber("spanBusyNanoseconds"u8, carry.SpanBusy);
        json.WriteNumber("spanCapacityNanoseconds"u8, carry.SpanCapacity);
        json.WriteStartArray("span"u8);
        foreach (SpanPart part in carry.Span)
        {
            json.WriteStartObject();
            json.WriteNumber("row"u8, part.Owner);
            json.WriteNumber("startNanoseconds"u8, part.StartNanoseconds);
            json.WriteNumber("zone"u8, part.Zone);
            json.WriteNumber("weight"u8, part.Weight);
            json.WriteNumber("time"u8, part.Time);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    internal static void Text(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }
}
