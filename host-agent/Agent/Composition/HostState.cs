using System.Text.Json;
using Keck.Agent;
using Keck.Power;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>What the host agent keeps over a restart beside its ledger: where the meters' counters stood.</summary>
internal static partial class HostState
{
    private const string Unknown = "unknown";

    /// <summary>Opens the state directory; where it cannot be had, says so once and does without.</summary>
    internal static StateKeeper? Open(HostOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        ILogger logger = loggers.CreateLogger("Keck.Host");
        if (options.State is not { } directory)
        {
            return null;
        }

        try
        {
            return StateKeeper.Open(directory, KernelFacts.BootId(options.ProcRoot) ?? Unknown, time, logger);
        }
        catch (StateException e)
        {
            Log.NotKept(logger, e.Message);
            return null;
        }
    }

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

    /// <summary>Writes where the counters stand.</summary>
    internal static void Write(MeterSet meters, Utf8JsonWriter json)
    {
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

    private static partial class Log
    {
        [LoggerMessage(EventId = 5101, Level = LogLevel.Warning, Message = "Counters start at zero and are lost at the end: {Why}")]
        internal static partial void NotKept(ILogger logger, string why);
    }
}
