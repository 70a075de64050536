using System.Text.Json;

namespace Keck.Metering;

/// <summary>Reads an estimate (what <c>replay</c> writes) or a truth, a tick at a time, plain or gzip.</summary>
public sealed class FigureReader : IDisposable
{
    /// <summary>Most consumers that a tick may have.</summary>
    internal const int MostConsumers = 1_000_000;

    private const double MostMicrojoules = 1e15;

    private readonly TraceLines _lines;
    private readonly string _what;
    private readonly bool _truth;
    private readonly Dictionary<string, EnergyDomain> _domains = new(StringComparer.Ordinal);
    private readonly HashSet<(string, string)> _seen = [];
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    private FigureReader(Stream input, string what, bool truth, IEnumerable<Meter>? meters)
    {
        _lines = new TraceLines(input);
        (_what, _truth) = (what, truth);
        foreach (Meter meter in meters ?? [])
        {
            _domains[meter.Id] = meter.Domain;
        }
    }

    /// <summary>The last tick read.</summary>
    public TickFigures Figures { get; } = new();

    /// <summary>Reads an estimate.</summary>
    /// <param name="input">The lines; never closed here.</param>
    /// <param name="meters">The trace's meters, where it is there: their domains; without, a meter's id begins with its domain.</param>
    public static FigureReader Estimate(Stream input, IEnumerable<Meter>? meters = null) => new(input, "estimate", truth: false, meters);

    /// <summary>Reads a truth.</summary>
    public static FigureReader Truth(Stream input) => new(input, "truth", truth: true, meters: null);

