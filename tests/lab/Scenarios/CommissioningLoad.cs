using System.Globalization;

namespace Keck.Lab;

/// <summary>
/// Idle, then several kinds of load on 1, a quarter, half, all cores and all CPUs; then at lower clocks where they can be set; idle
/// again at the end. Loads are the machine's classes as they are, without the spread of real programs.
/// </summary>
internal static class CommissioningLoad
{
    private static readonly InstructionClass[] All =
        [InstructionClass.Integer, InstructionClass.Vector, InstructionClass.PointerChasing, InstructionClass.Streaming, InstructionClass.Crypto, InstructionClass.Web, InstructionClass.Spinning];

    internal static LabLoad Create(LabMachine machine, double seconds, bool few)
    {
        InstructionClass[] kinds = few ? [.. All.Except([InstructionClass.Crypto, InstructionClass.Web])] : All;
        int[] counts = [.. new[] { 1, Math.Max(1, machine.Cores / 4), Math.Max(1, machine.Cores / 2), machine.Cores, machine.Cpus }.Distinct()];
        double[] lower = machine.Settable ? [machine.BaseGigahertz, (machine.MinGigahertz + machine.BaseGigahertz) / 2] : [];
        List<(InstructionClass Kind, int Count, double Cap)> phases = [];
        foreach (InstructionClass kind in kinds)
        {
            phases.AddRange(counts.Select(count => (kind, count, double.MaxValue)));
        }

        foreach (double cap in lower)
        {
            phases.AddRange(kinds.Select(kind => (kind, machine.Cores, cap)));
        }

        double idle = Math.Max(1.5, seconds * 0.08);
        double each = (seconds - (2 * idle)) / phases.Count;
        List<LabConsumer> consumers = [new() { Kind = "system", Id = "kernel", Name = "kernel" }];
        List<LabThread> threads = [];
        List<(double, double)> caps = [(0, double.MaxValue)];
        int pid = 4000;
        foreach (InstructionClass kind in kinds)
        {
            LabConsumer load = new()
            {
                Kind = "process",
                Id = (pid += 1000).ToString(CultureInfo.InvariantCulture),
                Pid = pid,
                Name = $"keck-load {kind}"[..Math.Min(15, $"keck-load {kind}".Length)],
                PssKibibytes = 1 << 20,
            };
            consumers.Add(load);
            for (int cpu = 0; cpu < machine.Cpus; cpu++)
            {
                (double, double)[] script =
                [
                    .. phases.Index().Where(phase => phase.Item.Kind == kind && Order(machine, cpu) < phase.Item.Count)
                        .Select(phase => (idle + (phase.Index * each), idle + ((phase.Index + 1) * each))),
                ];
                threads.Add(new LabThread
                {
                    Owner = load,
                    Tid = pid + cpu,
                    Name = load.Name,
                    Work = [machine.Classes[(int)kind]],
                    IsVector = [kind == InstructionClass.Vector],
                    Demand = 1,
                    Placement = Placement.Pinned,
                    Cpu = cpu,
                    Script = script,
                });
            }
        }

        caps.AddRange(phases.Index().Select(phase => (idle + (phase.Index * each), phase.Item.Cap)));
        caps.Add((seconds - idle, double.MaxValue));
        return new LabLoad { Consumers = consumers, Threads = threads, Caps = caps, InterruptPart = 0.001 };
    }

    // Packages in turn; hyperthreads last, since they are numbered so.
    private static int Order(LabMachine machine, int cpu)
    {
        int core = machine.CoreOf(cpu);
        int place = (core % machine.CoresPerPackage * machine.Packages) + machine.PackageOf(core);
        return place + (cpu / machine.Cores * machine.Cores);
    }
}
