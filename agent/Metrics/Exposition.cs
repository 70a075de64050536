using System.Buffers;
using System.Collections.Immutable;

namespace Keck.Agent;

/// <summary>The answer to /metrics.</summary>
internal static class Exposition
{
    /// <summary>Writes own names and the dialects asked for.</summary>
    internal static void Write(IBufferWriter<byte> output, AgentParts parts, MetricsOptions options, MetricDialects dialects, bool openMetrics)
    {
        var scrape = new MetricScrape(parts, options);
        var writer = new ExpositionWriter(output, openMetrics);
        Collect(OwnMetrics.Table);
        Collect(MachineMetrics.Table);
        if (dialects.HasFlag(MetricDialects.Kepler))
        {
            Collect(KeplerMetrics.Table);
        }

        if (dialects.HasFlag(MetricDialects.Scaphandre))
        {
            Collect(ScaphandreMetrics.Table);
        }

        writer.Complete();
        parts.State.MarkSeen(scrape.Ledger);

        void Collect(ImmutableArray<MetricDefinition> table)
        {
            foreach (MetricDefinition family in table)
            {
                writer.Begin(family);
                family.Collect(scrape, writer);
            }
        }
    }

    /// <summary>Whether a client asks for OpenMetrics rather than the older text format.</summary>
    internal static bool PrefersOpenMetrics(string? accept)
    {
        double openMetrics = 0;
        double text = 0;
        foreach (string range in (accept ?? "").Split(',', 32, StringSplitOptions.TrimEntries))
        {
            string[] parts = range.Split(';', 8, StringSplitOptions.TrimEntries);
            double quality = 1;
            foreach (string parameter in parts.Skip(1))
            {
                if (parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
                    && double.TryParse(parameter.AsSpan(2), System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out double q))
                {
                    quality = q;
                }
            }

            switch (parts[0].ToLowerInvariant())
            {
                case "application/openmetrics-text":
                    openMetrics = Math.Max(openMetrics, quality);
                    break;
                case "text/plain":
                    text = Math.Max(text, quality);
                    break;
            }
        }

        return openMetrics > 0 && openMetrics >= text;
    }
}
