namespace Keck.Workloads;

/// <summary>Where and how often workloads are looked up.</summary>
public sealed record WorkloadOptions
{
    /// <summary>The procfs to read.</summary>
    /// <value>An absolute path; default <c>/proc</c>.</value>
    public string ProcRoot { get; init; } = "/proc";

    /// <summary>The sysfs to read.</summary>
    /// <value>An absolute path; default <c>/sys</c>.</value>
    public string SysRoot { get; init; } = "/sys";

    /// <summary>Where the host's file system is seen: the runtimes' directories are looked up below it.</summary>
    /// <value>An absolute path; default <c>/</c>.</value>
    public string RootFs { get; init; } = "/";

    /// <summary>The cgroup v2 hierarchy.</summary>
    /// <value>An absolute path, or null (default): found from <c>self/mountinfo</c>, else below <see cref="SysRoot"/>.</value>
    public string? CgroupRoot { get; init; }

    /// <summary>Time from one scan of procfs to the next.</summary>
    /// <value>500 ms to 1 h; default 5 s.</value>
    public TimeSpan ScanInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one scan may read; what it does not reach comes first in the next one.</summary>
    /// <value>1 ms to 1 s; default 50 ms.</value>
    public TimeSpan ScanBudget { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>A process's PSS is read again when its RSS has changed by more than this.</summary>
    /// <value>0 to 100 %; default 5.</value>
    public int PssChangePercent { get; init; } = 5;

    /// <summary>A process's PSS and cgroup are read again after this many of its visits at the latest.</summary>
    /// <value>1 to 1,000; default 12.</value>
    public int RefreshVisits { get; init; } = 12;

    /// <summary>Processes described from procfs per tick at most; the others wait for the next tick.</summary>
    /// <value>1 to 100,000; default 512.</value>
    public int DescribePerTick { get; init; } = 512;

    /// <summary>Facts of the scanner that may wait for the tick thread; one that finds no room is dropped, counted and told again.</summary>
    /// <value>16 to 1,000,000; default 4,096.</value>
    public int QueueLength { get; init; } = 4096;

    /// <summary>What is wrong with the values, all of it; empty when nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> errors = [];
        RequireAbsolute(errors, ProcRoot, nameof(ProcRoot));
        RequireAbsolute(errors, SysRoot, nameof(SysRoot));
        RequireAbsolute(errors, RootFs, nameof(RootFs));
        RequireAbsolute(errors, CgroupRoot ?? "/", nameof(CgroupRoot));
        Require(errors, ScanInterval >= TimeSpan.FromMilliseconds(500) && ScanInterval <= TimeSpan.FromHours(1), nameof(ScanInterval), "500 ms to 1 h");
        Require(errors, ScanBudget >= TimeSpan.FromMilliseconds(1) && ScanBudget <= TimeSpan.FromSeconds(1), nameof(ScanBudget), "1 ms to 1 s");
        Require(errors, PssChangePercent is >= 0 and <= 100, nameof(PssChangePercent), "0 to 100");
        Require(errors, RefreshVisits is >= 1 and <= 1000, nameof(RefreshVisits), "1 to 1,000");
        Require(errors, DescribePerTick is >= 1 and <= 100_000, nameof(DescribePerTick), "1 to 100,000");
        Require(errors, QueueLength is >= 16 and <= 1_000_000, nameof(QueueLength), "16 to 1,000,000");
        return errors;
    }

    private static void RequireAbsolute(List<string> errors, string path, string name) =>
        Require(errors, Path.IsPathRooted(path), name, "an absolute path");

    private static void Require(List<string> errors, bool holds, string name, string range)
    {
        if (!holds)
        {
            errors.Add($"{name} must be {range}");
        }
    }
}
