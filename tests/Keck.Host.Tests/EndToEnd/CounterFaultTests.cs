using System.Diagnostics;

namespace Keck.Host.Tests;

/// <summary>
/// What can go wrong with an energy counter, done to a running native agent: one clear message, the other package goes on, and
/// the energy is attributed, unattributed or absent, to the microjoule.
/// </summary>
[Trait("Speed", "slow")]
public sealed class CounterFaultTests
{
    private const long Joule = 1_000_000;

    [Fact]
    public async Task Counter_Sticks_IsStaleAndWhatItThenShowsIsUnattributed()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await StartAsync(machine);
        await agent.UntilSaidAsync("stands at", () =>
        {
            machine.Run(4711, 50);
            machine.Breathe();
        });
        Assert.Equal("stale", await agent.AbsentAsync("package-0"));
        Assert.Contains("turbostat", Assert.Single(agent.Said("stands at")), StringComparison.Ordinal);
        await agent.UntilAsync("its part, core-0, in its stead", async () => (await agent.MeterAsync("core-0")).GetProperty("selected").GetBoolean());
        long attributed = await agent.EnergyAsync("package-0"), unattributed = await agent.EnergyAsync("package-0", "unattributed");
        machine.Add(MachineTree.Package0, 3 * Joule);
        await agent.UntilEnergyAsync("package-0", attributed + (3 * Joule));
        Assert.Equal(unattributed + (3 * Joule), await agent.EnergyAsync("package-0", "unattributed"));
        await GoesOnAsync(agent, machine);
    }

    [Fact]
    public async Task Counter_SticksBesideATwin_TheTwinTakesOverAndNothingIsLost()
    {
        using MachineTree machine = new(twin: true);
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        await agent.UntilAsync("the twin attributed", async () =>
        {
            machine.Run(4711, 50);
            machine.Breathe();
            machine.Add(MachineTree.Twin, 1_000);
            return (await agent.MeterAsync("package-0-rapl")).GetProperty("selected").GetBoolean();
        });
        machine.Add(MachineTree.Twin, Joule);
        long truth = machine.Value(MachineTree.Twin) - 104_857_500_000;
        await agent.UntilAsync($"{truth} µJ of package 0 in all", async () => await agent.EnergyAsync("package-0") == truth);
        Assert.Single(agent.Said("stands at"));
    }

    [Fact]
    public async Task Counter_JumpsBack_TheSpanIsUnknownAndTheCountGoesOn()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await StartAsync(machine);
        long before = await agent.EnergyAsync("package-0");
        machine.Set(MachineTree.Package0, 5_000);
        await agent.UntilSaidAsync("Meter package-0 has values again");
        Assert.Single(agent.Said("went back without having wrapped"));
        machine.Work(7 * Joule);
        await agent.UntilEnergyAsync("package-0", before + (7 * Joule));
        Assert.Equal(1, (await agent.MeterAsync("package-0")).GetProperty("errors").GetInt64());
        await GoesOnAsync(agent, machine);
    }

    [Fact]
    public async Task Counter_WrapsOnce_IsUndoneWithoutAWord()
    {
        using MachineTree machine = new();
        machine.Set(MachineTree.Package0, machine.Range(MachineTree.Package0) - (7 * Joule));
        await using LiveAgent agent = await StartAsync(machine);
        machine.Work(11 * Joule);
        Assert.True(machine.Value(MachineTree.Package0) < 11 * Joule);
        await agent.UntilEnergyAsync("package-0", 16 * Joule);
        Assert.Empty(agent.Said("warning"));
    }

    [Fact]
    public async Task Counter_WrapsTwiceWhileTheAgentWasHeldUp_TheSpanIsUnknownAndSaidSo()
    {
        using MachineTree machine = new();
        machine.SetRange(MachineTree.Package0, 20_000 * Joule); // 2 kW fill it in 10 s
        machine.Set(MachineTree.Package0, 10_000 * Joule);
        await using LiveAgent agent = await StartAsync(machine);
        long before = await agent.EnergyAsync("package-0"), other = await agent.EnergyAsync("package-1");
        HostBinary.Signal(agent.Pid, "STOP");
        machine.Add(MachineTree.Package0, 2 * machine.Range(MachineTree.Package0) + (4 * Joule));
        machine.Add(MachineTree.Package1, 80 * Joule);

        // The fault is this stretch of time itself.
        Stopwatch stopped = Stopwatch.StartNew();
        using (PeriodicTimer wait = new(TimeSpan.FromMilliseconds(100)))
        {
            while (stopped.Elapsed < TimeSpan.FromSeconds(11))
            {
                await wait.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
        }

        HostBinary.Signal(agent.Pid, "CONT");
        await agent.UntilSaidAsync("was not read for so long");
        await agent.UntilSaidAsync("Meter package-0 has values again");
        await agent.UntilEnergyAsync("package-1", other + (80 * Joule));
        Assert.Equal(before, await agent.EnergyAsync("package-0"));
        machine.Work(9 * Joule);
        await agent.UntilEnergyAsync("package-0", before + (9 * Joule));
        Assert.Single(agent.Said("was not read for so long"));
    }

    [Theory]
    [InlineData("18446744073709551615", "all ones")]
    [InlineData("4294967295", "all ones")]
    [InlineData("-1", "all ones or a negative number")]
    [InlineData("", "is empty")]
    [InlineData("12 apples", "no whole number")]
    [InlineData("0x1234", "no whole number")]
    [InlineData("99999999999999999999999", "no whole number")]
    [InlineData("262143328851", "above its own max_energy_range_uj")]
    [InlineData("204857600000", "rose by more than")]
    public async Task Counter_ShowsNonsenseForAWhile_IsMalformedAndNothingIsLost(string text, string words)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await StartAsync(machine);
        long before = await agent.EnergyAsync("package-0");
        machine.Spoil(MachineTree.Package0, text);
        await agent.UntilSaidAsync(words);
        bool jump = words.StartsWith("rose", StringComparison.Ordinal);
        if (!jump)
        {
            // A jump that stays is believed: from there on the count goes on.
            Assert.Equal("malformed", await agent.AbsentAsync("package-0"));
            machine.AddUnseen(MachineTree.Package0, 6 * Joule);
            machine.Add(MachineTree.Package1, 6 * Joule);
            await agent.UntilAsync("three refusals", async () => (await agent.MeterAsync("package-0")).GetProperty("errors").GetInt64() >= 4);
            machine.Restore(MachineTree.Package0);
            await agent.UntilEnergyAsync("package-0", before + (6 * Joule));
        }

        Assert.Single(agent.Said(words));
        await GoesOnAsync(agent, machine);
    }

    [Fact]
    public async Task Counter_VanishesAndComesBack_IsNotPresentAndNothingIsLost()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await StartAsync(machine);
        long before = await agent.EnergyAsync("package-0");
        machine.RemoveSys($"class/powercap/{MachineTree.Package0}/energy_uj");
        await agent.UntilSaidAsync("is not there");
        Assert.Equal("notPresent", await agent.AbsentAsync("package-0"));
        machine.AddUnseen(MachineTree.Package0, 8 * Joule);
        await GoesOnAsync(agent, machine);
        machine.Restore(MachineTree.Package0);
        await agent.UntilEnergyAsync("package-0", before + (8 * Joule));
        Assert.Single(agent.Said("is not there"));
        Assert.Single(agent.Said("Meter package-0 has values again"));
    }

    [Fact]
    public async Task Zone_VanishesAltogetherBesideATwin_TheTwinTakesOverAndNothingIsCountedTwice()
    {
        using MachineTree machine = new(twin: true);
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Add(MachineTree.Package0, 2 * Joule);
        machine.Add(MachineTree.Twin, 2 * Joule);
        await agent.UntilEnergyAsync("package-0", 2 * Joule);
        machine.AddUnseen(MachineTree.Package0, 5 * Joule);
        machine.RemoveSys($"class/powercap/{MachineTree.Package0}");
        machine.Add(MachineTree.Twin, 5 * Joule);
        await agent.UntilAsync("the twin attributed", async () => (await agent.MeterAsync("package-0-rapl")).GetProperty("selected").GetBoolean());
        machine.AddUnseen(MachineTree.Package0, 3 * Joule);
        machine.Add(MachineTree.Twin, 3 * Joule);
        await agent.UntilAsync("10 J of package 0 in all", async () => await agent.EnergyAsync("package-0") == 10 * Joule);
        machine.Restore(MachineTree.Package0);
        await agent.UntilAsync("package-0 attributed again", async () => (await agent.MeterAsync("package-0")).GetProperty("selected").GetBoolean());
        machine.Add(MachineTree.Package0, Joule);
        machine.Add(MachineTree.Twin, Joule);
        await agent.UntilAsync("11 J of package 0 in all", async () => await agent.EnergyAsync("package-0") == 11 * Joule);
        Assert.Equal(2, agent.Said("Meter package-0 is attributed").Length); // at the start, and again
        Assert.Single(agent.Said("Meter package-0 has no value"));
        Assert.Single(agent.Said("Meter package-0-rapl is attributed"));
    }

    [Fact]
    public async Task Counter_IsADirectoryForAWhile_IsSaidOnceAndNothingIsLost()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await StartAsync(machine);
        long before = await agent.EnergyAsync("package-0");
        machine.RemoveSys($"class/powercap/{MachineTree.Package0}/energy_uj");
        machine.WriteSys($"class/powercap/{MachineTree.Package0}/energy_uj/x", "");
        await agent.UntilSaidAsync("Meter package-0 has no value");
        machine.AddUnseen(MachineTree.Package0, 2 * Joule);
        machine.RemoveSys($"class/powercap/{MachineTree.Package0}/energy_uj/x");
        machine.Restore(MachineTree.Package0);
        await agent.UntilEnergyAsync("package-0", before + (2 * Joule));
        Assert.Single(agent.Said("Meter package-0 has no value"));
    }

    [Fact]
    public async Task Counter_MayNotBeRead_SaysTheMendAndCountsFromWhenItMay()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root to start the agent as somebody else");
        using MachineTree machine = new();
        File.SetUnixFileMode(machine.Counter(MachineTree.Package0), UnixFileMode.UserRead);
        string root = Path.GetDirectoryName(machine.Proc)!;
        File.SetUnixFileMode(root, (UnixFileMode)0b111_101_101);
        await using LiveAgent agent = await LiveAgent.StartAsync(
            "setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", HostBinary.Path, .. LiveAgent.Arguments(machine)],
            openFolder: true);
        Assert.Contains("CAP_DAC_READ_SEARCH", Assert.Single(agent.Said("may not be read by this process")), StringComparison.Ordinal);
        Assert.Equal("notPermitted", await agent.AbsentAsync("package-0"));
        machine.Work(4 * Joule);
        await agent.UntilEnergyAsync("package-1", 4 * Joule);
        Assert.Equal(0, await agent.EnergyAsync("package-0"));
        File.SetUnixFileMode(machine.Counter(MachineTree.Package0), (UnixFileMode)0b100_100_100);
        await agent.UntilAsync("package-0 attributed", async () => (await agent.MeterAsync("package-0")).GetProperty("selected").GetBoolean());
        machine.Work(5 * Joule);
        await agent.UntilAsync("5 J of package 0", async () => await agent.EnergyAsync("package-0") == 5 * Joule);
        Assert.Single(agent.Said("may not be read by this process"));
    }

    [Fact]
    public async Task Zone_AppearsLater_IsSaidOnceAndAttributedFromThen()
    {
        using MachineTree machine = new();
        string zone = Path.Combine(machine.Sys, "class/powercap", MachineTree.Package1), aside = Path.Combine(machine.Sys, "aside");
        Directory.Move(zone, aside);
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Add(MachineTree.Package0, 2 * Joule);
        await agent.UntilEnergyAsync("package-0", 2 * Joule);
        Directory.Move(aside, zone);
        await agent.UntilSaidAsync("Meter package-1 is attributed");
        machine.Work(3 * Joule);
        await agent.UntilEnergyAsync("package-1", 3 * Joule);
        await agent.UntilEnergyAsync("package-0", 5 * Joule);
        Assert.Single(agent.Said("Meter package-1 is attributed"));
        Assert.Empty(agent.Said("warning"));
    }

    // Ready, and both packages have given 5 J.
    private static async Task<LiveAgent> StartAsync(MachineTree machine)
    {
        LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Work(5 * Joule);
        await agent.UntilEnergyAsync("package-0", 5 * Joule);
        await agent.UntilEnergyAsync("package-1", 5 * Joule);
        return agent;
    }

    // The other package is metered as if nothing were.
    private static async Task GoesOnAsync(LiveAgent agent, MachineTree machine)
    {
        long truth = machine.Value(MachineTree.Package1) - 98_765_432_100;
        await agent.UntilEnergyAsync("package-1", truth);
        machine.Run(4812, 30);
        machine.Add(MachineTree.Package1, Joule + 1);
        await agent.UntilEnergyAsync("package-1", truth + Joule + 1);
    }
}
