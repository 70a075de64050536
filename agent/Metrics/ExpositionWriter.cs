using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Keck.Agent;

/// <summary>
/// Writes the Prometheus text format 0.0.4 or OpenMetrics 1.0. Joules and seconds are printed from integers, exactly. A family's
/// head is written with its first sample, so that what is unknown is absent altogether.
/// </summary>
internal sealed class ExpositionWriter(IBufferWriter<byte> output, bool openMetrics)
{
    internal const string TextType = "text/plain; version=0.0.4; charset=utf-8";
    internal const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private MetricDefinition? _family;
    private bool _headed;
    private bool _labelled;

    /// <summary>Begins a family; its samples follow.</summary>
    internal void Begin(MetricDefinition family)
    {
        _family = family;
        _headed = false;
    }

    /// <summary>Ends the exposition.</summary>
    internal void Complete()
    {
        if (openMetrics)
        {
            Raw("# EOF\n"u8);
        }
    }

    /// <summary>Begins a sample of the family.</summary>
    internal ExpositionWriter Sample()
    {
        if (!_headed)
        {
            _headed = true;
            Head(_family!);
        }

        Text(_family!.SampleName);
        _labelled = false;
        return this;
    }

    /// <summary>A label of the sample; an unknown value leaves it out.</summary>
    internal ExpositionWriter Label(string name, string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return this;
        }

        Raw(_labelled ? ","u8 : "{"u8);
        _labelled = true;
        Text(name);
        Raw("=\""u8);
        Escaped(value, quotes: true);
        Raw("\""u8);
        return this;
    }

    /// <summary>A label whose value is a number.</summary>
    internal ExpositionWriter Label(string name, int? value)
    {
        if (value is not { } number)
        {
            return this;
        }

        Raw(_labelled ? ","u8 : "{"u8);
        _labelled = true;
        Text(name);
        Raw("=\""u8);
        Number(number);
        Raw("\""u8);
        return this;
    }

    /// <summary>The sample's value from millionths (µJ to J), exactly.</summary>
    internal void Millionths(long value) => Scaled(value, 6);

    /// <summary>The sample's value from billionths (ns to s), exactly.</summary>
    internal void Billionths(long value) => Scaled(value, 9);

    /// <summary>A whole value.</summary>
    internal void Value(long value)
    {
        EndLabels();
        Number(value);
        Raw("\n"u8);
    }

    /// <summary>A floating-point value, shortest form that reads back the same.</summary>
    internal void Value(double value)
    {
        EndLabels();
        Span<byte> span = output.GetSpan(32);
        _ = Utf8Formatter.TryFormat(value, span, out int written);
        output.Advance(written);
        Raw("\n"u8);
    }

    private void Scaled(long value, int digits)
    {
        EndLabels();
        ulong magnitude = value < 0 ? (ulong)-(value + 1) + 1 : (ulong)value;
        ulong scale = digits == 6 ? 1_000_000UL : 1_000_000_000UL;
        if (value < 0)
        {
            Raw("-"u8);
        }

        Span<byte> span = output.GetSpan(40);
        _ = Utf8Formatter.TryFormat(magnitude / scale, span, out int length);
        ulong fraction = magnitude % scale;
        if (fraction != 0)
        {
            span[length++] = (byte)'.';
            _ = Utf8Formatter.TryFormat(fraction, span[length..], out int written, new StandardFormat('D', (byte)digits));
            length += written;
            while (span[length - 1] == '0')
            {
                length--;
            }
        }

        span[length++] = (byte)'\n';
        output.Advance(length);
    }

    private void EndLabels() => Raw(_labelled ? "} "u8 : " "u8);

    private void Head(MetricDefinition family)
    {
        string name = openMetrics ? family.Name : family.SampleName;
        Raw("# HELP "u8);
        Text(name);
        Raw(" "u8);
        Escaped(family.Help, quotes: openMetrics);
        Raw("\n# TYPE "u8);
        Text(name);

        // OpenMetrics has no counter without _total; such a name from elsewhere is of unknown type there.
        Raw(family.Type == MetricType.Gauge ? " gauge\n"u8 : openMetrics && family.Verbatim ? " unknown\n"u8 : " counter\n"u8);
        if (openMetrics && family.Unit is { } unit && name.EndsWith("_" + unit, StringComparison.Ordinal))
        {
            Raw("# UNIT "u8);
            Text(name);
            Raw(" "u8);
            Text(unit);
            Raw("\n"u8);
        }
    }

    private void Escaped(string value, bool quotes)
    {
        ReadOnlySpan<char> rest = value;
        while (!rest.IsEmpty)
        {
            int at = quotes ? rest.IndexOfAny('\\', '\n', '"') : rest.IndexOfAny('\\', '\n');
            if (at < 0)
            {
                Text(rest);
                return;
            }

            Text(rest[..at]);
            Raw(rest[at] switch { '\\' => "\\\\"u8, '\n' => "\\n"u8, _ => "\\\""u8 });
            rest = rest[(at + 1)..];
        }
    }

    private void Number(long value)
    {
        Span<byte> span = output.GetSpan(24);
        _ = Utf8Formatter.TryFormat(value, span, out int written);
        output.Advance(written);
    }

    private void Text(ReadOnlySpan<char> text)
    {
        Span<byte> span = output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        output.Advance(Encoding.UTF8.GetBytes(text, span));
    }

    private void Raw(ReadOnlySpan<byte> bytes) => output.Write(bytes);
}
