using Keck.Metering;

namespace Keck.Agent;

/// <summary>Identifies a series.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Id">A meter's id, or a consumer's.</param>
public readonly record struct SeriesKey(SeriesKind Kind, string Id)
{
    private static readonly string[] Names =
        ["domain", "static", "idle", "system", "unattributed", "departed", "process", "cgroup", "container", "pod", "machine"];

    /// <summary>The names of the kinds in queries.</summary>
    public static IReadOnlyList<string> KindNames => Names;

    /// <summary>The key in answers, such as <c>domain/package-0</c>.</summary>
    public string Text => $"{Names[(int)Kind]}/{Id}";

    /// <summary>The series of a consumer.</summary>
    public static SeriesKey Of(ConsumerTotals consumer) => new(SeriesKind.Process + (int)consumer.Kind, consumer.Id);

    /// <summary>The kind of a name, or null for a name that is none.</summary>
    public static SeriesKind? ParseKind(string name)
    {
        int index = Array.IndexOf(Names, name);
        return index < 0 ? null : (SeriesKind)index;
    }
}
