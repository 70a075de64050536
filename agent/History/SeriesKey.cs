using Keck.Metering;

namespace Keck.Agent;

/// <summary>Identifies a series.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Id">A meter's id, or a consumer's.</param>
public readonly record struct SeriesKey(SeriesKind Kind, string Id)
{
    private static readonly string[] Names =
        ["domain", "static", "idle", "system", "unattributed", "departed", "overhead", "process", "cgroup", "container", "pod", "machine"];

    /// <summary>The names of the kinds in queries.</summary>
    public static IReadOnlyList<string> KindNames => Names;

    /// <summary>The key in answers, such as <c>domain/package-0</c>.</summary>
    public string Text => $"{Names[(int)Kind]}/{Id}";

    /// <summary>The series of a consumer.</summary>
    public static SeriesKey Of(ConsumerTotals consumer) => new(SeriesKind.Process + (int)consumer.Kind, consumer.Id);

    /// <summary>Whether series of this kind may hold static energy allocated by size.</summary>
    internal static bool IsAllocatedTo(SeriesKind kind) => kind is SeriesKind.Idle or SeriesKind.Departed or SeriesKind.Machine;

    /// <summary>The kind of a name, or null for a name that is none.</summary>
    public static SeriesKind? ParseKind(string name)
    {
        int index = Array.IndexOf(Names, name);
        return index < 0 ? null : (SeriesKind)index;
    }
}
