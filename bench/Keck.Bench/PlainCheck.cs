using System.Diagnostics;
using Keck.Metering;

namespace Keck.Bench;

/// <summary>Whether the plain attribution and ours say the same: a ratio between two different results would mean nothing.</summary>
internal static class PlainCheck
{
    internal static void AssertEqual(Observation observation, EnergyLedger ledger, PlainAttribution plain)
    {
        LedgerSnapshot snapshot = ledger.Snapshot();
        Assert(snapshot.Model == ModelKind.FullModel, "model", "");
        foreach (MeterTotals meter in snapshot.Meters)
        {
            Assert(plain.Meters[meter.Meter.Id] == (meter.Total, meter.Static, meter.SystemActive, meter.IdleSeparate, meter.IdleProportional), "meter", meter.Meter.Id);
        }

        int consumers = 0;
        foreach (ConsumerTotals consumer in snapshot.Consumers)
        {
            consumers++;
            for (int meter = 0; meter < snapshot.Meters.Length; meter++)
            {
                (long, long) expected = plain.Consumers.GetValueOrDefault((consumer.Kind, consumer.Id, snapshot.Meters[meter].Meter.Id));
                Assert(expected == (consumer.Active[meter], consumer.Proportional[meter]), "consumer", consumer.Id);
            }

            (BoundSample bounds, long nanoseconds, long instructions, long misses) = plain.Usage[(consumer.Kind, consumer.Id)];
            Assert((nanoseconds, instructions, misses) == (consumer.CpuNanoseconds, consumer.Instructions, consumer.LlcMisses), "usage", consumer.Id);

            // Bounds are floating-point sums in another order.
            Assert(Near(bounds.SystematicBelow, consumer.Bounds.SystematicBelow) && Near(bounds.SystematicAbove, consumer.Bounds.SystematicAbove) && Near(bounds.RandomSquare, consumer.Bounds.RandomSquare), "bounds", consumer.Id);
        }

        Assert(consumers == plain.Usage.Count, "number of consumers", consumers.ToString(System.Globalization.CultureInfo.InvariantCulture));
        foreach (CoreTotals core in snapshot.Cores)
        {
            int owner = core.ProcessId is { } id ? observation.ProcessTable.Find(int.Parse(id.AsSpan(0, id.IndexOf('/')), System.Globalization.CultureInfo.InvariantCulture), long.Parse(id.AsSpan(id.IndexOf('/') + 1), System.Globalization.CultureInfo.InvariantCulture)) : Leaf.SystemOwner;
            Assert(plain.Cores[(owner, core.Package, core.Cpu)] == (core.Microjoules, core.Nanoseconds, core.KiloCycles ?? 0), "core", $"{core}");
        }

        Assert(snapshot.Cores.Length == plain.Cores.Count, "number of cores", "");
        foreach (ref ProcessRow process in observation.ProcessTable.Rows[..Math.Min(500, observation.ProcessTable.Rows.Length)])
        {
            foreach (ThreadTotals thread in ledger.Threads(process.Pid))
            {
                Assert(plain.Threads[(thread.Tid, thread.StartNanoseconds)] == (thread.Microjoules, thread.CpuNanoseconds), "thread", $"{thread.Tid}");
            }
        }
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-9 * Math.Max(Math.Abs(a), Math.Abs(b));

    private static void Assert(bool equal, string what, string id)
    {
        if (!equal)
        {
            throw new UnreachableException($"the plain attribution differs: {what} {id}");
        }
    }
}
