using System.Collections.Immutable;
using System.Text.Json;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>What an agent starts with.</summary>
/// <param name="Ledger">The ledger, an earlier run's or new.</param>
/// <param name="Floors">What the attribution had learned of static power.</param>
/// <param name="SameBoot">Whether it was saved in this boot: then counters of meters may be compared with those saved.</param>
/// <param name="Saved">The whole saved object, for members of the agent's own; null for a new state.</param>
public sealed record ResumedState(EnergyLedger Ledger, IReadOnlyDictionary<string, StaticFloorState> Floors, bool SameBoot, JsonElement? Saved)
{
    /// <summary>Name of the saved member with the hash of the machine profile that the floors were learned under.</summary>
    internal const string CalibrationMember = "calibration";

    /// <summary>Hash of the machine profile that the floors were learned under; null where none was in use.</summary>
    internal string? Calibration =>
        Saved is { ValueKind: JsonValueKind.Object } saved && saved.TryGetProperty(CalibrationMember, out JsonElement hash) && hash.ValueKind == JsonValueKind.String ? hash.GetString() : null;

    /// <summary>A state with nothing in it, in a new epoch.</summary>
    public static ResumedState New() => new(new EnergyLedger(Guid.NewGuid()), ImmutableDictionary<string, StaticFloorState>.Empty, SameBoot: false, null);
}
