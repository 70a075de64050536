using System.Globalization;

namespace Keck.Bpf.Tests;

/// <summary>Does every CPU's time add up, tick by tick, against its own clock?</summary>
[Collection("kernel")]
[Trait("Needs", "bpf")]
public sealed class ClosureTests
{
    [Fact]
    [Trait("Speed", "slow")]
    public void Drain_ForkStorm_EveryTickOfEveryCpuCloses()
    {
        using var accountant = new Accountant();
        using var program = new NativeProgram("storm", "12000");
        List<string> ticks = [];
        long open = 0, wall = 0;
        _ = accountant.DrainUntilAnswer(program, 100, () =>
        {
            for (int cpu = 0; cpu < accountant.Source.LastCpus.Length; cpu++)
            {
                CpuSnapshot c = accountant.Source.LastCpus[cpu];
                if (c.Taken && c.Wall > 0)
                {
                    ticks.Add(string.Create(CultureInfo.InvariantCulture, $"cpu{cpu} wall {c.Wall} open {c.Open} ({c.Open * 1e6 / c.Wall:F1} ppm) unplaced {c.Unplaced} missed {c.Record.Missed} sum {c.OpenSum}"));
                    if (c.Open > 1_000_000) foreach (ref Keck.Metering.ThreadSample t in accountant.Observation.Threads.Items) foreach (ref Keck.Metering.RunSample r in accountant.Observation.Runs.Items.Slice(t.FirstRun, t.RunCount)) ticks.Add(string.Create(CultureInfo.InvariantCulture, $"   run {accountant.Observation.ThreadTable[t.Row].Tid} {accountant.Observation.ThreadTable[t.Row].Name} cpu {r.Cpu} {r.Nanoseconds}"));
                    if (c.Open > 1_000_000) ticks.Add(string.Create(CultureInfo.InvariantCulture, $"  grown {c.Grown} reported {c.Reported} inflight {c.InFlight} slot {c.Record.Slot} rec.clock {c.Record.Clock} instant {c.Instant} last {c.LastInstant} idle {c.LastIdle} behind {c.LastBehind} flushes {c.Record.Flushes} seq {c.Record.Seq}"));
                    open += c.Open;
                    wall += c.Wall;
                }
            }
        });

        File.WriteAllLines("/tmp/bpfdbg/ticks.txt", ticks);
        File.AppendAllText("/tmp/bpfdbg/ticks.txt", $"missed {accountant.Source.MissedSwitches} of {accountant.Source.Switches}, unseen {accountant.Source.UnseenSwitches} unconfirmed {accountant.Source.UnconfirmedCuts} overcharged {accountant.Source.OverchargedNanoseconds} late {accountant.Source.LateDeaths} unplaced {accountant.Source.UnplacedNanoseconds} open {open} wall {wall}\n");
        program.Finish();
    }
}
