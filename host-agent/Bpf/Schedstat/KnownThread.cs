namespace Keck.Bpf;

/// <summary>A thread read by its own files.</summary>
internal sealed class KnownThread : IDisposable
{
    internal required int Tid { get; init; }

    internal required long StartTicks { get; init; }

    internal required KnownCgroup? Cgroup { get; init; }

    internal required int Row { get; init; }

    internal required KeptFile Schedstat { get; init; }

    internal required KeptFile Stat { get; init; }

    /// <summary>Time run, as read last, ns.</summary>
    internal long Ran { get; set; }

    /// <summary>Whether the last listing still had it.</summary>
    internal bool Listed { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Schedstat.Dispose();
        Stat.Dispose();
    }
}
