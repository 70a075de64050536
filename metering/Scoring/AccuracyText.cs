using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>An <see cref="AccuracyReport"/> for people and for programs.</summary>
public static class AccuracyText
{
    /// <summary>A table.</summary>
    public static string Table(AccuracyReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        StringBuilder text = new();
        Line(text, "error, whole run", Percent(report.Error), "Σ|estimate − truth| / Σ truth, machines and processes");
        Line(text, "  machines", Percent(report.MachineError), "");
        Line(text, "  processes", Percent(report.ProcessError), "");
        Line(text, "  packages", Percent(report.PackageError), "");
        Line(text, "  memory", Percent(report.DramError), "");
        Line(text, "  worst consumer", Percent(report.WorstConsumerError), "of those with at least 1 % of the energy");
        Line(text, "error, 1 s windows", Percent(report.WindowError), "");
        Line(text, "kernel", Percent(report.SystemError), "");
        Line(text, "static", Percent(report.StaticBias, signed: true), "idle as estimated, against what belongs to nobody");
        Line(text, "coverage", Percent(report.Coverage), $"of {report.Bounded} windows with more than 1 mJ; 95 % is meant");
        Line(text, "  truth above", Percent(report.Above), "the upper bound");
        Line(text, "median width", Percent(report.MedianWidth), "of the bounds, relative to the truth");
        Line(text, "interval score", Percent(report.IntervalScore), "width + 40 × what lies outside, relative to the truth");
        Line(text, "not conserved", report.NotConserved is { } ticks ? ticks.ToString(CultureInfo.InvariantCulture) : "-", report.NotConserved is null ? "give the trace to check" : $"of {report.Ticks} ticks");
        return text.ToString();
    }

    /// <summary>Writes the report as one object; what is not known is absent.</summary>
    public static void WriteJson(AccuracyReport report, Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartObject();
        json.WriteNumber("ticks"u8, report.Ticks);
        json.WriteNumber("windows"u8, report.Windows);
        json.WriteNumber("consumers"u8, report.Consumers);
        Ratio(json, "error"u8, report.Error);
        Ratio(json, "machineError"u8, report.MachineError);
        Ratio(json, "processError"u8, report.ProcessError);
        Ratio(json, "packageError"u8, report.PackageError);
        Ratio(json, "dramError"u8, report.DramError);
        Ratio(json, "worstConsumerError"u8, report.WorstConsumerError);
        Ratio(json, "windowError"u8, report.WindowError);
        Ratio(json, "systemError"u8, report.SystemError);
        Ratio(json, "staticBias"u8, report.StaticBias);
        json.WriteNumber("boundedWindows"u8, report.Bounded);
        Ratio(json, "coverage"u8, report.Coverage);
        Ratio(json, "aboveBounds"u8, report.Above);
        Ratio(json, "medianRelativeWidth"u8, report.MedianWidth);
        Ratio(json, "intervalScore"u8, report.IntervalScore);
        if (report.NotConserved is { } ticks)
        {
            json.WriteNumber("ticksNotConserved"u8, ticks);
        }

        json.WriteEndObject();
    }

    private static void Line(StringBuilder text, string name, string value, string note) =>
        text.Append($"{name,-20}{value,9}   {note}".TrimEnd()).Append('\n');

    private static string Percent(double? ratio, bool signed = false) =>
        ratio is { } value ? (value * 100).ToString(signed ? "+0.00;-0.00" : "0.00", CultureInfo.InvariantCulture) + " %" : "-";

    private static void Ratio(Utf8JsonWriter json, ReadOnlySpan<byte> name, double? ratio)
    {
        if (ratio is { } value)
        {
            json.WriteNumber(name, Math.Round(value, 6));
        }
    }
}
