using System.Collections.Immutable;

namespace Keck.Agent;

/// <summary>What <c>top</c> shows, and how a key changes it.</summary>
internal sealed record TopSelection
{
    /// <summary>The views, by the digit of their key.</summary>
    internal static readonly ImmutableArray<string> Kinds = ["processes", "containers", "pods", "machines"];

    /// <summary>The sort keys, each with the key on the keyboard.</summary>
    internal static readonly ImmutableArray<(char Key, string Name)> Sorts =
        [('p', "power"), ('e', "energy"), ('t', "time"), ('m', "memory"), ('i', "pid"), ('n', "name")];

    private const int MaxFilter = 64;

    internal string Kind { get; init; } = "processes";

    internal string Sort { get; init; } = "power";

    /// <summary>Smallest first; names and pids run upwards by themselves and downwards reversed.</summary>
    internal bool Reverse { get; init; }

    /// <summary>Part of a name, upper or lower case; empty for all.</summary>
    internal string Filter { get; init; } = "";

    /// <summary>Rows; 0 for as many as fit.</summary>
    internal int Count { get; init; }

    /// <summary>Seconds between updates.</summary>
    internal double Delay { get; init; } = 2;

    /// <summary>Whether keys go into the filter.</summary>
    internal bool Typing { get; init; }

    /// <summary>Whether the keys are shown.</summary>
    internal bool Help { get; init; }

    /// <summary>Whether it is over.</summary>
    internal bool Quit { get; init; }

    /// <summary>What is wrong with the flags; null for nothing.</summary>
    internal string? Problem =>
        !Kinds.Contains(Kind) ? $"--kind: '{Kind}' is none of {string.Join(", ", Kinds)}"
        : !Sorts.Any(sort => sort.Name == Sort) ? $"--sort: '{Sort}' is none of {string.Join(", ", Sorts.Select(sort => sort.Name))}"
        : Count is < 0 or > 10_000 ? "--top must be from 1 to 10000"
        : Delay is not (>= 0.5 and <= 3_600) ? "--delay must be from 0.5 to 3600"
        : Filter.Length > MaxFilter ? $"--filter must have at most {MaxFilter} characters"
        : null;

    /// <summary>Whether the agent can sort and cut the list itself.</summary>
    internal bool IsServed => Sort is "power" or "energy" && !Reverse && Filter.Length == 0;

    /// <summary>The selection after a key.</summary>
    internal TopSelection With(ConsoleKeyInfo key)
    {
        if (Typing)
        {
            return key.Key switch
            {
                ConsoleKey.Enter => this with { Typing = false },
                ConsoleKey.Escape => this with { Typing = false, Filter = "" },
                ConsoleKey.Backspace => this with { Filter = Filter.Length > 0 ? Filter[..^1] : "" },
                _ => !char.IsControl(key.KeyChar) && Filter.Length < MaxFilter ? this with { Filter = Filter + key.KeyChar } : this,
            };
        }

        char letter = char.ToLowerInvariant(key.KeyChar);
        if (Sorts.FirstOrDefault(sort => sort.Key == letter).Name is { } name)
        {
            return this with { Sort = name, Reverse = false };
        }

        return letter switch
        {
            'q' => this with { Quit = true },
            'r' => this with { Reverse = !Reverse },
            '/' => this with { Typing = true },
            '?' or 'h' => this with { Help = !Help },
            '+' => this with { Delay = Math.Min(60, Delay * 2) },
            '-' => this with { Delay = Math.Max(0.5, Delay / 2) },
            >= '1' and <= '4' => this with { Kind = Kinds[letter - '1'] },
            _ when key.Key == ConsoleKey.Escape => this with { Filter = "", Help = false },
            _ => this,
        };
    }
}
