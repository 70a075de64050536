using Keck.Metering;

namespace Keck.Workloads.Tests;

public sealed class TerminatedRetentionTests
{
    private const long Minute = 60_000_000_000;

    [Theory]
    [InlineData(true, 0, 100, 99, 101, false)] // ended, not seen, young
    [InlineData(true, 0, 100, 100, 101, true)] // every outlet has seen the tick in which it ended
    [InlineData(true, 0, 100, 0, 100 + (10 * Minute), true)] // ten minutes
    [InlineData(true, 0, 100, 0, 99 + (10 * Minute), false)]
    [InlineData(true, 0, 100, long.MaxValue, 101, true)] // no outlets
    [InlineData(false, 0, 100, long.MaxValue, 100 + (20 * Minute), false)] // alive
    [InlineData(true, 1, 100, long.MaxValue, 100 + (20 * Minute), false)] // a thread still refers to it
    public void MayRelease_SeenOrOld_AndNotInUse(bool ended, int threads, long end, long seen, long now, bool expected) =>
        Assert.Equal(expected, TerminatedRetention.MayRelease(new ProcessRow { Pid = 1, Ended = ended, LiveThreads = threads }, end, seen, now));
}
