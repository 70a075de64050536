using Keck.Metering;

namespace Keck.Bench;

/// <summary>
/// A made-up busy host: 128 CPUs (2 packages × 32 cores × 2 hyperthreads), a package and a memory meter each,
/// threads that ran on one or two CPUs in the tick, with cycles and counters. Every tick has new figures, from a fixed seed.
/// </summary>
internal sealed class SyntheticHost
{
    private const int Packages = 2;
    private const int CoresEach = 32;
    private const long TickNanoseconds = 500_000_000;
    private const double Utilisation = 0.6;

    private readonly Random _random = new(20261124);
    private readonly (int First, int Second)[] _cpus;
    private readonly int[] _rows;
    private readonly int _processes;

    internal SyntheticHost(int threads, int processes)
    {
        Observation = new Observation { Topology = MakeTopology(), Meters = [.. Enumerable.Range(0, Packages).SelectMany(MakeMeters)] };
        _rows = new int[threads];
        _cpus = new (int, int)[threads];
        _processes = processes;
        int[] processRows = [.. Enumerable.Range(0, processes).Select(index => AddProcess(Observation.ProcessTable, index))];
        for (int i = 0; i < threads; i++)
        {
            int process = processRows[i % processes];
            ref ProcessRow row = ref Observation.ProcessTable[process];
            _rows[i] = Observation.ThreadTable.Add(new ThreadRow
            {
                Tid = 1_000_000 + i,
                Pid = row.Pid,
                StartNanoseconds = 1_000_000L + i,
                ProcessStartNanoseconds = row.StartNanoseconds,
                Name = "worker",
            });
            Observation.ThreadTable[_rows[i]].Process = process;

            // Half of the threads moved once within the tick.
            int cpu = _random.Next(Observation.Topology.CpuLimit);
            _cpus[i] = (cpu, i % 2 == 0 ? -1 : _random.Next(Observation.Topology.CpuLimit));
        }
    }

    internal Observation Observation { get; }

    /// <summary>Fills the observation with the next tick.</summary>
    internal void Next()
    {
        Observation.Begin(Observation.Tick + 1, Observation.EndNanoseconds);
        Observation.EndNanoseconds = Observation.StartNanoseconds + TickNanoseconds;
        long[] busy = new long[Observation.Topology.CpuLimit];
        double mean = TickNanoseconds * Utilisation * busy.Length / _rows.Length;
        for (int i = 0; i < _rows.Length; i++)
        {
            ref ThreadSample thread = ref Observation.Threads.Add();
            thread.Row = _rows[i];
            thread.FirstRun = Observation.Runs.Count;
            long cycles = AddRun(_cpus[i].First, mean, busy);
            if (_cpus[i].Second >= 0)
            {
                cycles += AddRun(_cpus[i].Second, mean, busy);
            }

            thread.RunCount = Observation.Runs.Count - thread.FirstRun;
            thread.Cycles = cycles;
            thread.Instructions = (long)(cycles * (0.3 + (2 * _random.NextDouble())));
            thread.LlcMisses = thread.Instructions / _random.Next(100, 10_000);
        }

        foreach (CpuPlace place in Observation.Topology.Cpus)
        {
            ref CpuSample cpu = ref Observation.Cpus.Add();
            cpu.Cpu = place.Cpu;
            cpu.InterruptNanoseconds = _random.Next(5_000_000);
            cpu.BusyNanoseconds = busy[place.Cpu];
            cpu.IdleNanoseconds = Math.Max(0, TickNanoseconds - busy[place.Cpu] - cpu.InterruptNanoseconds);
            cpu.KiloHertz = 2_000_000 + (place.Core * 10_000);
            cpu.FrequencyOrigin = FrequencyOrigin.Aperf;
        }

        for (int meter = 0; meter < Observation.Meters.Length; meter++)
        {
            ref MeterSample sample = ref Observation.MeterSamples.Add();
            sample.Meter = meter;
            sample.Microjoules = Observation.Meters[meter].Domain == EnergyDomain.Package ? _random.Next(80_000_000, 120_000_000) : _random.Next(8_000_000, 16_000_000);
            sample.Milliwatts = Unobserved.Value;
            sample.ReadNanoseconds = Observation.EndNanoseconds;
        }
    }

    private long AddRun(int cpu, double mean, long[] busy)
    {
        ref RunSample run = ref Observation.Runs.Add();
        run.Cpu = cpu;
        run.Nanoseconds = 10_000 + (long)(-mean * Math.Log(1 - _random.NextDouble()) / 1.5);
        run.SharedNanoseconds = run.Nanoseconds * _random.Next(100) / 100;
        run.KiloCycles = run.Nanoseconds * _random.Next(2_000, 3_500) / 1_000_000;
        busy[cpu] += run.Nanoseconds;
        return run.KiloCycles * 1000;
    }

    /// <summary>The same processes in another table.</summary>
    internal void AddProcesses(ProcessTable into)
    {
        for (int index = 0; index < _processes; index++)
        {
            _ = AddProcess(into, index);
        }
    }

    /// <summary>Puts what a drain does not bring on a tick that was drained: whose the threads are, what the meters said, at which frequencies.</summary>
    internal void Complete(Observation drained)
    {
        foreach (ref ThreadSample thread in drained.Threads.Items)
        {
            ref ThreadRow row = ref drained.ThreadTable[thread.Row];
            if (row.Process < 0)
            {
                row.Process = drained.ProcessTable.FindNewest(row.Pid);
            }
        }

        foreach (ref CpuSample cpu in drained.Cpus.Items)
        {
            (cpu.KiloHertz, cpu.FrequencyOrigin) = (2_000_000 + (Observation.Topology.Place(cpu.Cpu)!.Value.Core * 10_000), FrequencyOrigin.Aperf);
        }

        foreach (ref MeterSample sample in Observation.MeterSamples.Items)
        {
            ref MeterSample into = ref drained.MeterSamples.Add();
            into = sample;
            into.ReadNanoseconds = drained.EndNanoseconds;
        }
    }

    private int AddProcess(ProcessTable table, int index)
    {
        int row = table.FindOrAdd(1_000 + index, 1_000_000L + index, "service", kernel: false);
        ref ProcessRow process = ref table[row];
        process.PssKibibytes = _random.Next(1_000, 1_000_000);
        process.Cgroup = $"/kubepods.slice/pod-{index / 4}/container-{index / 2}";
        process.Container = $"container-{index / 2}";
        process.PodUid = $"pod-{index / 4}";
        return row;
    }

    private static Topology MakeTopology()
    {
        int cores = Packages * CoresEach;
        return new Topology(
            Enumerable.Range(0, 2 * cores).Select(cpu => new CpuPlace(cpu, cpu % cores, cpu % cores / CoresEach, cpu % cores / CoresEach)),
            new Kilohertz(2_000_000));
    }

    private static IEnumerable<Meter> MakeMeters(int package)
    {
        Meter meter = new()
        {
            Id = $"package-{package}",
            Domain = EnergyDomain.Package,
            Package = package,
            Origin = EnergyOrigin.Rapl,
            Quality = ReadingQuality.Measured,
            Selected = true,
            Quantum = new Microjoules(61),
        };
        return [meter, meter with { Id = $"dram-{package}", Domain = EnergyDomain.Dram }];
    }
}
