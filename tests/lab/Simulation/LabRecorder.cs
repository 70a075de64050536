using System.Globalization;
using Keck.Metering;

namespace Keck.Lab;

/// <summary>What an agent on the simulated machine sees: counters with their steps and delays, runs, identities.</summary>
internal sealed class LabRecorder
{
    private readonly LabMachine _machine;
    private readonly LabLoad _load;
    private readonly LabRandom _random;
    private readonly LabPhysics _physics;
    private readonly long _tickNanoseconds;
    private readonly CounterMeter[] _packageMeters;
    private readonly CounterMeter[] _dramMeters;
    private readonly SupplyGauge _supply;

    internal LabRecorder(LabMachine machine, LabLoad load, LabRandom random, LabPhysics physics, int tickMilliseconds)
    {
        (_machine, _load, _random, _physics) = (machine, load, random, physics);
        _tickNanoseconds = tickMilliseconds * 1_000_000L;
        _packageMeters = [.. Enumerable.Range(0, machine.Packages).Select(_ => new CounterMeter(machine.QuantumMicrojoules, machine.UpdateNanoseconds))];
        _dramMeters = [.. Enumerable.Range(0, machine.HasDramMeter ? machine.Packages : 0).Select(_ => new CounterMeter(machine.QuantumMicrojoules, machine.UpdateNanoseconds))];
        _supply = new SupplyGauge(machine);
        Header = new TraceHeader
        {
            Host = string.Create(CultureInfo.InvariantCulture, $"{machine.Family}-{machine.Seed}"),
            Source = "simulated",
            Cpu = machine.Cpu,
            Topology = machine.Topology(),
            Meters = [.. Meters()],
        };
        Observation.Topology = Header.Topology;
        Observation.Meters = Header.Meters;
    }

    internal TraceHeader Header { get; }

    internal Observation Observation { get; } = new();

    internal void Begin()
    {
        long tick = Observation.Tick + 1;
        Observation.Begin(tick, Observation.EndNanoseconds);
        Observation.EndNanoseconds = tick * _tickNanoseconds;
    }

    internal void AfterStep()
    {
        double watts = 0;
        foreach (ref PackageState package in _physics.Packages.AsSpan())
        {
            watts += package.Watts + (_machine.HasDramMeter ? package.DramWatts : _machine.DramStaticWatts);
        }

        _supply.Step(_physics.Now, LabSimulation.StepNanoseconds / 1e9, watts);
    }

    internal void End()
    {
        ReadMeters();
        ReadCpus();
        foreach (LabConsumer consumer in _load.Consumers)
        {
            Announce(consumer);
        }

        foreach (LabThread thread in _load.Threads)
        {
            Record(thread);
        }
    }

    private IEnumerable<Meter> Meters()
    {
        for (int package = 0; package < _machine.Packages; package++)
        {
            yield return Counter($"package-{package}", EnergyDomain.Package, package);
        }

        for (int package = 0; package < _dramMeters.Length; package++)
        {
            yield return Counter($"dram-{package}", EnergyDomain.Dram, package);
        }

        yield return new Meter
        {
            Id = "psu-0",
            Domain = EnergyDomain.Platform,
            Origin = EnergyOrigin.Redfish,
            Quality = ReadingQuality.Measured,
            NotSelectedBecause = "packages are attributed; it contains them",
        };
    }

    private Meter Counter(string id, EnergyDomain domain, int package) => new()
    {
        Id = id,
        Domain = domain,
        Package = package,
        Origin = _machine.Origin,
        Quality = ReadingQuality.Measured,
        Selected = true,
        Quantum = new Microjoules((long)_machine.QuantumMicrojoules),
    };

    private void ReadMeters()
    {
        int meter = 0;
        for (int i = 0; i < _packageMeters.Length; i++)
        {
            Read(meter++, _packageMeters[i], _physics.Packages[i].Microjoules, _physics.Packages[i].Watts);
        }

        for (int i = 0; i < _dramMeters.Length; i++)
        {
            Read(meter++, _dramMeters[i], _physics.Packages[i].DramMicrojoules, _physics.Packages[i].DramWatts);
        }

        if (_supply.Read(_physics.Now) is { } milliwatts)
        {
            ref MeterSample sample = ref Observation.MeterSamples.Add();
            (sample.Meter, sample.Microjoules, sample.Milliwatts) = (meter, Unobserved.Value, milliwatts);
            sample.ReadNanoseconds = Observation.EndNanoseconds - 40_000_000;
        }
    }

    private void Read(int meter, CounterMeter counter, double microjoules, double watts)
    {
        long before = _random.Int(5_000, 80_000);
        ref MeterSample sample = ref Observation.MeterSamples.Add();
        (sample.Meter, sample.Milliwatts) = (meter, Unobserved.Value);
        sample.Microjoules = counter.Read(microjoules, watts, before, _random);
        sample.ReadNanoseconds = Observation.EndNanoseconds - before;
    }

