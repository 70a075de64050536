namespace Keck.Agent.Tests;

public sealed class ProfileTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Observe_OverCpuBudget_StepsDownAfterPatienceAndSaysWhy()
    {
        var governor = new ProfileGovernor(ProfileKind.Full);
        ProfileChange change = Run(governor, cpu: 0.08, memory: 1 << 20, from: 0, seconds: 60)!;
        Assert.Equal((ProfileKind.Full, ProfileKind.Standard), (change.From, change.To));
        Assert.Equal("CPU 8.0 % of one CPU is over full's 5.0 %", change.Why);
        Assert.InRange(change.AtNanoseconds, 40 * Second, 42 * Second);
        Assert.Equal(1, governor.Changes);
        Assert.Equal(change.Why, governor.Reason);
    }

    [Fact]
    public void Observe_OverMemoryBudget_StepsDown()
    {
        var governor = new ProfileGovernor(ProfileKind.Standard);
        ProfileChange change = Run(governor, cpu: 0.001, memory: 60 << 20, from: 0, seconds: 60)!;
        Assert.Equal("memory 60 MiB is over standard's 50 MiB", change.Why);
    }

    [Fact]
    public void Observe_Minimal_HasNowhereToGo()
    {
        var governor = new ProfileGovernor(ProfileKind.Minimal);
        Assert.Null(Run(governor, cpu: 0.5, memory: 100 << 20, from: 0, seconds: 600));
        Assert.Equal("configured", governor.Reason);
    }

    [Fact]
    public void Observe_ShortSpike_IsForgiven()
    {
        var governor = new ProfileGovernor(ProfileKind.Standard);
        Assert.Null(Run(governor, cpu: 0.5, memory: 1 << 20, from: 0, seconds: 25));
        Assert.Null(Run(governor, cpu: 0.001, memory: 1 << 20, from: 25, seconds: 60));
    }

    [Fact]
    public void Observe_Calm_StepsUpAgainButNotAboveTheConfigured()
    {
        var governor = new ProfileGovernor(ProfileKind.Standard);
        Assert.NotNull(Run(governor, cpu: 0.05, memory: 1 << 20, from: 0, seconds: 60));
        ProfileChange up = Run(governor, cpu: 0.001, memory: 1 << 20, from: 60, seconds: 400)!;
        Assert.Equal(ProfileKind.Standard, up.To);
        Assert.Equal("calm for 5 min", up.Why);
        Assert.Null(Run(governor, cpu: 0.0, memory: 1 << 20, from: 460, seconds: 2_000));
        Assert.Equal("configured", governor.Reason);
    }

    [Fact]
    public void Observe_StepUpTakenBack_WaitsTwiceAsLong()
    {
        var governor = new ProfileGovernor(ProfileKind.Standard);
        _ = Run(governor, cpu: 0.05, memory: 1 << 20, from: 0, seconds: 60);
        _ = Run(governor, cpu: 0.001, memory: 1 << 20, from: 60, seconds: 320);
        Assert.Equal(ProfileKind.Standard, governor.Current);
        Assert.NotNull(Run(governor, cpu: 0.05, memory: 1 << 20, from: 380, seconds: 60));
        Assert.Null(Run(governor, cpu: 0.001, memory: 1 << 20, from: 440, seconds: 580));
        Assert.Equal("calm for 10 min", Run(governor, cpu: 0.001, memory: 1 << 20, from: 1_020, seconds: 60)!.Why);
    }

    [Fact]
    public void Read_ThisProcess_KnowsItsCpuAndMemory()
    {
        using var meter = new SelfMeter();
        SelfUsage usage = meter.Read();
        Assert.True(usage.CpuNanoseconds > 0);
        Assert.True(usage.ResidentBytes > usage.AnonymousBytes);
        Assert.True(usage.AnonymousBytes > 1 << 20);
    }

    [Fact]
    public void Read_Warm_AllocatesNothing()
    {
        using var meter = new SelfMeter();
        _ = meter.Read();
        long before = GC.GetAllocatedBytesForCurrentThread();
        _ = meter.Read();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Read_NoStatusFile_KnowsNoMemory()
    {
        using var meter = new SelfMeter("/nowhere/status");
        Assert.Null(meter.Read().ResidentBytes);
    }

    [Fact]
    public void Row_OfOwnPid_IsTheLivingProcess()
    {
        Assert.Equal("keck-host", SelfMeter.Row(SampleLedger.At(3), SampleLedger.AgentPid)!.Name);
        Assert.Null(SelfMeter.Row(SampleLedger.At(3), 650));
    }

    [Fact]
    public void All_Profiles_GrowInEveryRespect()
    {
        Assert.Equal([ProfileKind.Minimal, ProfileKind.Standard, ProfileKind.Full], AgentProfile.All.Select(profile => profile.Kind));
        foreach ((AgentProfile small, AgentProfile large) in AgentProfile.All.Zip(AgentProfile.All.Skip(1)))
        {
            Assert.True(small.MemoryBudgetBytes < large.MemoryBudgetBytes && small.MaxEndedProcesses < large.MaxEndedProcesses);
            Assert.True(small.FastPeriod > large.FastPeriod && small.ModelLimit < large.ModelLimit);
            Assert.True(small.History.MaxBytes < large.History.MaxBytes);
            Assert.Equal(small.Kind, ProfileNames.Parse(small.Name));
        }
    }

    private static ProfileChange? Run(ProfileGovernor governor, double cpu, long memory, int from, int seconds)
    {
        ProfileChange? last = null;
        for (int second = from; second < from + seconds; second++)
        {
            _used += (long)(cpu * Second);
            last = governor.Observe(new SelfUsage(_used, memory, memory), second * Second) ?? last;
        }

        return last;
    }

    [ThreadStatic]
    private static long _used;
}
