using System.Globalization;
using Keck.Metering;

namespace Keck.Bpf.Tests;

/// <summary>Time beside a busy sibling, on the running kernel: which CPUs are siblings is told to it, so that any two will do.</summary>
[Collection("kernel")]
[Trait("Needs", "bpf")]
public sealed class SiblingTests
{
    public SiblingTests()
    {
        Assert.SkipUnless(Accountant.CanRun(), "eBPF accounting is not to be had here: see BpfDoctor");
        Assert.SkipUnless(Environment.ProcessorCount >= 2, "needs two CPUs");
    }

    /// <summary>
    /// Whoever else uses the two CPUs meanwhile, both are busy at once for at least busy 0 + busy 1 − wall and at most for the
    /// shorter of the two; with CPU 0 always busy these meet. What both sides report of it must lie between.
    /// </summary>
    [Theory]
    [Trait("Speed", "slow")]
    [InlineData(100)]
    [InlineData(50)]
    [InlineData(0)]
    public void Drain_SiblingBusyForAPart_SharedTimeIsThatPart(int percent)
    {
        CpuPlace[] places = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(cpu => new CpuPlace(cpu, cpu / 2, 0, 0))];
        using var accountant = new Accountant(Accountant.Options() with { Topology = new Topology(places, null) });
        using var program = new NativeProgram("pair");
        string[] ready = program.Hear().Split(' ');
        accountant.Drain();
        accountant.Drain();
        int[] tids = [.. ready[1..].Select(tid => int.Parse(tid, CultureInfo.InvariantCulture))];
        Side[] sides = [new(), new()];
        long hog = 0, others = long.MaxValue;

        // Others' load beside the hog hides the case: what else ran on CPU 1 the accounting itself tells; the quietest of some runs counts.
        for (int attempt = 0; attempt < Attempts && others > sides[1].Wall / 5; attempt++)
        {
            sides = [new() { Missed = sides[0].Missed, Known = sides[0].Known }, new() { Missed = sides[1].Missed, Known = sides[1].Known }];
            long[] before = [accountant.Of(tids[0]), accountant.Of(tids[1])];
            program.Say(percent.ToString(CultureInfo.InvariantCulture));
            _ = accountant.DrainUntilAnswer(program, 50, () => Add(accountant, sides));
            accountant.Drain();
            Add(accountant, sides);
            hog = accountant.Of(tids[0]) - before[0];
            others = sides[1].Busy - (accountant.Of(tids[1]) - before[1]);
            Judge(sides, hog, percent, others);
        }
    }

    private static void Judge(Side[] sides, long hog, int percent, long others)
    {
        long wall = Math.Max(sides[0].Wall, sides[1].Wall);
        // Interrupts and steal stand in a CPU's busy time as its sibling sees it, and an unseen switch hides when it was.
        long slack = Math.Abs(sides[0].Wall - sides[1].Wall) + sides.Sum(side => side.Interrupt + side.Blind) + (wall / 100);
        long least = sides[0].Busy + sides[1].Busy - wall - slack, most = Math.Min(sides[0].Busy, sides[1].Busy) + slack;
        string told = string.Create(CultureInfo.InvariantCulture, $"of {wall} ns: busy {sides[0].Busy}/{sides[1].Busy}, shared {sides[0].Shared}/{sides[1].Shared}, slack {slack}, hog {hog}, others on CPU 1 {others}");
        TestContext.Current.SendDiagnosticMessage(told);
        Assert.True(hog >= 200_000_000, told);

        // The sleeper cannot be on for more than its part, so nobody can be beside it for longer.
        Assert.True(sides[0].Shared <= (wall / 100 * percent) + 4_000_000 + others + slack, told);
        Assert.All(sides, side => Assert.True(side.Shared >= least && side.Shared <= most, told));
        Assert.True(Math.Abs(sides[0].Shared - sides[1].Shared) <= slack, told);
    }

    private const int Attempts = 8;

    private static void Add(Accountant accountant, Side[] sides)
    {
        foreach (ref CpuSample cpu in accountant.Observation.Cpus.Items)
        {
            if (cpu.Cpu < sides.Length)
            {
                Side side = sides[cpu.Cpu];
                CpuSnapshot snapshot = accountant.Source.LastCpus[cpu.Cpu];
                side.Wall += snapshot.Wall;
                side.Busy += cpu.BusyNanoseconds;
                side.Interrupt += Math.Max(cpu.InterruptNanoseconds, snapshot.Wall - cpu.BusyNanoseconds - cpu.IdleNanoseconds);
                side.Blind += snapshot.Record.Missed != side.Missed && side.Known ? snapshot.Wall / 20 : 0;
                side.Missed = snapshot.Record.Missed;
                side.Known = true;
            }
        }

        foreach (ref RunSample run in accountant.Observation.Runs.Items)
        {
            if (run.Cpu < sides.Length)
            {
                sides[run.Cpu].Shared += run.SharedNanoseconds;
            }
        }
    }

    private sealed class Side
    {
        internal long Wall { get; set; }

        internal long Busy { get; set; }

        internal long Interrupt { get; set; }

        internal long Shared { get; set; }

        internal long Blind { get; set; }

        internal ulong Missed { get; set; }

        internal bool Known { get; set; }
    }
}
