using System.Collections.Immutable;
using Keck.Agent;
using Keck.Metering;

namespace Keck.Host.Tests;

/// <summary>
/// A host of so many virtual machines with two vCPUs each, as an engine sees it: a package and a memory meter; every machine runs
/// by its own pattern. The clock goes on over restarts of the agent, as a machine's does.
/// </summary>
internal sealed class MadeUpMachines(int machines) : IRunSource, IMeterFeed, IWorkloads
{
    internal const int Vcpus = 2;
    internal const int FirstPid = 1_000;
    private const int PidsEach = 10;

    private static readonly ImmutableArray<Meter> TwoMeters =
    [
        new() { Id = "package-0", Domain = EnergyDomain.Package, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true, Quantum = new(61) },
        new() { Id = "dram-0", Domain = EnergyDomain.Dram, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true, Quantum = new(61) },
    ];

    private readonly Clock _clock = new();
    private bool _known;
    private int _samples;

    private MadeUpMachines(int machines, Clock clock)
        : this(machines) => _clock = clock;

    public string Name => "made-up";

    /// <summary>How long a tick is, ns.</summary>
    internal long TickNanoseconds { get; set; } = 1_000_000_000;

    public Topology Topology { get; } = new(Enumerable.Range(0, 4).Select(cpu => new CpuPlace(cpu, cpu, 0, 0)), null);

    /// <summary>All energy that the meters counted while an agent looked, µJ.</summary>
    internal long Given => _clock.Given;

    internal static string Uuid(int machine) => $"00000000-0000-4000-8000-{machine:x12}";

    internal static int Pid(int machine) => FirstPid + (machine * PidsEach);

    /// <summary>The same host after the agent was started again.</summary>
    internal MadeUpMachines Again() => new(machines, _clock) { TickNanoseconds = TickNanoseconds };

    public void Drain(Observation into)
    {
        into.EndNanoseconds = _clock.Advance(TickNanoseconds);
        if (!_known)
        {
            _known = true;
            for (int machine = 0; machine < machines; machine++)
            {
                // Two vCPUs and QEMU's main loop.
                for (int thread = 0; thread <= Vcpus; thread++)
                {
                    _ = into.ThreadTable.Add(new ThreadRow
                    {
                        Tid = Pid(machine) + thread,
                        Pid = Pid(machine),
                        StartNanoseconds = Pid(machine),
                        ProcessStartNanoseconds = Pid(machine),
                        Name = thread == Vcpus ? "qemu" : $"CPU {thread}/KVM",
                    });
                }
            }
        }

        Span<ThreadRow> rows = into.ThreadTable.Rows;
        Span<long> busy = stackalloc long[4];
        for (int row = 0; row < rows.Length; row++)
        {
            long nanoseconds = 1_000 * (1 + ((_clock.Ticks * (row + 3)) % 97)) * (1 + (row % 3));
            into.Threads.Add() = new ThreadSample
            {
                Row = row,
                FirstRun = into.Runs.Count,
                RunCount = 1,
                Instructions = Unobserved.Value,
                Cycles = Unobserved.Value,
                LlcMisses = Unobserved.Value,
            };
            into.Runs.Add() = new RunSample { Cpu = row % 4, Nanoseconds = nanoseconds, KiloCycles = Unobserved.Value };
            busy[row % 4] += nanoseconds;
        }

        for (int cpu = 0; cpu < 4; cpu++)
        {
            into.Cpus.Add() = new CpuSample
            {
                Cpu = cpu,
                BusyNanoseconds = busy[cpu],
                IdleNanoseconds = Math.Max(0, TickNanoseconds - busy[cpu]),
                KiloHertz = Unobserved.Value,
            };
        }
    }

    public void Sample(Observation observation)
    {
        observation.Meters = TwoMeters;
        if (_samples++ == 0)
        {
            return;
        }

        for (int meter = 0; meter < TwoMeters.Length; meter++)
        {
            long microjoules = 10_000_019 + (_clock.Ticks % 13 * 777_001);
            _clock.Given += microjoules;
            observation.MeterSamples.Add() = new MeterSample
            {
                Meter = meter,
                Microjoules = microjoules,
                Milliwatts = Unobserved.Value,
                ReadNanoseconds = observation.EndNanoseconds,
            };
        }
    }

    public void Resolve(Observation observation)
    {
        foreach (int added in observation.ThreadTable.Added)
        {
            ref ThreadRow thread = ref observation.ThreadTable[added];
            int machine = (thread.Pid - FirstPid) / PidsEach;
            int process = observation.ProcessTable.FindOrAdd(thread.Pid, thread.ProcessStartNanoseconds, $"qemu-{machine}", kernel: false);
            observation.ProcessTable[process].Machine = observation.Machines.Set(new MachineRow(Uuid(machine), $"vm-{machine}", Vcpus, 1 << 20));
            observation.ProcessTable[process].PssKibibytes = 1_000 * (1 + machine);
            (thread.Process, thread.Vcpu) = (process, thread.Tid - thread.Pid);
            thread.Role = thread.Vcpu < Vcpus ? ThreadRole.Vcpu : ThreadRole.Emulator;
        }
    }

    public void Forget(int process)
    {
    }

    private sealed class Clock
    {
        private long _now = 1_000_000_000_000;

        internal long Ticks { get; private set; }

        internal long Given { get; set; }

        internal long Advance(long by)
        {
            Ticks++;
            return _now += by;
        }
    }
}
