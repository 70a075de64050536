using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Keck.Metering;

namespace Keck.Power;

/// <summary>The meters as text for people: what <c>keck-host meters</c> prints without <c>--json</c>.</summary>
public static class MetersText
{
    /// <summary>One meter a paragraph, in the order of the set.</summary>
    public static string Render(ImmutableArray<MeterState> states)
    {
        StringBuilder text = new();
        foreach (MeterState state in states)
        {
            Meter meter = state.Meter;
            _ = text.Append(CultureInfo.InvariantCulture, $"{(meter.Selected ? '*' : ' ')} {meter.Id}  {meter.Domain.Name()}");
            if (meter.Package is { } package)
            {
                _ = text.Append(CultureInfo.InvariantCulture, $" of package {package}");
            }

            if (meter.Core is { } core)
            {
                _ = text.Append(CultureInfo.InvariantCulture, $", core {core}");
            }

            _ = text.Append(CultureInfo.InvariantCulture, $"  {meter.Origin.Name()}, {meter.Quality.Name()}\n    from: {state.Where}\n");
            if (meter.NotSelectedBecause is { } because)
            {
                _ = text.Append(CultureInfo.InvariantCulture, $"    not attributed: {because}\n");
            }

            AppendReading(text, state);
            if (meter.Quantum is { } quantum)
            {
                _ = text.Append(CultureInfo.InvariantCulture, $"    step: {quantum}\n");
            }

            if (meter.LowFactor != 1 || meter.HighFactor != 1)
            {
                _ = text.Append(CultureInfo.InvariantCulture, $"    95 % bounds: ×{meter.LowFactor:0.000} to ×{meter.HighFactor:0.000}\n");
            }

            if (meter.KnownStaticWatts is { } idle)
            {
                _ = text.Append(CultureInfo.InvariantCulture, $"    idle: {idle:0.000} W\n");
            }

            if (state.Problem is { } problem)
            {
                _ = text.Append(CultureInfo.InvariantCulture, $"    no value ({problem.Reason}): {problem}\n");
            }

            AppendCounts(text, state.Counts);
        }

        return text.ToString();
    }

    private static void AppendReading(StringBuilder text, MeterState state)
    {
        if (state.Age is not { } age)
        {
            return;
        }

        _ = text.Append("    last: ");
        if (state.Total is { } total)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"{total} counted, ");
        }

        if (state.Milliwatts is { } milliwatts)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"{milliwatts / 1e3:0.000} W, ");
        }

        _ = text.Append(CultureInfo.InvariantCulture, $"{age.Seconds:0.0} s ago\n");
    }

    private static void AppendCounts(StringBuilder text, MeterCounts counts)
    {
        foreach ((string name, long count) in (ReadOnlySpan<(string, long)>)
            [("failures", counts.Failures), ("wraps", counts.Wraps), ("resets", counts.Resets), ("refused", counts.Refused), ("gaps", counts.Gaps), ("switches", counts.Switches)])
        {
            if (count > 0)
            {
                _ = text.Append(CultureInfo.InvariantCulture, $"    {name}: {count}\n");
            }
        }
    }
}
