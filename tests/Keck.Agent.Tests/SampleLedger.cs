using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent.Tests;

/// <summary>
/// Ledgers of a made-up machine: two packages of two hyperthreaded cores, memory on package 0; a web server in a pod, a batch job,
/// the agent itself, a process that ended, a virtual machine. Figures are consistent: every meter's total is the sum of its parts.
/// </summary>
internal static class SampleLedger
{
    internal const string PodUid = "0b5ff0e7-9bb4-4d25-8f31-1dbd0b2d5a30";
    internal const string ContainerId = "3f4e8c1d2b6a907f5e4d3c2b1a0f9e8d7c6b5a493827161504f3e2d1c0b9a877";
    internal const int AgentPid = 900;
    internal const string MachineUuid = "7b0c9a3e-52d1-4a7e-8a55-0d6f1c2b3a49";
    internal const int MachinePid = 1_000;

    internal static readonly Guid Epoch = new("5e1f8a52-6f0c-4f0e-9d3c-2f1b7a9c0d11");

    internal static readonly ImmutableArray<Meter> Meters =
    [
        new() { Id = "package-0", Domain = EnergyDomain.Package, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true, Quantum = new(61) },
        new() { Id = "package-1", Domain = EnergyDomain.Package, Package = 1, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true, Quantum = new(61) },
        new() { Id = "dram-0", Domain = EnergyDomain.Dram, Package = 0, Origin = EnergyOrigin.Estimate, Quality = ReadingQuality.Derived, Selected = true, LowFactor = 0.5, HighFactor = 2 },
    ];

    private static readonly Topology Topology = new(
        Enumerable.Range(0, 8).Select(cpu => new CpuPlace(cpu, cpu % 4, cpu % 4 / 2, cpu % 4 / 2)), new Kilohertz(2_400_000));

