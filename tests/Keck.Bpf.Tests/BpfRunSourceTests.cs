using System.Diagnostics;
using System.Globalization;
using Keck.Bpf.Interop;
using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Bpf.Tests;

/// <summary>Against the running kernel.</summary>
[Collection("kernel")]
[Trait("Needs", "bpf")]
public sealed class BpfRunSourceTests
{
    private const int SoftwareEvents = 1;           // PERF_TYPE_SOFTWARE
    private const int TaskClock = 1;                // PERF_COUNT_SW_TASK_CLOCK
    private const int ContextSwitches = 3;          // PERF_COUNT_SW_CONTEXT_SWITCHES
    private const int PageFaults = 2;               // PERF_COUNT_SW_PAGE_FAULTS

    public BpfRunSourceTests() => Assert.SkipUnless(Accountant.CanRun(), "eBPF accounting is not to be had here: see BpfDoctor");

    [Fact]
    [Trait("Speed", "slow")]
    public void Drain_MixedThreadsBlockedAtBothReadings_EveryNanosecondOfEachThread()
    {
        using var program = new NativeProgram("threads", "952", "1500");
        Assert.StartsWith("ready", program.Hear(), StringComparison.Ordinal);
        using var accountant = new Accountant();
        Dictionary<int, long> before = Clocks(program);
        program.Say("go");
        Assert.Equal("done", accountant.DrainUntilAnswer(program, 100));

        Dictionary<int, long> after = Clocks(program);
        accountant.Drain();

        // The main thread is the first tid; it was running at both readings and is not among the workers.
        List<string> wrong = [.. after.Where(t => accountant.Of(t.Key) != t.Value - before[t.Key] + accountant.Source.Ahead(t.Key))
            .Select(t => $"tid {t.Key}: clock {t.Value - before[t.Key]} reported {accountant.Of(t.Key)} of which ahead {accountant.Source.Ahead(t.Key)}")];
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {after.Count} differ: {string.Join("; ", wrong.Take(10))}; missed {accountant.Source.MissedSwitches} of {accountant.Source.Switches}");
        // Only a slice that ran at a drain can be ahead: one a CPU.
        int ahead = after.Keys.Count(tid => accountant.Source.Ahead(tid) != 0);
        Assert.InRange(ahead, 0, accountant.Closure.Count * Environment.ProcessorCount);
        TestContext.Current.SendDiagnosticMessage($"{ahead} of {after.Count} threads ahead; missed {accountant.Source.MissedSwitches} of {accountant.Source.Switches}");
        Assert.Equal(952, after.Count);
        Assert.Equal(0, accountant.Source.LostNanoseconds);
    }

    [Fact]
    [Trait("Speed", "slow")]
    public void Drain_ForkStorm_NothingLostAndEveryCpuCloses()
    {
        using var accountant = new Accountant();
        using var program = new NativeProgram("storm", "12000");
        string answer = accountant.DrainUntilAnswer(program, 100);

        program.Finish();
        accountant.Drain();
        accountant.Drain();

        long microseconds = long.Parse(answer.AsSpan("done ".Length), CultureInfo.InvariantCulture);
        long storm = accountant.ByName.GetValueOrDefault("keck-storm") + accountant.ByName.GetValueOrDefault("storm");
        Assert.Equal(0, accountant.Source.LostNanoseconds);
        Assert.Equal(accountant.Busy, accountant.Runs + accountant.Lost);
        // Every thread found a slot: lost can only be what ran between two switches that no tracepoint showed.
        Assert.True(accountant.Lost == 0 || accountant.Source.MissedSwitches > 0, $"{accountant.Lost} ns lost and no switch missed");
        Assert.InRange(accountant.Lost, 0, accountant.Busy / 100);
        Assert.InRange(accountant.Source.OverchargedNanoseconds, 0, 4_000_000 * (1 + accountant.Source.MissedSwitches));
        // wait4 truncates each process to a microsecond; the parent is in the name's sum and not in wait4's.
        Assert.True(storm >= microseconds * 1000, $"storm {storm} ns, wait4 {microseconds} µs");
        int ended = accountant.Ended.GetValueOrDefault("keck-storm") + accountant.Ended.GetValueOrDefault("storm");
        Assert.True(ended >= 12_000, $"{ended} ends seen");
        long wall = (accountant.End - accountant.Source.StartNanoseconds) * Environment.ProcessorCount;
        long parts = accountant.Busy + accountant.Idle + accountant.Interrupt;
        // Steal (10 ms steps) is left out of the parts, and the CPUs are read at their own instants.
        Assert.InRange(parts, wall - (wall / 5), wall + 20_000_000);
        TestContext.Current.SendDiagnosticMessage($"closure ppm: mean {accountant.Closure.Average():F1} worst {accountant.Closure.Max():F1} median {accountant.Closure.Order().ElementAt(accountant.Closure.Count / 2):F1} of {accountant.Closure.Count} ticks; missed {accountant.Source.MissedSwitches} of {accountant.Source.Switches}, unseen {accountant.Source.UnseenSwitches}, overcharged {accountant.Source.OverchargedNanoseconds} ns, late deaths {accountant.Source.LateDeaths}");
    }

