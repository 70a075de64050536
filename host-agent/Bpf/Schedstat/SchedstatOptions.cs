namespace Keck.Bpf;

/// <summary>How the fallback without BPF is set up.</summary>
public sealed record SchedstatOptions
{
    /// <summary>Where procfs is mounted.</summary>
    /// <value>/proc.</value>
    public string ProcRoot { get; init; } = "/proc";

    /// <summary>Where the cgroup v2 hierarchy is mounted.</summary>
    /// <value>/sys/fs/cgroup.</value>
    public string CgroupRoot { get; init; } = "/sys/fs/cgroup";

    /// <summary>How often /proc and the cgroups are listed anew.</summary>
    /// <value>5 s; the time between is covered by what is known.</value>
    public TimeSpan Discovery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Threads read one by one at most; the others are in their cgroup's rest.</summary>
    /// <value>4,096.</value>
    public int MostThreads { get; init; } = 4096;
}