    /// <summary>The ledger after so many seconds: everything has grown in proportion.</summary>
    internal static LedgerSnapshot At(long seconds, Guid? epoch = null)
    {
        // (pid, name, active µJ/s on package-0, package-1, dram-0)
        (int Pid, string Name, string? Container, long[] PerSecond)[] processes =
        [
            (700, "nginx", ContainerId, [3_000_001, 1_200_003, 400_001]),
            (800, "batch \"x\"\\\n", null, [7_000_003, 0, 150_007]),
            (AgentPid, "keck-host", null, [12_345, 0, 1_001]),
            (650, "gone", ContainerId, [100_000, 50_000, 0]),
            (MachinePid, "qemu-kvm", null, [2_000_005, 500_001, 300_003]),
        ];
        long[] system = [250_007, 40_001, 0];
        long[] unattributed = [0, 1_003, 0];
        long[] departed = [33_333, 0, 777];
        long[] idle = [20_000_011, 18_000_013, 2_000_017];
        long[] allocated = [5_000_003, 4_000_001, 1_000_007];
        const long AllocatedToDeparted = 5;
        List<ConsumerTotals> consumers = [];
        foreach ((int pid, string name, string? container, long[] perSecond) in processes)
        {
            consumers.Add(Consumer(ConsumerKind.Process, $"{pid}/{pid}000000000", name, Times(perSecond, seconds), seconds) with
            {
                Pid = pid,
                StartNanoseconds = pid * 1_000_000_000L,
                Cgroup = container is null ? "/system.slice/x.service" : "/kubepods.slice/x",
                Container = container,
                PodUid = container is null ? null : PodUid,
                Ended = pid == 650,
                Machine = pid == MachinePid ? MachineUuid : null,
                Instructions = pid == 700 ? 1_000_000 * seconds : null,
                LlcMisses = pid == 700 ? 4_000 * seconds : null,
                PssKibibytes = pid == 800 ? 204_800 : null,
            });
        }

        long[] pod = [.. Enumerable.Range(0, 3).Select(meter => consumers[0].Active[meter] + consumers[3].Active[meter])];
        consumers.Add(Consumer(ConsumerKind.Cgroup, "/system.slice/x.service", "/system.slice/x.service",
            [.. Enumerable.Range(0, 3).Select(meter => consumers[1].Active[meter] + consumers[2].Active[meter] + consumers[4].Active[meter])], seconds));
        consumers.Add(Consumer(ConsumerKind.Container, ContainerId, ContainerId, pod, seconds) with { PodUid = PodUid });
        consumers.Add(Consumer(ConsumerKind.Pod, PodUid, PodUid, pod, seconds));
        consumers.Add(Consumer(ConsumerKind.Machine, MachineUuid, "web-vm", [.. consumers[4].Active], seconds) with { Allocated = [.. Times(allocated, seconds)] });
        long[] shares = [.. Enumerable.Range(0, 3).Select(meter => consumers.Take(5).Sum(process => process.Proportional[meter]))];
        return new LedgerSnapshot
        {
            Epoch = epoch ?? Epoch,
            Tick = seconds * 2,
            StartNanoseconds = 1_000_000_000_000,
            EndNanoseconds = 1_000_000_000_000 + (seconds * 1_000_000_000),
            Model = ModelKind.FrequencyWeighted,
            Topology = Topology,
            Meters =
            [
                .. Meters.Select((meter, index) => new MeterTotals
                {
                    Meter = meter,
                    Current = true,
                    Total = (processes.Sum(process => process.PerSecond[index]) + system[index] + unattributed[index] + departed[index] + idle[index]) * seconds,
                    Static = idle[index] * seconds,
                    SystemActive = system[index] * seconds,
                    SystemProportional = seconds,
                    UnattributedActive = unattributed[index] * seconds,
                    UnattributedProportional = 2 * seconds,
                    DepartedActive = departed[index] * seconds,
                    DepartedProportional = 3 * seconds,
                    IdleSeparate = idle[index] * seconds,
                    IdleProportional = (idle[index] * seconds) - (6 * seconds) - shares[index],
                    IdleAllocated = (idle[index] - allocated[index] - AllocatedToDeparted) * seconds,
                    DepartedAllocated = AllocatedToDeparted * seconds,
                    SystemBounds = Bounds(system[index], seconds),
                    UnattributedBounds = Bounds(unattributed[index], seconds),
                    DepartedBounds = Bounds(departed[index], seconds),
                    IdleBounds = new() { SystematicBelow = idle[index] * 0.05 * seconds, SystematicAbove = idle[index] * 0.05 * seconds },
                    Readings = seconds * 2,
                }),
            ],
            Machines =
            [
                new MachineTotals
                {
                    Uuid = MachineUuid,
                    Name = "web-vm",
                    SizedVcpus = 2,
                    MemoryKibibytes = 2_097_152,
                    Running = true,
                    Series = 3,
                    Vcpus = [new(0, 1_500_001 * seconds, 400_000_000 * seconds), new(1, 700_003 * seconds, 150_000_000 * seconds)],
                    Overhead = 300_002 * seconds,
                },
            ],
            Consumers = [.. consumers],
            Cores = Cores(consumers, seconds, system, unattributed, departed),
        };
    }

