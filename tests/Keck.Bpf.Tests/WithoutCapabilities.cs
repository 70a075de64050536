using Keck.Metering;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Bpf.Tests;

/// <summary>What <see cref="BpfRunSourceTests.TryStart_WithoutCapabilities_SaysWhichAreNeeded"/> runs in a process that has none.</summary>
public sealed class WithoutCapabilities
{
    [Fact(Explicit = true)] // Only by way of the other test.
    public void TryStart_NoCapability_NamesBoth()
    {
        Assert.False(Capabilities.Effective("/proc").MayUseBpf);
        BpfStart start = BpfProbe.TryStart(Accountant.Options(), NullLogger.Instance);
        using BpfRunSource? source = start.Source;
        Assert.Null(source);
        Assert.Equal(Absence.NotPermitted, start.Reason);
        Assert.Contains("CAP_BPF and CAP_PERFMON", start.Message, StringComparison.Ordinal);
        Assert.Contains(BpfDoctor.Examine(Accountant.Options()), check => check is { Name: "CAP_BPF", Ok: false } && check.Mend.Length > 0);
    }
}
