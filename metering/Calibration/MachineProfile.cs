using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>What a commissioning run found out about a machine: <c>keck-host calibrate</c> writes it, the attribution reads it.</summary>
public sealed record MachineProfile
{
    /// <summary>The format's name.</summary>
    public const string Format = "keck-profile";

    /// <summary>The format's version.</summary>
    public const int Version = 1;

    /// <summary>When the run was.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The machine's name.</summary>
    public string? Host { get; init; }

    /// <summary>Its CPU: a profile is stale on another one, or with other microcode.</summary>
    public TraceCpu? Cpu { get; init; }

    /// <summary>CPUs it was made with.</summary>
    public int Cpus { get; init; }

    /// <summary>Memory it was made with, KiB; null where unknown.</summary>
    public long? MemoryKibibytes { get; init; }

    /// <summary>Static power by meter id.</summary>
    public ImmutableSortedDictionary<string, StaticPower> Static { get; init; } = ImmutableSortedDictionary<string, StaticPower>.Empty;

    /// <summary>Models of the meters that follow runs, what needs most first.</summary>
    public ImmutableArray<PowerModel> Models { get; init; } = [];

    /// <summary>Memory's energy per counted miss, µJ; null where there was no meter of memory.</summary>
    public double? MicrojoulesPerMiss { get; init; }

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

    /// <summary>Floors that start from the static power found.</summary>
    internal ImmutableDictionary<string, StaticFloorState> Floors() =>
        Static.ToImmutableDictionary(pair => pair.Key, pair => new StaticFloorState(pair.Value.Watts, true, 0, 0, 0, 0), StringComparer.Ordinal);

    /// <summary>Why the profile does not fit a machine; null where it does.</summary>
    public string? Stale(TraceCpu? cpu, int cpus, long? memoryKibibytes)
    {
        if (Cpu is { } made && cpu is { } now)
        {
            if ((made.Vendor, made.Family, made.Model, made.Stepping) != (now.Vendor, now.Family, now.Model, now.Stepping))
            {
                return $"it was made on {made.Name ?? made.Vendor}, this is {now.Name ?? now.Vendor}";
            }

            if (made.Microcode != now.Microcode)
            {
                return $"it was made with microcode {made.Microcode ?? "unknown"}, this machine has {now.Microcode ?? "unknown"}";
            }
        }

        if (Cpus != cpus)
        {
            return $"it was made with {Cpus} CPUs, this machine has {cpus}";
        }

        // Firmware takes a little more or less from start to start.
        return MemoryKibibytes is { } then && memoryKibibytes is { } memory && Math.Abs(then - memory) > then / 50
            ? $"it was made with {then / 1048576.0:0.0} GiB of memory, this machine has {memory / 1048576.0:0.0} GiB"
            : null;
    }
}
