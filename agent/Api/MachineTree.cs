using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// The ledger as a tree of virtual machines: host → machines → vCPUs, overhead, memory, static energy; beside them the processes
/// outside of machines, and who else owns energy. Pure; every node's children add up to it, or it says that they do not.
/// </summary>
internal static class MachineTree
{
    /// <summary>Builds the tree.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="policy">Who bears static energy.</param>
    /// <param name="depth">Levels below the host that are shown.</param>
    /// <param name="host">Name of the root.</param>
    /// <param name="earlier">The ledger of an earlier moment in the same epoch, for watts; null for none.</param>
    internal static EnergyNode Build(LedgerSnapshot ledger, IdlePolicy policy, int depth, string host, LedgerSnapshot? earlier)
    {
        Dictionary<string, MachineTotals> totals = ledger.Machines.ToDictionary(machine => machine.Uuid);
        Dictionary<string, MachineTotals> before = earlier?.Machines.ToDictionary(machine => machine.Uuid) ?? [];
        double seconds = earlier is null ? 0 : (ledger.EndNanoseconds - earlier.EndNanoseconds) / 1e9;
        ConsumerTotals[] machines = [.. ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Machine && totals.ContainsKey(consumer.Id))];
        long borne = policy == IdlePolicy.Proportional ? 1 : 0;
        List<EnergyNode> children =
        [
            .. machines.Select(machine => Machine(ledger, policy, machine, totals[machine.Id], before.GetValueOrDefault(machine.Id), seconds))
                .OrderByDescending(node => node.EnergyMicrojoules).ThenBy(node => node.Id, StringComparer.Ordinal),
            Others(ledger, policy, machines),
            EnergyNode.Leaf("system", "system", "kernel threads and interrupts", Sum(ledger, meter => meter.Bearing(meter.SystemActive, borne * meter.SystemProportional, meter.SystemBounds))),
            EnergyNode.Leaf("unattributed", "unattributed", "runs unknown", Sum(ledger, meter => meter.Bearing(meter.UnattributedActive, borne * meter.UnattributedProportional, meter.UnattributedBounds))),
            EnergyNode.Leaf("idle", "idle", "idle", Sum(ledger, meter => Static(meter, meter.Idle(policy)))),
        ];
        if (policy == IdlePolicy.Allocated)
        {
            children.Add(EnergyNode.Leaf("departed", "departed", "static energy of machines that are gone", Sum(ledger, meter => Static(meter, meter.DepartedAllocated))));
        }

        if (ledger.Meters.Any(meter => meter.Overhead > 0))
        {
            children.Add(EnergyNode.Leaf("overhead", "overhead", "the hypervisor's overhead", Sum(ledger, meter => new EnergyFigure(
                meter.Overhead, meter.Common(meter.Overhead), default))));
        }

