using System.Collections.Immutable;
using System.Globalization;

namespace Keck.Power;

/// <summary>The rows of <c>estimate.csv</c>, which is part of the assembly.</summary>
internal static class EstimateTable
{
    /// <summary>The columns, in order.</summary>
    internal const string Header = "vendor,generation,from,to,results,idle_low,idle_median,idle_high,full_low,full_median,full_high,cpus,source,date";

    /// <summary>Reads the table of the assembly.</summary>
    internal static ImmutableArray<EstimateRow> Load()
    {
        using Stream stream = typeof(EstimateTable).Assembly.GetManifestResourceStream("estimate.csv")
            ?? throw new InvalidOperationException("estimate.csv is not in the assembly");
        using StreamReader reader = new(stream);
        return Parse(reader.ReadToEnd());
    }

    /// <summary>Parses a table; throws on anything malformed, since it is part of the product.</summary>
    internal static ImmutableArray<EstimateRow> Parse(string text)
    {
        string[] lines = [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')];
        if (lines.Length == 0 || lines[0] != Header)
        {
            throw new FormatException($"the first line must be: {Header}");
        }

        return [.. lines.Skip(1).Select(ParseRow)];
    }

    private static EstimateRow ParseRow(string line)
    {
        string[] fields = line.Split(',');
        if (fields.Length != 14)
        {
            throw new FormatException($"14 fields expected: {line}");
        }

        WattRange Range(int first) => new(Number(fields[first]), Number(fields[first + 1]), Number(fields[first + 2]));
        return new EstimateRow(
            fields[0], fields[1], int.Parse(fields[2], CultureInfo.InvariantCulture), int.Parse(fields[4], CultureInfo.InvariantCulture),
            Range(5), Range(8), [.. fields[11].Split(' ').Select(ParseCpu)], fields[12],
            DateOnly.ParseExact(fields[13], "yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    private static (int Family, int Model, int FirstStepping, int LastStepping) ParseCpu(string text)
    {
        string[] parts = text.Split('/');
        int[] steppings = parts.Length > 2
            ? [.. parts[2].Split('-').Select(part => int.Parse(part, CultureInfo.InvariantCulture))]
            : [0, int.MaxValue];
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture), steppings[0], steppings[^1]);
    }

    private static double Number(string text) => double.Parse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
}