    /// <summary>Reads the next tick.</summary>
    /// <exception cref="TraceFormatException">A line cannot be understood or is cut.</exception>
    public bool Read()
    {
        if (!_lines.Next(out ReadOnlyMemory<byte> line))
        {
            return _lines.Broken ? throw Wrong("the compressed data are cut or damaged") : false;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            Parse(document.RootElement);
        }
        catch (JsonException e)
        {
            throw Wrong(_lines.Unterminated || _lines.Broken ? "the file is cut within this line" : $"this is no JSON: {TraceFields.Shorten(e.Message)}");
        }
        catch (TraceFormatException e) when (e.Line == 0)
        {
            throw Wrong(e.Message);
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();

    private TraceFormatException Wrong(string what) => new($"{_what} line {_lines.Line}: {what}");

    private void Parse(JsonElement root)
    {
        TraceFields.RequireObject(root, "a tick");
        if (root.TryGetProperty("format"u8, out _))
        {
            throw new TraceFormatException($"this is a trace, not {(_truth ? "a truth" : "an estimate: keck-host replay writes those")}");
        }

        long before = Figures.Tick;
        Figures.Clear();
        _seen.Clear();
        Figures.Tick = TraceFields.Long(root, "tick"u8, 0, long.MaxValue);
        if (before != 0 && Figures.Tick <= before)
        {
            throw new TraceFormatException($"tick {Figures.Tick} follows tick {before}");
        }

        Figures.EndNanoseconds = TraceFields.LongOrNull(root, "endNanoseconds"u8, 0, long.MaxValue) ?? -1;
        if (!TraceFields.TryGet(root, "consumers"u8, out _))
        {
            throw new TraceFormatException("consumers is missing");
        }

        foreach (JsonElement item in TraceFields.Array(root, "consumers"u8, MostConsumers))
        {
            Consumer(item);
        }

        if (_truth)
        {
            Figures.Static = TraceFields.TryGet(root, "static"u8, out JsonElement nobody) ? Domains(nobody).Total : double.NaN;
        }
    }

    private void Consumer(JsonElement item)
    {
        TraceFields.RequireObject(item, "a consumer");
        ConsumerFigure figure = _truth ? Domains(item) : ByMeter(item);
        figure.Kind = Known(item, "kind"u8);
        figure.Id = Known(item, "id"u8);
        figure.Low = Energy(item, "low"u8);
        figure.High = Energy(item, "high"u8);
        if (figure.High < figure.Low)
        {
            throw new TraceFormatException($"{figure.Kind} {TraceFields.Shorten(figure.Id)}: high is below low");
        }

        if (!_truth && figure.Kind == "idle")
        {
            Figures.Static += figure.Total;
            return;
        }

        // A pid may be used twice in a tick: both are that process's line in a replay.
        if (_seen.Add((figure.Kind, figure.Id)))
        {
            Figures.Consumers.Add(figure);
            return;
        }

        int at = Figures.Consumers.FindIndex(other => other.Kind == figure.Kind && other.Id == figure.Id);
        ConsumerFigure sum = Figures.Consumers[at];
        (sum.Package, sum.Dram, sum.Other) = (sum.Package + figure.Package, sum.Dram + figure.Dram, sum.Other + figure.Other);
        (sum.Low, sum.High) = (sum.Low + figure.Low, sum.High + figure.High);
        Figures.Consumers[at] = sum;
    }

    // Names repeat in every tick: one string for each. Bounded, since a hostile file may have millions.
    private string Known(JsonElement item, ReadOnlySpan<byte> member)
    {
        string text = TraceFields.Text(item, member);
        if (_names.TryGetValue(text, out string? known))
        {
            return known;
        }

        if (_names.Count < MostConsumers)
        {
            _names.Add(text, text);
        }

        return text;
    }

    private static double Energy(JsonElement item, ReadOnlySpan<byte> member) =>
        TraceFields.DoubleOrNull(item, member, 0, MostMicrojoules) ?? double.NaN;

    private static ConsumerFigure Domains(JsonElement item)
    {
        TraceFields.RequireObject(item, "static");
        ConsumerFigure figure = default;
        foreach (EnergyDomain domain in Enum.GetValues<EnergyDomain>())
        {
            figure.Add(domain, TraceFields.DoubleOrNull(item, System.Text.Encoding.UTF8.GetBytes(domain.Name()), 0, MostMicrojoules) ?? 0);
        }

        return figure;
    }

    private ConsumerFigure ByMeter(JsonElement item)
    {
        ConsumerFigure figure = default;
        if (!TraceFields.TryGet(item, "microjoules"u8, out JsonElement byMeter))
        {
            throw new TraceFormatException("microjoules is missing");
        }

        Book(byMeter, ref figure, active: true);
        if (TraceFields.TryGet(item, "staticMicrojoules"u8, out JsonElement borne))
        {
            Book(borne, ref figure, active: false);
        }

        return figure;
    }

    private void Book(JsonElement byMeter, ref ConsumerFigure figure, bool active)
    {
        TraceFields.RequireObject(byMeter, "microjoules");
        foreach (JsonProperty meter in byMeter.EnumerateObject())
        {
            if (meter.Value.ValueKind != JsonValueKind.Number || !meter.Value.TryGetInt64(out long microjoules) || Math.Abs((double)microjoules) > MostMicrojoules)
            {
                throw new TraceFormatException($"{TraceFields.Shorten(meter.Name)} must be whole microjoules");
            }

            Figures.Booked[meter.Name] = Figures.Booked.GetValueOrDefault(meter.Name) + microjoules;
            if (active)
            {
                figure.Add(DomainOf(meter.Name), microjoules);
            }
        }
    }

    private EnergyDomain DomainOf(string meter)
    {
        if (!_domains.TryGetValue(meter, out EnergyDomain domain))
        {
            domain = EnergyDomains.Parse(meter.Split('-')[0])
                ?? throw new TraceFormatException($"the domain of meter {TraceFields.Shorten(meter)} cannot be told from its name; give the trace");
            if (_domains.Count >= 65_536)
            {
                throw new TraceFormatException("more meters than any machine has");
            }

            _domains.Add(meter, domain);
        }

        return domain;
    }
}