    [Fact]
    public void Drain_ThreadOtherThanTheLeaderExecs_KeepsItsTimeUnderTheLeadersTid()
    {
        using var accountant = new Accountant();
        using var program = new NativeProgram("execer");
        string[] before = program.Hear().Split(' ');
        string[] after = program.Hear().Split(' ');
        accountant.Drain();
        Assert.Equal(before[1], after[2]);
        Assert.NotEqual(before[2], after[2]);
        int leader = Number(after[1]), thread = Number(before[2]);
        WaitFor(accountant, () => accountant.ByTid.TryGetValue(leader, out ThreadRow row) && row.Name == "execer");
        long time = accountant.Of(leader) + accountant.Of(thread);
        // The leader of old ran well under a millisecond under the same tid.
        Assert.InRange(time, long.Parse(after[3], CultureInfo.InvariantCulture), long.Parse(after[3], CultureInfo.InvariantCulture) + 20_000_000);
        program.Finish();
        WaitFor(accountant, () => !accountant.Observation.ThreadTable.Rows.ToArray().Any(row => row.Pid == leader) || Ends(accountant, leader));
    }

    [Fact]
    public void Drain_ThreadMovesToAnotherCpu_ReportsTwoRuns()
    {
        Assert.SkipUnless(Environment.ProcessorCount >= 2, "needs two CPUs");
        using var program = new NativeProgram("migrate");
        int pid = Number(program.Hear().Split(' ')[1]);
        using var accountant = new Accountant();
        program.Say("go");
        long clock = long.Parse(program.Hear().AsSpan("done ".Length), CultureInfo.InvariantCulture);
        WaitFor(accountant, () => accountant.Of(pid) >= clock - 5_000_000 && accountant.ByTid[pid].Name == "keck-migrate");
        Assert.InRange(accountant.Of(pid, 0), 15_000_000, 60_000_000);
        Assert.InRange(accountant.Of(pid, 1), 15_000_000, 60_000_000);
        Assert.Equal(pid, accountant.ByTid[pid].Pid);
        Assert.False(accountant.ByTid[pid].Kernel);
    }

    [Fact]
    public void Drain_OneInlineEntryOnly_ChainsAndLosesNothing()
    {
        Assert.SkipUnless(Environment.ProcessorCount >= 2, "needs two CPUs");
        using var accountant = new Accountant(Accountant.Options() with { Entries = 1 });
        using var program = new NativeProgram("migrate");
        int pid = Number(program.Hear().Split(' ')[1]);
        program.Say("go");
        long clock = long.Parse(program.Hear().AsSpan("done ".Length), CultureInfo.InvariantCulture);
        WaitFor(accountant, () => accountant.Of(pid) >= clock - 5_000_000);
        Assert.True(accountant.Source.OverflowCount > 0);
        Assert.InRange(accountant.Of(pid, 0), 15_000_000, 60_000_000);
        Assert.InRange(accountant.Of(pid, 1), 15_000_000, 60_000_000);
        Assert.Equal(0, accountant.Source.LostNanoseconds);
        Assert.Equal(accountant.Busy, accountant.Runs + accountant.Lost);
    }

    [Fact]
    [Trait("Speed", "slow")]
    public void Drain_OneInlineEntryAndMixedThreads_ExactStill()
    {
        using var program = new NativeProgram("threads", "210", "800");
        _ = program.Hear();
        using var accountant = new Accountant(Accountant.Options() with { Entries = 1 });
        Dictionary<int, long> before = Clocks(program);
        program.Say("go");
        Assert.Equal("done", accountant.DrainUntilAnswer(program, 50));

        Dictionary<int, long> after = Clocks(program);
        accountant.Drain();
        accountant.Drain();
        Assert.True(accountant.Source.OverflowCount > 0);
        Assert.Equal(0, accountant.Source.LostNanoseconds);
        Assert.All(after, t => Assert.Equal(t.Value - before[t.Key] + accountant.Source.Ahead(t.Key), accountant.Of(t.Key)));
    }

