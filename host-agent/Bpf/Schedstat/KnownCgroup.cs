namespace Keck.Bpf;

/// <summary>A leaf cgroup: its usage holds the time of all that ever ran in it, the dead included.</summary>
internal sealed class KnownCgroup : IDisposable
{
    internal required string Path { get; init; }

    /// <summary>Inode of its folder: what the kernel calls the cgroup's id; 0 where unknown.</summary>
    internal required ulong Id { get; init; }

    internal required KeptFile CpuStat { get; init; }

    /// <summary>Row of the pseudo thread that owns the rest.</summary>
    internal required int Row { get; init; }

    /// <summary>usage_usec at the last read, ns.</summary>
    internal long Usage { get; set; }

    /// <summary>Time of its known threads since the last read, ns.</summary>
    internal long Known { get; set; }

    /// <summary>Time that its threads' own files showed before the cgroup's did: taken off the next rest, ns.</summary>
    internal long Ahead { get; set; }

    /// <inheritdoc/>
    public void Dispose() => CpuStat.Dispose();
}
