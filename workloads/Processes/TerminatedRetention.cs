using Keck.Metering;

namespace Keck.Workloads;

/// <summary>When the row of an ended process may be released: seen by every outlet, or too old.</summary>
public static class TerminatedRetention
{
    /// <summary>How long an ended process stays at most: 10 minutes.</summary>
    public const long LongestNanoseconds = 600_000_000_000;

    /// <summary>Whether a process's row may be released.</summary>
    /// <param name="process">The row; never released while it is alive or a thread still refers to it.</param>
    /// <param name="endedNanoseconds">End of the tick in which it ended, monotonic clock.</param>
    /// <param name="seenNanoseconds">End of the newest tick that <em>every</em> outlet has seen; <see cref="long.MaxValue"/> without outlets.</param>
    /// <param name="nowNanoseconds">End of the current tick.</param>
    public static bool MayRelease(in ProcessRow process, long endedNanoseconds, long seenNanoseconds, long nowNanoseconds) =>
        process.Ended && process.LiveThreads == 0
        && (seenNanoseconds >= endedNanoseconds || nowNanoseconds - endedNanoseconds >= LongestNanoseconds);
}