    /// <summary>
    /// The same with two more meters: of static energy alone, as a guest's budget has, off by a fifth; and of package 0 from before this
    /// agent could read RAPL, under the same id.
    /// </summary>
    internal static LedgerSnapshot WithStaticAndEarlierMeter(LedgerSnapshot ledger)
    {
        const long Borne = 1_000_000, Earlier = 5_000_000;
        ConsumerTotals[] processes = [.. ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Process)];
        long shared = (processes.Length + 2) * Borne, idle = 10 * Borne;
        MeterTotals fixedMeter = new()
        {
            Meter = new() { Id = "static", Domain = EnergyDomain.Static, Origin = EnergyOrigin.Budget, Quality = ReadingQuality.Derived, Selected = true },
            Current = true,
            Total = shared + idle,
            Static = shared + idle,
            SystemProportional = Borne,
            UnattributedProportional = Borne,
            IdleSeparate = shared + idle,
            IdleProportional = idle,
            IdleAllocated = shared + idle,
            IdleBounds = new() { SystematicBelow = (shared + idle) * 0.2, SystematicAbove = (shared + idle) * 0.2 },
            Below = (shared + idle) / 5,
            Above = (shared + idle) / 5,
        };
        MeterTotals earlier = new()
        {
            Meter = Meters[0] with { Origin = EnergyOrigin.Estimate, Quality = ReadingQuality.Derived, LowFactor = 0.5, HighFactor = 2 },
            Total = processes.Length * Earlier,
        };
        return ledger with
        {
            Meters = [.. ledger.Meters, fixedMeter, earlier],
            Consumers = [.. ledger.Consumers.Select(consumer => Array.IndexOf(processes, consumer) >= 0
                ? consumer with { Active = [.. consumer.Active, 0, Earlier], Proportional = [.. consumer.Proportional, Borne, 0] }
                : consumer with { Active = [.. consumer.Active, 0, 0], Proportional = [.. consumer.Proportional, 0, 0], Allocated = consumer.Allocated.IsEmpty ? [] : [.. consumer.Allocated, 0, 0] })],
            Cores = [.. ledger.Cores, .. processes.Select(process => new CoreTotals(process.Id, "process", 0, 1, Earlier, 1_000, null))],
        };
    }

    private static ImmutableArray<CoreTotals> Cores(List<ConsumerTotals> consumers, long seconds, long[] system, long[] unattributed, long[] departed)
    {
        List<CoreTotals> rows = [];
        foreach (ConsumerTotals process in consumers.Take(5))
        {
            for (int package = 0; package < 2; package++)
            {
                long active = process.Active[package];
                if (active > 0)
                {
                    // One part on each hyperthread of the package's first core; a little whose CPU is not known.
                    long first = active / 3;
                    long unknown = process.Pid == 800 ? 17 : 0;
                    rows.Add(new(process.Id, "process", package, package * 2, first, 400_000_000 * seconds, 1_160_000 * seconds)
                    {
                        Instructions = process.Instructions / 2,
                        LlcMisses = process.LlcMisses / 2,
                    });
                    rows.Add(new(process.Id, "process", package, (package * 2) + 4, active - first - unknown, 200_000_000 * seconds, null));
                    if (unknown > 0)
                    {
                        rows.Add(new(process.Id, "process", package, -1, unknown, 0, null));
                    }
                }
            }
        }

        for (int package = 0; package < 2; package++)
        {
            rows.Add(new(null, "system", package, package * 2, system[package] * seconds, 1_000_000 * seconds, null));
            rows.Add(new(null, "unattributed", package, -1, unattributed[package] * seconds, 0, null));
            rows.Add(new(null, "departed", package, (package * 2) + 1, departed[package] * seconds, 2_000_000 * seconds, null));
        }

        return [.. rows.OrderBy(row => row.Cpu)];
    }

    private static ConsumerTotals Consumer(ConsumerKind kind, string id, string name, long[] active, long seconds) => new()
    {
        Kind = kind,
        Id = id,
        Name = name,
        Active = [.. active],
        Proportional = [.. active.Select(part => part / 1_000)],
        Bounds = Bounds(active.Sum() / seconds, seconds),
        CpuNanoseconds = 600_000_000 * seconds,
    };

    private static BoundSample Bounds(long perSecond, long seconds) =>
        new() { SystematicBelow = perSecond * seconds * 0.1, SystematicAbove = perSecond * seconds * 0.2, RandomSquare = 1e6 * seconds };

    private static long[] Times(long[] perSecond, long seconds) => Array.ConvertAll(perSecond, part => part * seconds);
}
