using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>
/// Everything that was taken as known of the meters, with what was believed before, so that it can be taken back: said in the log, kept
/// with the counters, and shown. The last <see cref="Most"/> are kept.
/// </summary>
internal sealed partial class AdoptionLog : ITickOutlet
{
    /// <summary>How many are kept.</summary>
    internal const int Most = 128;

    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private AdoptionEntry[] _entries;
    private byte[] _saved = [];

    /// <summary>Goes on with those of a saved state.</summary>
    internal AdoptionLog(TimeProvider time, ILogger logger, JsonElement? saved)
    {
        (_time, _logger) = (time, logger);
        try
        {
            _entries = saved is { ValueKind: JsonValueKind.Object } state ? [.. AdoptionJson.Read(state)] : [];
        }
        catch (TraceFormatException e)
        {
            Log.Unreadable(_logger, e.Message);
            _entries = [];
        }

        Keep(_entries);
    }

    /// <summary>Those kept, the oldest first.</summary>
    internal ImmutableArray<AdoptionEntry> Entries => [.. Volatile.Read(ref _entries)];

    /// <inheritdoc/>
    public void OnTick(Observation observation, TickAttribution attribution)
    {
        foreach (ref Adoption adoption in attribution.Adoptions.Items)
        {
            Add(adoption.Meter, adoption.Cause, Why(adoption), adoption.Before, adoption.After);
        }
    }

    /// <summary>The floors that a machine profile puts in the place of those that were learned.</summary>
    /// <param name="profile">It.</param>
    /// <param name="learned">What was learned before.</param>
    /// <param name="meters">The meters there are; a source that knows its own idle power asks no profile.</param>
    internal void Take(MachineProfile profile, IReadOnlyDictionary<string, StaticFloorState> learned, IEnumerable<Meter> meters)
    {
        HashSet<string> asked = [.. meters.Where(meter => meter.KnownStaticWatts is null).Select(meter => meter.Id)];
        foreach ((string meter, StaticFloorState floor) in profile.Floors([]).Where(pair => asked.Contains(pair.Key)))
        {
            Add(meter, AdoptionCause.Profile, $"machine profile, sha256 {profile.Hash}", learned.GetValueOrDefault(meter), floor);
        }
    }

    /// <summary>Writes them into a state that is open; the tick's own thread.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        json.WritePropertyName(AdoptionJson.Member);
        json.WriteRawValue(_saved, skipInputValidation: true);
    }

    private static string Why(in Adoption adoption) => adoption.Cause switch
    {
        AdoptionCause.Idle => string.Create(CultureInfo.InvariantCulture, $"idle window, CPUs {adoption.Utilisation * 100:0.0} % busy"),
        AdoptionCause.Busy => string.Create(CultureInfo.InvariantCulture, $"busy window, CPUs {adoption.Utilisation * 100:0.0} % busy"),
        _ => "its static part is known: its consumers have factors of their own from here on, until the agent stops",
    };

    private void Add(string meter, AdoptionCause cause, string why, StaticFloorState before, StaticFloorState after)
    {
        AdoptionEntry entry = new(_entries.Length == 0 ? 1 : _entries[^1].Id + 1, _time.GetUtcNow(), meter, cause, why, before, after);

        // Signatures begin anew at each start: only the last beginning is worth a place.
        IEnumerable<AdoptionEntry> kept = _entries.Where(old => cause != AdoptionCause.Signatures || old.Cause != cause || old.Meter != meter).Append(entry);
        Keep([.. kept.TakeLast(Most)]);
        if (cause == AdoptionCause.Signatures)
        {
            Log.Signatures(_logger, entry.Id, meter);
        }
        else
        {
            Log.Adopted(_logger, entry.Id, meter, before.Watts is { } was ? string.Create(CultureInfo.InvariantCulture, $"{was:0.00} W") : "by the prior", after.Watts ?? 0, why);
        }
    }

    // Saved far more often than changed.
    private void Keep(AdoptionEntry[] entries)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            AdoptionJson.Write(json, [.. entries]);
        }

        _saved = buffer.WrittenSpan.ToArray();
        Volatile.Write(ref _entries, entries);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4110, Level = LogLevel.Information, Message = "Adoption {Number}: {Meter} draws {After:0.00} W with nothing to do (before: {Before}): {Why}")]
        internal static partial void Adopted(ILogger logger, long number, string meter, string before, double after, string why);

        [LoggerMessage(EventId = 4111, Level = LogLevel.Information, Message = "Adoption {Number}: {Meter} is learned from: consumers have factors of their own from here on")]
        internal static partial void Signatures(ILogger logger, long number, string meter);

        [LoggerMessage(EventId = 4112, Level = LogLevel.Warning, Message = "What was adopted in earlier runs cannot be understood ({Why}); it is not listed any more, what was learned stays")]
        internal static partial void Unreadable(ILogger logger, string why);
    }
}
