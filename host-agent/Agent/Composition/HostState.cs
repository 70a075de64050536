using System.Text.Json;
using Keck.Agent;
using Keck.Power;

namespace Keck.Host;

/// <summary>What the host agent keeps over a restart beside its ledger: where the meters' counters stood.</summary>
internal static class HostState
{
    /// <summary>Goes on with the meters where the state left them, or starts them here.</summary>
    internal static void Start(MeterSet meters, ResumedState state)
    {
        if (state is { SameBoot: true, Saved: { } saved } && saved.TryGetProperty("counters"u8, out JsonElement counters) && counters.ValueKind == JsonValueKind.Array)
        {
            meters.Resume(counters.EnumerateArray().Select(Mark).OfType<CounterMark>());
        }
        else
        {
            meters.Start();
        }
    }

    /// <summary>Writes where the counters stand, and which machine profile the floors were learned under.</summary>
    internal static void Write(MeterSet meters, string? calibration, Utf8JsonWriter json)
    {
        if (calibration is not null)
        {
            json.WriteString(ResumedState.CalibrationMember, calibration);
        }

        json.WriteStartArray("counters"u8);
        foreach (CounterMark mark in meters.Marks())
        {
            json.WriteStartObject();
            json.WriteString("where"u8, mark.Where);
            json.WriteNumber("microjoules"u8, mark.Microjoules);
            json.WriteNumber("nanoseconds"u8, mark.Nanoseconds);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static CounterMark? Mark(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object
        && item.TryGetProperty("where"u8, out JsonElement where) && where.ValueKind == JsonValueKind.String
        && item.TryGetProperty("microjoules"u8, out JsonElement energy) && energy.TryGetInt64(out long microjoules)
        && item.TryGetProperty("nanoseconds"u8, out JsonElement at) && at.TryGetInt64(out long nanoseconds)
            ? new CounterMark(where.GetString()!, microjoules, nanoseconds)
            : null;
}
