using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// The query of a request. Every getter notes what is wrong with its value; the handler asks for all it wants, then looks at
/// <see cref="Errors"/> once, so that a client is told everything in one answer. Bounded: 32 parameters, 2,048 characters.
/// </summary>
internal sealed class ApiQuery
{
    private const int MaxLength = 2_048;
    private const int MaxParameters = 32;

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private readonly List<string> _errors = [];

    internal ApiQuery(string query)
    {
        if (query.Length > MaxLength)
        {
            _errors.Add($"the query is {query.Length} characters long; at most {MaxLength} are allowed");
            return;
        }

        string[] pairs = query.Split('&', MaxParameters + 1, StringSplitOptions.RemoveEmptyEntries);
        if (pairs.Length > MaxParameters)
        {
            _errors.Add($"more than {MaxParameters} parameters");
            return;
        }

        foreach (string pair in pairs)
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            string? name = PercentEncoding.Decode(equals < 0 ? pair : pair[..equals], plusIsSpace: true);
            string? value = PercentEncoding.Decode(equals < 0 ? "" : pair[(equals + 1)..], plusIsSpace: true);
            if (name is null || value is null)
            {
                _errors.Add("a percent-escape is not two hexadecimal digits of UTF-8 text");
            }
            else if (!_values.TryAdd(name, value))
            {
                _errors.Add($"'{Shown(name)}' is given twice");
            }
        }
    }

    /// <summary>What is wrong, parameters nobody asked for included; call it after the getters.</summary>
    internal string[] Errors()
    {
        foreach (string name in _values.Keys)
        {
            if (!_asked.Contains(name))
            {
                string allowed = _asked.Count == 0 ? "no parameters are" : $"{string.Join(", ", _asked.Order(StringComparer.Ordinal))} are";
                _errors.Add($"'{Shown(name)}' is unknown here; {allowed} allowed");
            }
        }

        return [.. _errors];
    }

    internal void Error(string error) => _errors.Add(error);

    internal string? Text(string name)
    {
        _ = _asked.Add(name);
        return _values.GetValueOrDefault(name);
    }

    internal int Whole(string name, int fallback, int low, int high)
    {
        string? text = Text(name);
        if (text is null)
        {
            return fallback;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= low && value <= high)
        {
            return value;
        }

        _errors.Add($"'{name}={Shown(text)}' must be a whole number from {low} to {high}");
        return fallback;
    }

    internal T Choice<T>(string name, T fallback, Func<string, T?> parse, IEnumerable<string> allowed)
        where T : struct
    {
        string? text = Text(name);
        if (text is null)
        {
            return fallback;
        }

        if (parse(text) is { } value)
        {
            return value;
        }

        _errors.Add($"'{name}={Shown(text)}' must be one of {string.Join(", ", allowed)}");
        return fallback;
    }

    internal IdlePolicy Idle(IdlePolicy fallback) =>
        Choice<IdlePolicy>("idle", fallback, text => AttributionNames.ParsePolicy(text), ["separate", "proportional", "allocated"]);

    /// <summary>A length of time such as <c>500ms</c>, <c>60s</c>, <c>10m</c>, <c>2h</c>, or plain seconds.</summary>
    internal TimeSpan Span(string name, TimeSpan fallback, TimeSpan low, TimeSpan high)
    {
        string? text = Text(name);
        if (text is null)
        {
            return fallback;
        }

        if (ParseSpan(text) is { } span && span >= low && span <= high)
        {
            return span;
        }

        _errors.Add($"'{name}={Shown(text)}' must be a time from {low.TotalSeconds:0.###}s to {high.TotalSeconds:0}s, such as 60s, 10m or 2h");
        return fallback;
    }

    /// <summary>A moment: RFC 3339, or seconds since 1970.</summary>
    internal DateTimeOffset Moment(string name, DateTimeOffset fallback)
    {
        string? text = Text(name);
        if (text is null)
        {
            return fallback;
        }

        if (text.Length <= 40 && text.Contains('T', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment))
        {
            return moment;
        }

        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0 and < 1e11)
        {
            return DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        }

        _errors.Add($"'{name}={Shown(text)}' must be a time such as 2026-11-24T09:30:00Z, or seconds since 1970");
        return fallback;
    }

    internal static TimeSpan? ParseSpan(string text)
    {
        (double scale, int unit) = text switch
        {
            [.., 'm', 's'] => (0.001, 2),
            [.., 's'] => (1, 1),
            [.., 'm'] => (60, 1),
            [.., 'h'] => (3_600, 1),
            [.., 'd'] => (86_400, 1),
            _ => (1.0, 0),
        };
        return double.TryParse(text.AsSpan(0, text.Length - unit), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value < 1e8
            ? TimeSpan.FromSeconds(value * scale)
            : null;
    }

    // What a client sent is repeated in part only, and without control characters.
    private static string Shown(string text) =>
        new([.. text.Take(60).Select(character => char.IsControl(character) || char.IsSurrogate(character) ? '?' : character)]);
}
