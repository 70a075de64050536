namespace Keck.Metering.Tests;

/// <summary>A made-up machine that runs, forks, exits, is read late and loses a CPU: the same for the same seed.</summary>
internal sealed class TraceScenario
{
    private static readonly Meter Slow = new()
    {
        Id = "package-1",
        Domain = EnergyDomain.Package,
        Package = 1,
        Origin = EnergyOrigin.Rapl,
        Quality = ReadingQuality.Measured,
        Selected = true,
    };

    private readonly Random _random;
    private readonly List<int> _processes = [];
    private readonly Dictionary<int, List<int>> _threads = [];
    private long _tick;
    private int _nextPid = 100;

    internal TraceScenario(int seed)
    {
        _random = new Random(seed);
        Observation.Topology = new Topology(Enumerable.Range(0, 4).Select(cpu => new CpuPlace(cpu, cpu / 2, cpu / 2, cpu / 2)), new Kilohertz(2_400_000));
        Observation.Meters =
        [
            Slow with { Id = "package-0", Package = 0, Quantum = new Microjoules(61) },
            Slow,
            Slow with { Id = "dram-0", Domain = EnergyDomain.Dram, Package = 0 },
            Slow with { Id = "gpu-0", Domain = EnergyDomain.Gpu, Package = null, Origin = EnergyOrigin.Nvml, Quality = ReadingQuality.Derived, LowFactor = 0.9, HighFactor = 1.1 },
            Slow with { Id = "psu-0", Domain = EnergyDomain.Platform, Package = null, Selected = false, NotSelectedBecause = "contains package-0" },
        ];
        _ = Observation.Machines.Set(new MachineRow("11111111-2222-4333-8444-555555555555", "vm-1", 2, 1 << 20));
    }

    internal Observation Observation { get; } = new();

    internal TraceHeader Header(AttributorState? state = null) => new()
    {
        Host = "scenario",
        StartedAt = new DateTimeOffset(2026, 11, 23, 22, 0, 0, TimeSpan.Zero),
        Source = "recorded",
        Cpu = new TraceCpu("GenuineIntel", 6, 106, 6, "0xd0003b9", "Xeon \"test\""),
        Topology = Observation.Topology,
        Meters = Observation.Meters,
        Machines = [.. Observation.Machines.InOrder.Select(index => Observation.Machines[index])],
        InitialState = state is null ? null : new TraceInitialState(new AttributionOptions { Alpha = 0.31 }, IdlePolicy.Proportional, state),
    };

    internal void Next()
    {
        long start = Observation.EndNanoseconds;
        Observation.Begin(++_tick, start);
        Observation.EndNanoseconds = start + 90_000_000 + _random.Next(20_000_000);
        if (_tick == 40)
        {
            // A CPU goes away.
            Observation.Topology = new Topology(Observation.Topology.Cpus.Take(3), Observation.Topology.BaseFrequency).Remembering(Observation.Topology);
        }

        ForkAndExit();
        Sample(0, _random.Next(1_000_000, 9_000_000));
        if (_tick % 3 == 0)
        {
            Sample(1, _random.Next(1_000_000, 9_000_000));
        }

        Sample(2, _random.Next(300_000, 900_000));
        if (_tick % 5 == 1)
        {
            ref MeterSample gauge = ref Observation.MeterSamples.Add();
            gauge = new MeterSample { Meter = 3, Microjoules = Unobserved.Value, Milliwatts = _random.Next(20_000, 90_000), ReadNanoseconds = Observation.EndNanoseconds - 7 };
        }

        Run();
    }

    private void Sample(int meter, long microjoules) => Observation.MeterSamples.Add() = new MeterSample
    {
        Meter = meter,
        Microjoules = microjoules,
        Milliwatts = Unobserved.Value,
        ReadNanoseconds = Observation.EndNanoseconds - _random.Next(2_000_000),
        Unattributable = _random.Next(20) == 0,
    };

    private void ForkAndExit()
    {
        while (_processes.Count < 5 || _random.Next(3) == 0)
        {
            int pid = _nextPid++;
            int row = Observation.ProcessTable.FindOrAdd(pid, _tick * 1000, pid % 7 == 0 ? "[odd]" : "p" + pid, kernel: pid % 5 == 0);
            ref ProcessRow process = ref Observation.ProcessTable[row];
            process.PssKibibytes = pid % 5 == 0 ? Unobserved.Value : 1000 * _random.Next(1, 4);
            process.Cgroup = "/a.slice/é<" + (pid % 3);
            process.Machine = pid % 4 == 0 ? 0 : -1;
            _processes.Add(row);
            _threads[row] = [];
            for (int i = 0; i <= pid % 3; i++)
            {
                int thread = Observation.ThreadTable.Add(new ThreadRow
                {
                    Tid = pid + (i * 10_000),
                    Pid = pid,
                    StartNanoseconds = _tick * 1000,
                    Name = "t" + i,
                    Kernel = pid % 5 == 0,
                    Role = pid % 4 == 0 ? ThreadRole.Vcpu : ThreadRole.None,
                    Vcpu = i,
                });
                Observation.ThreadTable[thread].Process = _random.Next(15) == 0 ? -1 : row;
                _threads[row].Add(thread);
            }
        }

        if (_processes.Count > 8)
        {
            int row = _processes[_random.Next(_processes.Count)];
            if (Observation.ProcessTable[row].Ended)
            {
                _ = _processes.Remove(row);
                Observation.ProcessTable.Release(row);
            }
            else
            {
                Observation.ProcessTable[row].Ended = true;
                foreach (int thread in _threads[row])
                {
                    Observation.ThreadTable.End(thread);
                }

                _threads[row].Clear();
            }
        }

        int changed = _processes[_random.Next(_processes.Count)];
        Observation.ProcessTable[changed].PssKibibytes += 8;
    }

    private void Run()
    {
        long[] busy = new long[4];
        foreach (int process in _processes)
        {
            foreach (int thread in _threads[process])
            {
                if (_random.Next(4) == 0)
                {
                    continue;
                }

                ref ThreadSample sample = ref Observation.Threads.Add();
                sample.Row = thread;
                sample.FirstRun = Observation.Runs.Count;
                bool counted = _tick % 7 != 0;
                sample.Instructions = counted ? _random.Next(1, 9_000_000) : Unobserved.Value;
                sample.Cycles = counted ? _random.Next(1, 9_000_000) : Unobserved.Value;
                sample.LlcMisses = counted ? _random.Next(90_000) : Unobserved.Value;
                for (int cpu = _random.Next(4); cpu < 4; cpu += 2)
                {
                    long nanoseconds = _random.Next(9_000_000);
                    Observation.Runs.Add() = new RunSample { Cpu = cpu, Nanoseconds = nanoseconds, SharedNanoseconds = nanoseconds / 3, KiloCycles = counted ? nanoseconds * 29 / 10_000 : Unobserved.Value };
                    busy[cpu] += nanoseconds;
                    sample.RunCount++;
                }
            }
        }

        for (int cpu = 0; cpu < 4; cpu++)
        {
            long lost = _random.Next(3) == 0 ? _random.Next(100_000) : 0;
            Observation.Cpus.Add() = new CpuSample
            {
                Cpu = cpu,
                BusyNanoseconds = busy[cpu] + lost,
                IdleNanoseconds = 1000,
                InterruptNanoseconds = _random.Next(50_000),
                LostNanoseconds = lost,
                KiloHertz = cpu == 3 ? Unobserved.Value : 2_900_000,
                FrequencyOrigin = cpu == 3 ? FrequencyOrigin.None : FrequencyOrigin.Aperf,
            };
        }
    }
}
