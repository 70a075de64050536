namespace Keck.Virt;

/// <summary>Where machines are looked for.</summary>
public sealed record VirtOptions
{
    /// <summary>The procfs to read.</summary>
    /// <value>An absolute path; default <c>/proc</c>.</value>
    public string ProcRoot { get; init; } = "/proc";

    /// <summary>The sysfs to read; KVM's statistics are below its <c>kernel/debug/kvm</c>.</summary>
    /// <value>An absolute path; default <c>/sys</c>.</value>
    public string SysRoot { get; init; } = "/sys";

    /// <summary>The libvirt connection that names machines and tells of their lives.</summary>
    /// <value>A URI such as <c>qemu:///system</c>, at most 1,024 characters; null (default): libvirt's library is not even loaded.</value>
    public string? LibvirtUri { get; init; }

    /// <summary>What makes the ids of machines without a UUID this host's own, such as the content of /etc/machine-id.</summary>
    /// <value>Any text; default empty.</value>
    public string HostId { get; init; } = "";

    /// <summary>Time from one look at the known hypervisors and KVM's statistics to the next.</summary>
    /// <value>500 ms to 1 h; default 5 s.</value>
    public TimeSpan ScanInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause before libvirt is tried again after the first failure; it doubles with every further one.</summary>
    /// <value>10 ms to 1 min; default 500 ms.</value>
    public TimeSpan ReconnectPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest of these pauses.</summary>
    /// <value><see cref="ReconnectPause"/> to 1 h; default 30 s.</value>
    public TimeSpan LongestReconnectPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many machines are followed; further ones are counted as ordinary processes.</summary>
    /// <value>1 to 100,000; default 4,096.</value>
    public int MachineLimit { get; init; } = 4096;

    /// <summary>What is wrong with the values, all of it; empty when nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> errors = [];
        Require(errors, Path.IsPathRooted(ProcRoot), nameof(ProcRoot), "an absolute path");
        Require(errors, Path.IsPathRooted(SysRoot), nameof(SysRoot), "an absolute path");
        Require(
            errors, LibvirtUri is null || (LibvirtUri.Length is > 0 and <= 1024 && !LibvirtUri.Contains('\0', StringComparison.Ordinal)),
            nameof(LibvirtUri), "a URI of 1 to 1,024 characters, or absent");
        Require(errors, ScanInterval >= TimeSpan.FromMilliseconds(500) && ScanInterval <= TimeSpan.FromHours(1), nameof(ScanInterval), "500 ms to 1 h");
        Require(errors, ReconnectPause >= TimeSpan.FromMilliseconds(10) && ReconnectPause <= TimeSpan.FromMinutes(1), nameof(ReconnectPause), "10 ms to 1 min");
        Require(
            errors, LongestReconnectPause >= ReconnectPause && LongestReconnectPause <= TimeSpan.FromHours(1),
            nameof(LongestReconnectPause), "ReconnectPause to 1 h");
        Require(errors, MachineLimit is >= 1 and <= 100_000, nameof(MachineLimit), "1 to 100,000");
        return errors;
    }

    private static void Require(List<string> errors, bool holds, string name, string range)
    {
        if (!holds)
        {
            errors.Add($"{name} must be {range}");
        }
    }
}
