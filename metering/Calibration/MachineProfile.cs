using System.Collections.Immutable;
using System.Globalization;

namespace Keck.Metering;

/// <summary>What a commissioning run found out about a machine: <c>keck-host calibrate</c> writes it, the attribution reads it.</summary>
public sealed record MachineProfile
{
    /// <summary>The format's name.</summary>
    public const string Format = "keck-profile";

    /// <summary>The format's version.</summary>
    public const int Version = 2;

    private const double KnownPart = 0.25;
    private const double KibibytesInGibibyte = 1 << 20;

    /// <summary>When the run was.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The machine's name.</summary>
    public string? Host { get; init; }

    /// <summary>Its CPU: a profile is stale on another one, or with other microcode.</summary>
    public TraceCpu? Cpu { get; init; }

    /// <summary>CPUs it was made with.</summary>
    public int Cpus { get; init; }

    /// <summary>Packages these sit in; null where it does not tell.</summary>
    public int? Packages { get; init; }

    /// <summary>Memory it was made with, KiB; null where unknown.</summary>
    public long? MemoryKibibytes { get; init; }

    /// <summary>Static power by meter id.</summary>
    public ImmutableSortedDictionary<string, StaticPower> Static { get; init; } = ImmutableSortedDictionary<string, StaticPower>.Empty;

    /// <summary>Models of the meters that follow runs, what needs most first.</summary>
    public ImmutableArray<PowerModel> Models { get; init; } = [];

    /// <summary>Memory's energy per counted miss, µJ; null where there was no meter of memory.</summary>
    public double? MicrojoulesPerMiss { get; init; }

    /// <summary>The kinds of work that the run met, and what each costs against the model of counters; empty where that was not fitted.</summary>
    public ImmutableArray<InstructionMix> Mixes { get; init; } = [];

    /// <summary>Fitted weight of instructions per cycle of <see cref="ModelKind.FullModel"/>; null where counters were missing.</summary>
    public double? Alpha { get; init; }

    /// <summary>Fitted weight of misses per instruction.</summary>
    public double? Beta { get; init; }

    /// <summary>Hash of everything else, as in the file: hexadecimal SHA-256.</summary>
    public string Hash { get; init; } = "";

    /// <summary>The model with these needs; null where there is none.</summary>
    public PowerModel? Model(PowerNeeds needs)
    {
        foreach (PowerModel model in Models)
        {
            if (model.Needs == needs)
            {
                return model;
            }
        }

        return null;
    }

    /// <summary>
    /// Floors to start from: the static power found where it is known to a quarter and better (on a machine that was busy it may not
    /// be), and for other meters what was learned without it.
    /// </summary>
    public ImmutableSortedDictionary<string, StaticFloorState> Floors(IEnumerable<KeyValuePair<string, StaticFloorState>> learned) =>
        learned.ToImmutableSortedDictionary(StringComparer.Ordinal).SetItems(
            Static.Where(pair => pair.Value.Deviation <= pair.Value.Watts * KnownPart).Select(pair => KeyValuePair.Create(pair.Key, new StaticFloorState(pair.Value.Watts, true, 0, 0, 0, 0))));

    /// <summary>Everything in which a machine is not the one the profile was made on; null where it is the same.</summary>
    /// <param name="cpu">Its processor; null where it is not told.</param>
    /// <param name="topology">Its CPUs and memory.</param>
    public string? Stale(TraceCpu? cpu, Topology topology)
    {
        ArgumentNullException.ThrowIfNull(topology);
        List<string> changes = [];
        if (Cpu is { } made && cpu is { } now)
        {
            if ((made.Vendor, made.Family, made.Model, made.Stepping, made.Name) != (now.Vendor, now.Family, now.Model, now.Stepping, now.Name))
            {
                changes.Add($"it was made on {Name(made)}, this is {Name(now)}");
            }

            if (made.Microcode != now.Microcode)
            {
                changes.Add($"it was made with microcode {Known(made.Microcode)}, this machine has {Known(now.Microcode)}");
            }
        }

        // A CPU that went offline meanwhile is still there.
        int cpus = topology.Cpus.Length + topology.Offline.Length;
        if (Cpus != cpus)
        {
            changes.Add($"it was made with {Cpus} CPUs, this machine has {cpus}");
        }

        int there = topology.Offline.Select(offline => offline.Package + 1).Append(topology.PackageCount).Max();
        if (Packages is { } packages && packages != there)
        {
            changes.Add($"it was made with {packages} packages, this machine has {there}");
        }

        // Firmware takes a little more or less from start to start.
        if (MemoryKibibytes is { } then && topology.MemoryKibibytes is { } memory && Math.Abs(then - memory) > then / 50)
        {
            changes.Add(string.Create(
                CultureInfo.InvariantCulture, $"it was made with {then / KibibytesInGibibyte:0.0} GiB of memory, this machine has {memory / KibibytesInGibibyte:0.0} GiB"));
        }

        return changes.Count == 0 ? null : string.Join("; ", changes);
    }

    private static string Name(TraceCpu cpu) =>
        $"{Known(string.IsNullOrEmpty(cpu.Name) ? cpu.Vendor : cpu.Name)} (family {cpu.Family}, model {cpu.Model}, stepping {cpu.Stepping})";

    private static string Known(string? text) => string.IsNullOrEmpty(text) ? "unknown" : text;
}
