using System.Globalization;

namespace Keck.Bpf.Tests;

/// <summary>Does every CPU's time add up, tick by tick, against its own clock?</summary>
[Collection("kernel")]
[Trait("Needs", "bpf")]
public sealed class ClosureTests
{
    private const double Bound = 100; // parts per million of a tick

    public ClosureTests() => Assert.SkipUnless(Accountant.CanRun(), "eBPF accounting is not to be had here: see BpfDoctor");

    /// <summary>
    /// Threads' runs as reported, idle and interrupt time are each measured by themselves. Only in a tick in which the run queue
    /// counted switches that no tracepoint showed may time be missing, and then as much as is on record as unplaced.
    /// </summary>
    [Fact]
    [Trait("Speed", "slow")]
    public void Drain_ForkStorm_EveryTickOfEveryCpuCloses()
    {
        using var accountant = new Accountant();
        using var program = new NativeProgram("storm", "12000");
        int cpus = accountant.Source.LastCpus.Length, ticks = 0, withUnplaced = 0;
        ulong[] missed = new ulong[cpus];
        long[] wall = new long[cpus], open = new long[cpus], unplaced = new long[cpus];
        double worst = 0;
        List<string> wrong = [];
        _ = accountant.DrainUntilAnswer(program, 100, () =>
        {
            for (int cpu = 0; cpu < cpus; cpu++)
            {
                CpuSnapshot c = accountant.Source.LastCpus[cpu];
                if (!c.Taken || c.Wall <= 0)
                {
                    continue;
                }

                bool blind = c.Record.Missed != missed[cpu];
                long rest = c.Open - (blind || c.Unplaced < 0 ? c.Unplaced : 0); // Time may be brought home at a switch that is seen.
                missed[cpu] = c.Record.Missed;
                ticks++;
                withUnplaced += c.Unplaced != 0 ? 1 : 0;
                wall[cpu] += c.Wall;
                open[cpu] += c.Open;
                unplaced[cpu] += c.Unplaced;
                worst = Math.Max(worst, Math.Abs(rest) * 1e6 / c.Wall);
                if (Math.Abs(rest) * 1e6 > Bound * c.Wall)
                {
                    wrong.Add(string.Create(CultureInfo.InvariantCulture, $"cpu {cpu} tick {ticks}: {rest} ns of {c.Wall} open, {c.Unplaced} unplaced, missed {blind}"));
                }
            }
        });
        program.Finish();

        string summary = string.Create(
            CultureInfo.InvariantCulture,
            $"{ticks} ticks, worst {worst:F1} ppm, {withUnplaced} with unplaced time ({string.Join('/', unplaced)} ns of {string.Join('/', wall)}), missed {accountant.Source.MissedSwitches} of {accountant.Source.Switches} switches, unconfirmed {accountant.Source.UnconfirmedCuts}");
        TestContext.Current.SendDiagnosticMessage(summary);
        Assert.True(wrong.Count == 0, string.Join("; ", wrong) + "; " + summary);
        Assert.True(ticks >= 2 * cpus, summary);
        Assert.Equal(0, accountant.Source.UnconfirmedCuts);
        Assert.Equal(0, accountant.Source.LostNanoseconds);
        for (int cpu = 0; cpu < cpus; cpu++)
        {
            // Over all ticks nothing is left but what is on record as unplaced: to the nanosecond.
            Assert.True(open[cpu] == unplaced[cpu], $"cpu {cpu}: {open[cpu]} ns open, {unplaced[cpu]} unplaced; {summary}");
        }
    }
}
