using System.Globalization;
using System.Text.Json;

namespace Keck.Agent;

/// <summary>Figures as people read them: watts and joules with their 95 % bounds; unknown is a dash.</summary>
internal static class Figures
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>Watts, such as <c>12.3 W</c>; a dash where unknown.</summary>
    internal static string Watts(double? watts) => watts is { } known ? string.Create(Culture, $"{Scaled(known)} W") : "-";

    /// <summary>Exact joules of a whole number of microjoules, such as <c>1.234567 J</c>.</summary>
    internal static string Joules(long? microjoules) => microjoules is { } known
        ? string.Create(Culture, $"{(known < 0 ? "-" : "")}{Math.Abs(known) / 1_000_000}.{Math.Abs(known) % 1_000_000:D6} J")
        : "-";

    /// <summary>The bounds of a figure's power, such as <c>10.1…14.0</c>; a dash where unknown.</summary>
    internal static string PowerBounds(JsonElement figure) =>
        figure.Number("powerLowWatts") is { } low && figure.Number("powerHighWatts") is { } high ? $"{Scaled(low)}…{Scaled(high)}" : "-";

    /// <summary>The bounds of a figure's energy in joules, such as <c>10.1…14.0</c>; a dash where unknown.</summary>
    internal static string JouleBounds(JsonElement figure) =>
        figure.Whole("low") is { } low && figure.Whole("high") is { } high ? $"{Scaled(low / 1e6)}…{Scaled(high / 1e6)}" : "-";

    /// <summary>A large number in short, such as <c>1.2 G</c>.</summary>
    internal static string Count(long number) => number switch
    {
        >= 1_000_000_000_000 => string.Create(Culture, $"{number / 1e12:0.0} T"),
        >= 1_000_000_000 => string.Create(Culture, $"{number / 1e9:0.0} G"),
        >= 1_000_000 => string.Create(Culture, $"{number / 1e6:0.0} M"),
        >= 1_000 => string.Create(Culture, $"{number / 1e3:0.0} k"),
        _ => number.ToString(Culture),
    };

    /// <summary>Time as top(1) shows it, such as <c>1:02.34</c>.</summary>
    internal static string CpuTime(double? seconds) => seconds is { } known
        ? string.Create(Culture, $"{(long)known / 60}:{known % 60:00.00}")
        : "-";

    /// <summary>A part of one, such as <c>0.66 %</c>; a dash where unknown.</summary>
    internal static string Percent(double? ratio) => ratio is { } known ? string.Create(Culture, $"{known * 100:0.00} %") : "-";

    /// <summary>Memory, such as <c>12.3 MiB</c>; a dash where unknown.</summary>
    internal static string Mebibytes(long? bytes) => bytes is { } known ? string.Create(Culture, $"{known / 1048576.0:0.0} MiB") : "-";

    /// <summary>Why an agent, by its node document, has no energy to tell of.</summary>
    internal static string NoMeter(JsonElement node) =>
        node.Whole("tick") is 0 ? "nothing is metered yet" : $"no meter found; see {node.Text("agent") ?? "keck-host"} doctor";

    private static string Scaled(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("0", Culture),
        >= 10 => value.ToString("0.0", Culture),
        >= 0.01 or 0 => value.ToString("0.00", Culture),
        _ => value.ToString("0.0000", Culture),
    };
}