    [Fact]
    public void Drain_SlotsExhausted_CountsLostTimeAndConserves()
    {
        using var accountant = new Accountant(Accountant.Options() with { Slots = 16 });
        using var program = new NativeProgram("threads", "70", "300");
        _ = program.Hear();
        program.Say("go");
        Assert.Equal("done", program.Hear());
        accountant.Drain();
        Assert.True(accountant.Source.ExhaustedCount > 0);
        Assert.True(accountant.Lost > 0);
        Assert.Equal(accountant.Busy, accountant.Runs + accountant.Lost);
        Assert.InRange(accountant.Source.SlotsInUse, 1, 15);
    }

    [Fact]
    public void Drain_TidsReused_EachThreadIsItsOwn()
    {
        using var accountant = new Accountant();
        using var holder = new PidReuse();
        HashSet<(int, long)> identities = [];
        for (int round = 0; round < 3; round++)
        {
            int pid = holder.Spawn();
            accountant.Drain();
            accountant.Drain();
            ThreadRow row = accountant.ByTid[pid];
            Assert.True(identities.Add((row.Tid, row.StartNanoseconds)));
        }

        Assert.Single(identities.Select(identity => identity.Item1).Distinct());
    }

    [Fact]
    public void Drain_SoftwareCounters_AreOfTheThread()
    {
        using var accountant = new Accountant(Accountant.Options(
            new PerfCounter(SoftwareEvents, TaskClock), new PerfCounter(SoftwareEvents, ContextSwitches), new PerfCounter(SoftwareEvents, PageFaults)));
        using var program = new NativeProgram("threads", "14", "300");
        string[] ready = program.Hear().Split(' ');
        program.Say("go");
        Assert.Equal("done", program.Hear());
        accountant.Drain();
        Dictionary<int, long> clocks = Clocks(program);
        Assert.Equal("ready", ready[0]);
        int switching = clocks.Keys.Count(tid => accountant.Counters.GetValueOrDefault(tid).Cycles >= 1);
        Assert.True(switching >= 12, $"{switching} of 14 threads switched by their counter");
        long sum = clocks.Keys.Sum(tid => accountant.Counters.GetValueOrDefault(tid).Instructions);
        long ran = clocks.Keys.Sum(accountant.Of);
        // task-clock of a CPU-wide event is that CPU's clock: what accrued from switch to switch is the thread's time.
        Assert.InRange(sum, ran - (ran / 10), ran + (ran / 3));
    }

