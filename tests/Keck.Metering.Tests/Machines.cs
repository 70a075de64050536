namespace Keck.Metering.Tests;

/// <summary>Observations of made-up machines.</summary>
internal static class Machines
{
    internal static Topology Topology(int packages, int coresEach, bool smt = false)
    {
        var places = new List<CpuPlace>();
        int cores = packages * coresEach;
        for (int core = 0; core < cores; core++)
        {
            places.Add(new CpuPlace(core, core, core / coresEach, core / coresEach));
            if (smt)
            {
                places.Add(new CpuPlace(cores + core, core, core / coresEach, core / coresEach));
            }
        }

        return new Topology(places, new Kilohertz(2_400_000));
    }

    internal static Meter Package(int package, bool selected = true) => new()
    {
        Id = $"package-{package}",
        Domain = EnergyDomain.Package,
        Package = package,
        Origin = EnergyOrigin.Rapl,
        Quality = ReadingQuality.Measured,
        Selected = selected,
        Quantum = new Microjoules(61),
    };

    internal static Meter Dram(int package) => Package(package) with { Id = $"dram-{package}", Domain = EnergyDomain.Dram };

    internal static Observation Observation(Topology topology, params Meter[] meters) =>
        new() { Topology = topology, Meters = [.. meters] };

    internal static int Process(this Observation observation, int pid, long pss = -1, string? cgroup = null, string? container = null, string? pod = null)
    {
        int row = observation.ProcessTable.FindOrAdd(pid, pid * 1_000L, $"process-{pid}", kernel: false);
        ref ProcessRow process = ref observation.ProcessTable[row];
        process.PssKibibytes = pss;
        process.Cgroup = cgroup;
        process.Container = container;
        process.PodUid = pod;
        return row;
    }

    internal static int Thread(this Observation observation, int tid, int process, bool kernel = false)
    {
        int row = observation.ThreadTable.Add(new ThreadRow { Tid = tid, Pid = kernel ? tid : observation.ProcessTable[process].Pid, StartNanoseconds = tid, Name = $"thread-{tid}", Kernel = kernel });
        observation.ThreadTable[row].Process = process;
        return row;
    }

    internal static void Run(this Observation observation, int thread, params (int Cpu, long Nanoseconds, long KiloCycles)[] runs)
    {
        ref ThreadSample sample = ref observation.Threads.Add();
        sample.Row = thread;
        sample.FirstRun = observation.Runs.Count;
        sample.RunCount = runs.Length;
        (sample.Instructions, sample.Cycles, sample.LlcMisses) = (Unobserved.Value, Unobserved.Value, Unobserved.Value);
        foreach ((int cpu, long nanoseconds, long kiloCycles) in runs)
        {
            ref RunSample run = ref observation.Runs.Add();
            (run.Cpu, run.Nanoseconds, run.KiloCycles) = (cpu, nanoseconds, kiloCycles);
        }
    }

    /// <summary>Adds the CPU samples that the runs so far imply.</summary>
    internal static void CloseCpus(this Observation observation, long interruptEach = 0, long lostEach = 0)
    {
        foreach (CpuPlace place in observation.Topology.Cpus)
        {
            long busy = 0;
            foreach (ref RunSample run in observation.Runs.Items)
            {
                busy += run.Cpu == place.Cpu ? run.Nanoseconds : 0;
            }

            ref CpuSample cpu = ref observation.Cpus.Add();
            cpu.Cpu = place.Cpu;
            cpu.BusyNanoseconds = busy + lostEach;
            cpu.LostNanoseconds = lostEach;
            cpu.InterruptNanoseconds = interruptEach;
            cpu.IdleNanoseconds = Math.Max(0, observation.Length.Nanoseconds - busy - lostEach - interruptEach);
            cpu.KiloHertz = Unobserved.Value;
        }
    }

    internal static void Read(this Observation observation, int meter, long microjoules, bool unattributable = false)
    {
        ref MeterSample sample = ref observation.MeterSamples.Add();
        (sample.Meter, sample.Microjoules, sample.Milliwatts) = (meter, microjoules, Unobserved.Value);
        (sample.ReadNanoseconds, sample.Unattributable) = (observation.EndNanoseconds, unattributable);
    }

    internal static void ReadGauge(this Observation observation, int meter, long milliwatts)
    {
        ref MeterSample sample = ref observation.MeterSamples.Add();
        (sample.Meter, sample.Microjoules, sample.Milliwatts) = (meter, Unobserved.Value, milliwatts);
        sample.ReadNanoseconds = observation.EndNanoseconds;
    }

    /// <summary>Starts the next tick, of this length.</summary>
    internal static void Next(this Observation observation, long nanoseconds)
    {
        observation.Begin(observation.Tick + 1, observation.EndNanoseconds);
        observation.EndNanoseconds = observation.StartNanoseconds + nanoseconds;
    }
}