        return EnergyTree.Prune(EnergyNode.Parent("host", "host", host, Sum(ledger, meter => new EnergyFigure(meter.Total, meter.TotalBounds, default)), children), depth);
    }

    // A figure of each meter, summed; a meter without a part in it is not one of its sources.
    private static EnergyFigure Sum(LedgerSnapshot ledger, Func<MeterTotals, EnergyFigure> figure) => EnergyFigure.Sum(ledger.Meters.Select(meter =>
        figure(meter) is { Microjoules: not 0 } part ? part with { Sources = EnergySources.Of(meter.Meter) } : default));

    private static EnergyFigure Static(MeterTotals meter, long microjoules) => new(microjoules, meter.StaticBounds(microjoules), default);

    private static EnergyNode Machine(
        LedgerSnapshot ledger, IdlePolicy policy, ConsumerTotals machine, MachineTotals totals, MachineTotals? before, double seconds)
    {
        bool comparable = before is not null && before.Series == totals.Series;
        EnergyRate? Since(long now, long then) => comparable ? new EnergyRate(now - then, seconds) : null;
        EnergySources runs = EnergySources.Of(ledger.Meters, meter => ledger.Meters[meter].Meter.Domain.FollowsRuns() ? machine.Active[meter] : 0);
        Divisible divisible = machine.Divide(ledger);
        EnergyFigure Part(long microjoules, EnergySources sources, EnergyRate? rate = null) =>
            new(microjoules, divisible.Part(microjoules), sources, rate);
        List<EnergyNode> parts =
        [
            .. totals.Vcpus.Select(vcpu => EnergyNode.Leaf("vcpu", $"vcpu-{vcpu.Vcpu}", $"vCPU {vcpu.Vcpu}", Part(
                vcpu.Microjoules, runs, Since(vcpu.Microjoules, vcpu.Vcpu < before?.Vcpus.Length ? before.Vcpus[vcpu.Vcpu].Microjoules : 0))) with
            {
                CpuNanoseconds = vcpu.Nanoseconds,
            }),
            EnergyNode.Leaf("overhead", "overhead", "hypervisor, iothreads, vhost, helpers", Part(totals.Overhead, runs, Since(totals.Overhead, before?.Overhead ?? 0))),
        ];
        for (int meter = 0; meter < ledger.Meters.Length; meter++)
        {
            Meter of = ledger.Meters[meter].Meter;
            if (!of.Domain.FollowsRuns() && machine.Active[meter] != 0)
            {
                parts.Add(EnergyNode.Leaf("memory", of.Id, of.Id, Part(machine.Active[meter], EnergySources.Of(of))));
            }
        }

        EnergyFigure whole = machine.Figure(ledger, policy);
        if (policy != IdlePolicy.Separate)
        {
            parts.Add(EnergyNode.Leaf("static", "static", "its part of the static energy", machine.StaticFigure(ledger, policy)));
        }

        return EnergyNode.Parent("machine", machine.Id, totals.Name ?? machine.Name, whole, parts) with { CpuNanoseconds = machine.CpuNanoseconds };
    }

    // A process may have begun before its machine was known, and machines outlive their processes: what remains of both, and of
    // processes that ended outside of machines, can only be told as a difference. It is never below zero.
    private static EnergyNode Others(LedgerSnapshot ledger, IdlePolicy policy, ConsumerTotals[] machines)
    {
        bool proportional = policy == IdlePolicy.Proportional;
        long Of(ConsumerTotals consumer) => consumer.TotalActive + (proportional ? consumer.TotalProportional : 0);
        BoundSample bounds = default;
        foreach (MeterTotals meter in ledger.Meters)
        {
            bounds.Add(meter.Bearing(meter.DepartedActive, proportional ? meter.DepartedProportional : 0, meter.DepartedBounds).Bounds);
        }

        HashSet<string> known = [.. machines.Select(machine => machine.Id)];
        ConsumerTotals[] processes = [.. ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Process)];
        ConsumerTotals[] outside = [.. processes.Where(process => process.Machine is null || !known.Contains(process.Machine))];
        long all = processes.Sum(Of) + ledger.Meters.Sum(meter => meter.DepartedActive + (proportional ? meter.DepartedProportional : 0));
        long ended = all - machines.Sum(Of) - outside.Sum(Of);
        IdlePolicy borne = proportional ? policy : IdlePolicy.Separate;
        EnergySources sources = EnergySources.Of(ledger.Meters, meter => ledger.Meters[meter].DepartedActive);
        EnergyFigure gone = new(ended, bounds, sources);
        List<EnergyNode> children =
        [
            .. outside.Where(process => Of(process) != 0).OrderByDescending(Of).ThenBy(process => process.Id, StringComparer.Ordinal)
                .Select(process => EnergyNode.Leaf("process", process.Id, process.Name, process.Figure(ledger, borne))),
            EnergyNode.Leaf("departed", "departed", "ended processes", gone) with { SumsUp = ended >= 0 },
        ];
        EnergyFigure whole = EnergyFigure.Sum([.. outside.Select(process => process.Figure(ledger, borne)), gone]);
        return EnergyNode.Parent("processes", "processes", "processes outside of machines", whole with { Microjoules = all - machines.Sum(Of) }, children);
    }
}