    [Fact]
    public void Drain_RowsCarryIdentity_AsProcfsShowsIt()
    {
        using var accountant = new Accountant();
        using var program = new NativeProgram("migrate");
        int pid = Number(program.Hear().Split(' ')[1]);
        WaitFor(accountant, () => accountant.ByTid.ContainsKey(pid));
        ThreadRow row = accountant.ByTid[pid];
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        long ticks = long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19], CultureInfo.InvariantCulture);
        Assert.Equal(ticks, row.StartNanoseconds / 10_000_000);
        Assert.Equal(row.StartNanoseconds, row.ProcessStartNanoseconds);
        Assert.NotEqual(0ul, row.CgroupId);
    }

    [Fact]
    public void Drain_TwoSourcesAtOnce_BothSeeTheSame()
    {
        using var program = new NativeProgram("threads", "21", "300");
        _ = program.Hear();
        using var first = new Accountant();
        using var second = new Accountant();
        Dictionary<int, long> before = Clocks(program);
        program.Say("go");
        Assert.Equal("done", program.Hear());
        Dictionary<int, long> after = Clocks(program);
        first.Drain();
        second.Drain();
        Assert.All(after, t => Assert.Equal(t.Value - before[t.Key] + first.Source.Ahead(t.Key), first.Of(t.Key)));
        Assert.All(after, t => Assert.Equal(t.Value - before[t.Key] + second.Source.Ahead(t.Key), second.Of(t.Key)));
    }

    [Fact]
    public void Dispose_Always_LeavesNoProgramBehind()
    {
        List<string> programs;
        using (var accountant = new Accountant())
        {
            programs = ProgramsOfThisProcess();
            Assert.NotEmpty(programs);
            Assert.All(programs, id => Assert.True(IsLoaded(id)));
        }

        // The kernel frees a program a grace period after its last user.
        Assert.True(SpinWait.SpinUntil(() => !programs.Exists(IsLoaded), TimeSpan.FromSeconds(20)), "programs are still loaded");
    }

    [Fact]
    public void Drain_SteadyThreads_AllocatesNothing()
    {
        using var accountant = new Accountant();
        Observation observation = new();
        long end = accountant.End;
        long least = long.MaxValue;
        for (int tick = 1; tick <= 60; tick++)
        {
            observation.Begin(tick, end);
            long before = GC.GetAllocatedBytesForCurrentThread();
            accountant.Source.Drain(observation);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            end = observation.EndNanoseconds;
        }

        // Threads of others are born at any time, and a new name is a string: the quietest tick is the one that counts.
        Assert.Equal(0, least);
    }

    [Fact]
    public void Drain_ProcStatBroken_StealIsUnknownAndSaidOnce()
    {
        string root = Directory.CreateTempSubdirectory("keck-stat-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(root, "stat"), "garbage\ncpu0 1 2\n");
            List<int> said = [];
            BpfStart start = BpfProbe.TryStart(Accountant.Options() with { ProcRoot = root }, new EventIds(said));
            using BpfRunSource source = start.Source ?? throw new InvalidOperationException(start.Message);
            Observation observation = new();
            observation.Begin(1, source.StartNanoseconds);
            source.Drain(observation);
            Assert.False(source.StealKnown);
            Assert.Null(source.UnseenSwitches);
            Assert.Single(said, 2003);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Run again without any capability, in a process of its own: root by name only.</summary>
    [Fact]
    [Trait("Speed", "slow")]
    public void TryStart_WithoutCapabilities_SaysWhichAreNeeded()
    {
        ProcessStartInfo start = new("setpriv", ["--bounding-set=-all", "--inh-caps=-all", "--", Environment.ProcessPath!, typeof(BpfRunSourceTests).Assembly.Location, "-noColor", "-noLogo", "-explicit", "only", "-method", "*" + nameof(WithoutCapabilities.TryStart_NoCapability_NamesBoth)])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, text);
        Assert.Contains("Total: 1, Errors: 0, Failed: 0, Skipped: 0", text, StringComparison.Ordinal);
    }

    [Fact]
    public void MapBytes_EachProfile_StaysWithinItsBound()
    {
        foreach ((BpfProfile profile, long most) in ((BpfProfile, long)[])[(BpfProfile.Minimal, 2L << 20), (BpfProfile.Standard, 10L << 20), (BpfProfile.Full, 40L << 20)])
        {
            using var accountant = new Accountant(Accountant.Options() with { Profile = profile });
            Assert.InRange(accountant.Source.MapBytes, 100_000, most);
        }
    }

    private static List<string> ProgramsOfThisProcess() =>
        [.. Directory.EnumerateFiles("/proc/self/fdinfo").Where(File.Exists).SelectMany(file => File.ReadLines(file).Where(line => line.StartsWith("prog_id:", StringComparison.Ordinal)))
            .Select(line => line["prog_id:".Length..].Trim()).Distinct()];

    private static bool IsLoaded(string id)
    {
        int descriptor = LibBpf.OpenProgram(uint.Parse(id, CultureInfo.InvariantCulture));
        return descriptor >= 0 && LibC.Close(descriptor) == 0;
    }

    private static bool Ends(Accountant accountant, int tid) =>
        accountant.Observation.ThreadTable.Ended.Any(row => accountant.Observation.ThreadTable[row].Tid == tid);

    private static void WaitFor(Accountant accountant, Func<bool> condition) => Assert.True(
        SpinWait.SpinUntil(
            () =>
            {
                accountant.Drain();
                return condition();
            },
            TimeSpan.FromSeconds(20)),
        "the condition did not come true");

    private static Dictionary<int, long> Clocks(NativeProgram program)
    {
        program.Say("read");
        Dictionary<int, long> clocks = [];
        for (string line = program.Hear(); line != "end"; line = program.Hear())
        {
            string[] parts = line.Split(' ');
            clocks.Add(Number(parts[0]), long.Parse(parts[1], CultureInfo.InvariantCulture));
        }

        return clocks;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private sealed class EventIds(List<int> ids) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => ids.Add(eventId.Id);
    }
}
