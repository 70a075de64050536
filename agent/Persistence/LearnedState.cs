using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>What a saved state holds as learned, to be read and to be taken back while no agent has it. Everything else in it stays as it is.</summary>
internal sealed class LearnedState
{
    private readonly JsonElement _root;

    /// <summary>Understands a saved state.</summary>
    /// <exception cref="TraceFormatException">It is none.</exception>
    internal LearnedState(byte[] document)
    {
        try
        {
            using JsonDocument parsed = JsonDocument.Parse(document);
            _root = parsed.RootElement.Clone();
            Floors = LedgerState.ReadFloors(_root);
            Adoptions = AdoptionJson.Read(_root);
            SavedAt = _root.GetProperty("savedAt"u8).GetDateTimeOffset();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new TraceFormatException($"it is no saved state: {e.Message}", e);
        }
    }

    /// <summary>When the agent saved it.</summary>
    internal DateTimeOffset SavedAt { get; }

    /// <summary>The floors by meter.</summary>
    internal ImmutableSortedDictionary<string, StaticFloorState> Floors { get; private set; }

    /// <summary>What was adopted, the oldest first.</summary>
    internal ImmutableArray<AdoptionEntry> Adoptions { get; private set; }

    /// <summary>Takes an adoption back, and with it all that came after it on the same meter: the floor is what it was before.</summary>
    /// <returns>Null, or why it cannot be.</returns>
    internal string? Undo(long id, DateTimeOffset at)
    {
        if (Adoptions.FirstOrDefault(entry => entry.Id == id) is not { } undone)
        {
            return Adoptions.IsEmpty ? "nothing has been adopted" : $"there is no adoption {id}; those from {Adoptions[0].Id} to {Adoptions[^1].Id} are kept";
        }

        if (undone.Undone)
        {
            return $"adoption {id} has been taken back already";
        }

        if (undone.Cause == AdoptionCause.Signatures)
        {
            return "signatures are not kept: the agent forgets them whenever it stops";
        }

        Adoptions = [.. Adoptions.Select(entry => entry.Meter == undone.Meter && entry.Id >= id && entry.Cause != AdoptionCause.Signatures ? entry with { Undone = true } : entry)];
        Put(undone.Meter, undone.Before, AdoptionCause.Undone, $"adoption {id} was taken back", at);
        return null;
    }

    /// <summary>Forgets what was learned of a meter: it begins as on a machine never seen before.</summary>
    /// <returns>Null, or why it cannot be.</returns>
    internal string? Forget(string meter, DateTimeOffset at)
    {
        string[] learned = [.. Floors.Where(floor => floor.Value.Watts is not null).Select(floor => floor.Key)];
        if (!learned.Contains(meter))
        {
            return learned.Length == 0 ? "nothing has been learned" : $"nothing has been learned of '{meter}'; of these: {string.Join(", ", learned)}";
        }

        Adoptions = [.. Adoptions.Select(entry => entry.Meter == meter ? entry with { Undone = true } : entry)];
        Put(meter, default, AdoptionCause.Forgotten, "what was learned of the meter was forgotten", at);
        return null;
    }

    /// <summary>The state as it is to be saved.</summary>
    internal ReadOnlyMemory<byte> Write()
    {
        ArrayBufferWriter<byte> buffer = new();
        using Utf8JsonWriter json = new(buffer);
        json.WriteStartObject();
        foreach (JsonProperty member in _root.EnumerateObject().Where(member => member.Name is not (LedgerState.FloorsMember or AdoptionJson.Member)))
        {
            member.WriteTo(json);
        }

        LedgerState.WriteFloors(json, Floors);
        json.WritePropertyName(AdoptionJson.Member);
        AdoptionJson.Write(json, Adoptions);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private void Put(string meter, in StaticFloorState floor, AdoptionCause cause, string why, DateTimeOffset at)
    {
        StaticFloorState before = Floors.GetValueOrDefault(meter);
        Floors = floor.Watts is null ? Floors.Remove(meter) : Floors.SetItem(meter, floor);
        Adoptions = [.. Adoptions.Append(new AdoptionEntry(Adoptions.IsEmpty ? 1 : Adoptions[^1].Id + 1, at, meter, cause, why, before, floor)).TakeLast(AdoptionLog.Most)];
    }
}