    private void ReadCpus()
    {
        for (int cpu = 0; cpu < _machine.Cpus; cpu++)
        {
            ref CpuSample sample = ref Observation.Cpus.Add();
            long busy = _physics.BusyNanoseconds[cpu];
            sample.Cpu = cpu;
            sample.BusyNanoseconds = busy;
            sample.InterruptNanoseconds = _physics.InterruptNanoseconds[cpu];
            sample.IdleNanoseconds = Math.Max(0, _tickNanoseconds - busy - sample.InterruptNanoseconds);
            bool known = _load.HasFrequency && busy > 0;
            sample.KiloHertz = known ? (long)Math.Round(_physics.KiloCycles[cpu] * 1e9 / busy) : Unobserved.Value;
            sample.FrequencyOrigin = known ? FrequencyOrigin.Aperf : FrequencyOrigin.None;
        }
    }

    // Machines and processes appear when they start and go when they end.
    private void Announce(LabConsumer consumer)
    {
        double now = _physics.Now;
        bool here = consumer.StartsAt < now && consumer.EndsAt > now - (_tickNanoseconds / 1e9);
        if (consumer.Pid != 0 && here && consumer.Row < 0)
        {
            consumer.Row = Observation.ProcessTable.FindOrAdd(consumer.Pid, consumer.Pid * 1_000_000L, consumer.Machine is null ? consumer.Name : "qemu-system-x86", kernel: false);
            ref ProcessRow row = ref Observation.ProcessTable[consumer.Row];
            row.PssKibibytes = consumer.PssKibibytes;
            row.Described = true;
            row.Cgroup = consumer.Machine is null ? $"/system.slice/{consumer.Name}.service" : $"/machine.slice/machine-qemu-{consumer.Name}.scope";
            row.Machine = consumer.Machine is null ? -1 : Observation.Machines.Set(consumer.Machine);
        }
        else if (!here && consumer.Row >= 0 && consumer.EndsAt < now && !Observation.ProcessTable[consumer.Row].Ended)
        {
            Observation.ProcessTable[consumer.Row].Ended = true;
            if (consumer.Machine is { } machine)
            {
                _ = Observation.Machines.Set(machine with { Running = false });
            }
        }
    }

    private void Record(LabThread thread)
    {
        if (thread.Runs.Count == 0)
        {
            return;
        }

        if (thread.Row < 0)
        {
            thread.Row = Observation.ThreadTable.Add(Identity(thread));
            ref ThreadRow added = ref Observation.ThreadTable[thread.Row];
            added.Process = thread.Kernel ? Observation.ProcessTable.FindOrAdd(thread.Tid, Start(thread), thread.Name, kernel: true) : thread.Owner.Row;
        }

        ref ThreadSample sample = ref Observation.Threads.Add();
        sample.Row = thread.Row;
        sample.FirstRun = Observation.Runs.Count;
        sample.RunCount = thread.Runs.Count;
        bool counted = _load.HasCounters && thread.Owner.HasCounters;
        sample.Instructions = counted ? (long)thread.InstructionsExact : Unobserved.Value;
        sample.LlcMisses = counted ? (long)thread.MissesExact : Unobserved.Value;
        sample.Cycles = _load.HasCounters ? (long)thread.Cycles : Unobserved.Value;
        foreach (LabThreadRun from in thread.Runs)
        {
            ref RunSample run = ref Observation.Runs.Add();
            run.Cpu = from.Cpu;
            run.Nanoseconds = from.Nanoseconds;
            run.SharedNanoseconds = Math.Min(from.Nanoseconds, (long)from.Shared);
            run.KiloCycles = _load.HasFrequency ? (long)Math.Round(from.KiloCycles) : Unobserved.Value;
        }

        thread.Runs.Clear();
        (thread.InstructionsExact, thread.MissesExact, thread.Cycles) = (0, 0, 0);
    }

    private static long Start(LabThread thread) => (thread.Kernel ? thread.Tid : thread.Owner.Pid) * 1_000_000L;

    private static ThreadRow Identity(LabThread thread) => new()
    {
        Tid = thread.Tid,
        Pid = thread.Kernel ? thread.Tid : thread.Owner.Pid,
        StartNanoseconds = Start(thread) + (thread.Kernel ? 0 : (thread.Tid - thread.Owner.Pid) * 1000L),
        ProcessStartNanoseconds = Start(thread),
        Name = thread.Name,
        Kernel = thread.Kernel,
        Role = thread.Role,
        Vcpu = thread.Vcpu,
    };
}
