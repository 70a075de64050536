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
            EnergyNode.Leaf("system", "system", "kernel threads and interrupts", ledger.Meters.Sum(meter => meter.SystemActive + (borne * meter.SystemProportional)), null),
            EnergyNode.Leaf("unattributed", "unattributed", "runs unknown", ledger.Meters.Sum(meter => meter.UnattributedActive + (borne * meter.UnattributedProportional)), null),
            EnergyNode.Leaf("idle", "idle", "idle", ledger.Meters.Sum(meter => meter.Idle(policy)), null),
        ];
        if (policy == IdlePolicy.Allocated)
        {
            children.Add(EnergyNode.Leaf("departed", "departed", "static energy of machines that are gone", ledger.Meters.Sum(meter => meter.DepartedAllocated), null));
        }

        if (ledger.Meters.Any(meter => meter.Overhead > 0))
        {
            children.Add(EnergyNode.Leaf("overhead", "overhead", "the hypervisor's overhead", ledger.Meters.Sum(meter => meter.Overhead), null));
        }

        return EnergyTree.Prune(EnergyNode.Parent("host", "host", host, ledger.Meters.Sum(meter => meter.Total), children), depth);
    }

    private static EnergyNode Machine(
        LedgerSnapshot ledger, IdlePolicy policy, ConsumerTotals machine, MachineTotals totals, MachineTotals? before, double seconds)
    {
        bool comparable = before is not null && before.Series == totals.Series;
        List<EnergyNode> parts =
        [
            .. totals.Vcpus.Select(vcpu => EnergyNode.Leaf(
                "vcpu", $"vcpu-{vcpu.Vcpu}", $"vCPU {vcpu.Vcpu}", vcpu.Microjoules,
                comparable ? ApiView.Watts(vcpu.Microjoules - (vcpu.Vcpu < before!.Vcpus.Length ? before.Vcpus[vcpu.Vcpu].Microjoules : 0), seconds) : null) with
            {
                CpuNanoseconds = vcpu.Nanoseconds,
            }),
            EnergyNode.Leaf("overhead", "overhead", "hypervisor, iothreads, vhost, helpers", totals.Overhead,
                comparable ? ApiView.Watts(totals.Overhead - before!.Overhead, seconds) : null),
        ];
        for (int meter = 0; meter < ledger.Meters.Length; meter++)
        {
            Meter of = ledger.Meters[meter].Meter;
            if (!of.Domain.FollowsRuns() && machine.Active[meter] != 0)
            {
                parts.Add(EnergyNode.Leaf("memory", of.Id, of.Id, machine.Active[meter], null));
            }
        }

        if (policy != IdlePolicy.Separate)
        {
            parts.Add(EnergyNode.Leaf("static", "static", "its part of the static energy", machine.TotalStatic(policy), null));
        }

        return EnergyNode.Parent("machine", machine.Id, totals.Name ?? machine.Name, machine.TotalActive + machine.TotalStatic(policy), parts) with
        {
            CpuNanoseconds = machine.CpuNanoseconds,
        };
    }

    // A process may have begun before its machine was known, and machines outlive their processes: what remains of both, and of
    // processes that ended outside of machines, can only be told as a difference. It is never below zero.
    private static EnergyNode Others(LedgerSnapshot ledger, IdlePolicy policy, ConsumerTotals[] machines)
    {
        bool proportional = policy == IdlePolicy.Proportional;
        long Of(ConsumerTotals consumer) => consumer.TotalActive + (proportional ? consumer.TotalProportional : 0);
        HashSet<string> known = [.. machines.Select(machine => machine.Id)];
        ConsumerTotals[] processes = [.. ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Process)];
        ConsumerTotals[] outside = [.. processes.Where(process => process.Machine is null || !known.Contains(process.Machine))];
        long all = processes.Sum(Of) + ledger.Meters.Sum(meter => meter.DepartedActive + (proportional ? meter.DepartedProportional : 0));
        long ended = all - machines.Sum(Of) - outside.Sum(Of);
        List<EnergyNode> children =
        [
            .. outside.Where(process => Of(process) != 0).OrderByDescending(Of).ThenBy(process => process.Id, StringComparer.Ordinal)
                .Select(process => EnergyNode.Leaf("process", process.Id, process.Name, Of(process), null)),
            EnergyNode.Leaf("departed", "departed", "ended processes", ended, null) with { SumsUp = ended >= 0 },
        ];
        return EnergyNode.Parent("processes", "processes", "processes outside of machines", all - machines.Sum(Of), children);
    }
}
