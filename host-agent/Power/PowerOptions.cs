namespace Keck.Power;

/// <summary>Where the sources look, and what they believe.</summary>
public sealed record PowerOptions
{
    /// <summary>Root of sysfs, as node_exporter's <c>--path.sysfs</c>.</summary>
    /// <value>A directory. Default <c>/sys</c>.</value>
    public string SysRoot { get; init; } = "/sys";

    /// <summary>Root of procfs, as node_exporter's <c>--path.procfs</c>.</summary>
    /// <value>A directory. Default <c>/proc</c>.</value>
    public string ProcRoot { get; init; } = "/proc";

    /// <summary>
    /// The most one RAPL zone or package can draw: tells a wrap from a reset and a jump from a load. Too low refuses true energy,
    /// too high shortens the time over which a 32-bit counter can be trusted (65 kJ at 2 kW: 32 s).
    /// </summary>
    /// <value>Watts, 10 to 100,000. Default 2,000.</value>
    public int MaxPackageWatts { get; init; } = 2_000;

    /// <summary>The most the whole machine can draw: a gauge above it is refused.</summary>
    /// <value>Watts, 10 to 1,000,000. Default 20,000.</value>
    public int MaxPlatformWatts { get; init; } = 20_000;

    /// <summary>Whether to estimate what no sensor tells. Without it a machine without sensors has no meter at all.</summary>
    /// <value>Default true.</value>
    public bool Estimate { get; init; } = true;

    /// <summary>
    /// The file in which a guest agent of this machine hands on its host's budget (<see cref="HandedBudget"/>); it may be missing, and come later.
    /// </summary>
    /// <value>A path; default null: none is looked for.</value>
    public string? Budget { get; init; }

    /// <summary>Checks options before anything is opened.</summary>
    public static class Validator
    {
        /// <summary>Everything that is wrong, one sentence each; empty when the options can be used.</summary>
        public static IReadOnlyList<string> Validate(PowerOptions options)
        {
            ArgumentNullException.ThrowIfNull(options);
            List<string> errors = [];
            if (!Directory.Exists(options.SysRoot))
            {
                errors.Add($"{nameof(SysRoot)}: '{options.SysRoot}' is not a directory; give the root of a sysfs, such as /sys");
            }

            if (!Directory.Exists(options.ProcRoot))
            {
                errors.Add($"{nameof(ProcRoot)}: '{options.ProcRoot}' is not a directory; give the root of a procfs, such as /proc");
            }

            if (options.MaxPackageWatts is < 10 or > 100_000)
            {
                errors.Add($"{nameof(MaxPackageWatts)}: {options.MaxPackageWatts} must be between 10 and 100,000 W");
            }

            if (options.MaxPlatformWatts is < 10 or > 1_000_000)
            {
                errors.Add($"{nameof(MaxPlatformWatts)}: {options.MaxPlatformWatts} must be between 10 and 1,000,000 W");
            }

            return errors;
        }
    }
}
