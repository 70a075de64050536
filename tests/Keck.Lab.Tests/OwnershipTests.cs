namespace Keck.Lab.Tests;

/// <summary>Who owns what is shared, on machines of one or two threads whose energy can be computed on paper.</summary>
public sealed class OwnershipTests
{
    // 2 GHz at 1 V: a second alone costs clock 2 nJ/ns × 1 = 2 W and 2 × 10⁹ instructions of 1 nJ = 2 W.
    private static readonly ClassPhysics Plain = new()
    {
        Ipc = 1,
        NanojoulesPerInstruction = 1,
        MissesPerInstruction = 0,
        LinesPerMiss = 1,
        AccessesPerInstruction = 0,
        SharedThroughput = 0.5,
        MemoryBound = 0,
        WakesPerSecond = 0,
    };

    private static readonly LabMachine Machine = Families.Create("dual-server", 1) with
    {
        Packages = 1,
        CoresPerPackage = 1,
        ThreadsPerCore = 2,
        Turbo = [new(1, 2)],
        BaseGigahertz = 2,
        MinGigahertz = 2,
        FollowsLoad = false,
        OneClock = true,
        VoltageFloor = 1,
        KneeGigahertz = 4,
        VoltageBend = 0,
        ClockNanojoules = 1,
        LeakageWatts = 0,
        UncoreAwakeWatts = 0,
        DieAwakeWatts = 0,
        PowerLimit = 1000,
        DramLineNanojoules = 10,
        LineNanojoules = 3,
        LinesPerSecond = 1e12,
        Classes = [.. Enumerable.Repeat(Plain, 8)],
    };

    [Fact]
    public void Alone_ClockAndLeakage_BelongToWhoRuns()
    {
        (double a, _, _, _) = Run(Machine with { LeakageWatts = 3, LeakageKelvin = 1e12 }, Plain, second: null);
        Assert.Equal(2e6 + 3e6 + 2e6, a, 1);
    }

    [Fact]
    public void BothSiblingsBusy_ClockAndLeakage_AreHalved()
    {
        // Half of 5 W each; instructions at half speed: 1 W each.
        (double a, double b, _, _) = Run(Machine with { LeakageWatts = 3, LeakageKelvin = 1e12 }, Plain, Plain);
        Assert.Equal(3.5e6, a, 1);
        Assert.Equal(3.5e6, b, 1);
    }

    [Fact]
    public void BothSiblingsBusy_Instructions_BelongToTheirCause()
    {
        (double a, double b, _, _) = Run(Machine, Plain, Plain with { NanojoulesPerInstruction = 5 });
        Assert.Equal(2e6, a, 1);
        Assert.Equal(6e6, b, 1);
    }

    [Fact]
    public void Traffic_UncoreAndMemory_BelongToTheirCause()
    {
        // Beside a sibling 10⁹ instructions, 10⁷ lines: 3 nJ each in the package, 10 nJ in memory.
        (double a, double b, double dramA, double dramB) = Run(Machine, Plain, Plain with { MissesPerInstruction = 0.01 });
        Assert.Equal(30_000, b - a, 1);
        Assert.Equal((0.0, 100_000.0), (dramA, Math.Round(dramB)));
    }

    [Fact]
    public void Voltage_IsThatAtWhichHeRan()
    {
        LabMachine steep = Machine with { KneeGigahertz = 1, VoltageSlope = 0.2 };
        (double a, _, _, _) = Run(steep, Plain, second: null);
        Assert.Equal(4e6 * 1.2 * 1.2, a, 1);
    }

    [Fact]
    public void Awake_Uncore_IsSharedByThoseAwakeAndNoStatic()
    {
        (double a, double b, _, _) = Run(Machine with { UncoreAwakeWatts = 8 }, Plain, Plain);
        Assert.Equal(2e6 + 4e6, a, 1);
        Assert.Equal(a, b, 1);
    }

    [Fact]
    public void Static_BelongsToNobody()
    {
        (double quiet, _, _, _) = Run(Machine, Plain, second: null);
        (double same, _, _, _) = Run(Machine with { StaticWatts = 500 }, Plain, second: null);
        Assert.Equal(quiet, same, 1e-6);
    }

    // Runs one or two consumers for a second, each on its own hyperthread, and gives their energies.
    private static (double A, double B, double DramA, double DramB) Run(LabMachine machine, ClassPhysics first, ClassPhysics? second)
    {
        LabConsumer kernel = new() { Kind = "system", Id = "kernel", Name = "kernel" };
        LabConsumer a = new() { Kind = "process", Id = "10", Name = "a", Pid = 10 }, b = new() { Kind = "process", Id = "20", Name = "b", Pid = 20 };
        List<LabThread> threads = [Thread(a, first, 0)];
        if (second is not null)
        {
            threads.Add(Thread(b, second, 1));
        }

        LabSimulation simulation = new(machine, new LabLoad { Consumers = [kernel, a, b], Threads = threads, InterruptPart = 0 }, "test", 1, 1000);
        Assert.True(simulation.Advance());
        Assert.Equal(0, kernel.PackageMicrojoules);
        Assert.False(simulation.Advance());
        return (a.PackageMicrojoules, b.PackageMicrojoules, a.DramMicrojoules, b.DramMicrojoules);
    }

    private static LabThread Thread(LabConsumer owner, ClassPhysics work, int cpu) => new()
    {
        Owner = owner,
        Tid = owner.Pid,
        Name = owner.Name,
        Work = [work],
        IsVector = [false],
        Demand = 1,
        Placement = Placement.Pinned,
        Cpu = cpu,
    };
}
