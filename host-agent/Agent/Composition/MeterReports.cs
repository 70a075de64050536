using System.Collections.Immutable;
using MeterReport = Keck.Agent.MeterReport;

namespace Keck.Host;

/// <summary>The power sources' account of their meters, in the words of the API.</summary>
internal static class MeterReports
{
    internal static ImmutableArray<MeterReport> Of(ImmutableArray<Keck.Power.MeterState> states) =>
    [
        .. states.Select(state => new MeterReport
        {
            Meter = state.Meter,
            TotalMicrojoules = state.Total?.Value,
            Watts = state.Milliwatts / 1e3,
            Age = state.Age is { } age ? TimeSpan.FromTicks(age.Nanoseconds / 100) : null,
            Absent = state.Problem?.Reason,
            LastError = state.Problem?.ToString(),
            Errors = state.Counts.Failures,
            Path = state.Where,
        }),
    ];
}
