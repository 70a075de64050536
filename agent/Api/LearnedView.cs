using System.Text.Json;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>The document about what was learned; <c>keck-host learned --json</c> prints it too.</summary>
internal static class LearnedView
{
    internal static LearnedDocument Of(IEnumerable<FloorFigure> floors, IEnumerable<AdoptionEntry> adoptions, DateTime at) => new(
        at,
        [.. floors.Select(Floor)],
        [
            .. adoptions.Select(entry => new AdoptionDocument(
                entry.Id, ApiView.Whole(entry.At.UtcDateTime), entry.Meter, AdoptionJson.Name(entry.Cause), entry.Why, Round(entry.Before.Watts), Round(entry.After.Watts), entry.Undone)),
        ]);

    internal static string Basis(FloorBasis basis) => JsonNamingPolicy.CamelCase.ConvertName(basis.ToString());

    private static FloorDocument Floor(FloorFigure floor) => new(floor.Meter, Basis(floor.Basis), Round(floor.Watts), Math.Round(floor.Uncertainty, 3));

    private static double? Round(double? watts) => watts is { } known ? Math.Round(known, 3) : null;
}
