using System.Globalization;
using Keck.Metering;

namespace Keck.Lab;

/// <summary>Draws machines, processes and kernel threads for a scenario.</summary>
internal sealed class LoadBuilder
{
    private static readonly InstructionClass[] All =
    [
        InstructionClass.Integer, InstructionClass.Vector, InstructionClass.PointerChasing, InstructionClass.Streaming,
        InstructionClass.Crypto, InstructionClass.Web, InstructionClass.Spinning,
    ];

    private readonly LabMachine _machine;
    private readonly string _scenario;
    private readonly double _seconds;
    private readonly LabRandom _random;
    private readonly List<LabConsumer> _consumers = [];
    private readonly List<LabThread> _threads = [];
    private int _pid = 1000;
    private int _nextPin;

    internal LoadBuilder(LabMachine machine, string scenario, int run, double seconds)
    {
        (_machine, _scenario, _seconds) = (machine, scenario, seconds);
        _random = new LabRandom("load", machine.Family, machine.Seed.ToString(CultureInfo.InvariantCulture), scenario, run.ToString(CultureInfo.InvariantCulture));
    }

    internal LabLoad Build()
    {
        LabConsumer kernel = new() { Kind = "system", Id = "kernel", Name = "kernel" };
        _consumers.Add(kernel);
        AddKernel(kernel);

        // How many CPUs' worth of threads want to run.
        double target = _machine.Cpus * _scenario switch
        {
            "overcommitted" => _random.Between(1.4, 2.2),
            "never-idle" => _random.Between(0.5, 0.8),
            "smt-heavy" => 0.92,
            "memory-bound" => 0.55,
            "bursty" => 0.45,
            _ => _random.Between(0.4, 0.6),
        };
        double wanted = 0;
        int number = 0;
        while (wanted < target)
        {
            wanted += number % 4 == 3 ? AddProcess(++number) : AddMachine(++number);
        }

        if (_scenario == "never-idle")
        {
            AddSoakers();
        }

        bool blind = _scenario is "no-counters" or "no-frequency";
        return new LabLoad
        {
            Consumers = _consumers,
            Threads = _threads,
            HasCounters = !blind,
            HasFrequency = _scenario != "no-frequency",
            InterruptPart = _random.Between(0.001, 0.008),
        };
    }

    private void AddKernel(LabConsumer kernel)
    {
        ClassPhysics work = _machine.Classes[(int)InstructionClass.Kernel];
        for (int cpu = 0; cpu < _machine.Cpus; cpu++)
        {
            if (cpu % 4 == 0)
            {
                int tid = 20 + cpu;
                _threads.Add(new LabThread
                {
                    Owner = kernel,
                    Tid = tid,
                    Name = $"kworker/{cpu}:1",
                    Kernel = true,
                    Work = [work.Vary(_random, 0.1)],
                    IsVector = [false],
                    Pattern = DemandPattern.Wavy,
                    Demand = _random.Between(0.001, 0.008),
                    Placement = Placement.Pinned,
                    Cpu = cpu,
                });
            }
        }
    }

    private double AddMachine(int number)
    {
        int largest = Math.Max(2, _machine.Cpus / 4);
        int vcpus = Math.Min(largest, _random.Pick(1, 2, 2, 4, 4, 8));
        long memory = vcpus * (_random.Pick(1L, 2L, 4L) << 20);
        (double start, double end) = Life();
        int home = _random.Int(0, _machine.Packages);
        string uuid = Uuid(), name = $"vm-{number}";
        LabConsumer owner = new()
        {
            Kind = "machine",
            Id = uuid,
            Name = name,
            Pid = _pid += 17,
            HomePackage = home,
            PssKibibytes = (long)(memory * _random.Between(0.3, 1)),
            StartsAt = start,
            EndsAt = end,
            HasCounters = HasCounters(),
            Machine = new MachineRow(uuid, name, vcpus, memory),
        };
        _consumers.Add(owner);
        Style style = Draw();
        for (int v = 0; v < vcpus; v++)
        {
            Add(owner, style, owner.Pid + 2 + v, $"CPU {v}/KVM", ThreadRole.Vcpu, v, style.Demand);
        }

        ClassPhysics kernel = _machine.Classes[(int)InstructionClass.Kernel];
        Style quiet = new(DemandPattern.Wavy, Placement.Floating, [kernel], [false], 0, 1, 0.5);
        Add(owner, quiet, owner.Pid, "qemu-system-x86", ThreadRole.Emulator, 0, _random.Between(0.001, 0.01));
        if (_random.Unit() < 0.5)
        {
            Add(owner, quiet, owner.Pid + 12, $"vhost-{owner.Pid}", ThreadRole.Vhost, 0, _random.Between(0.002, 0.05));
        }

        return vcpus * style.Demand * (style.Pattern == DemandPattern.Bursty ? style.OnPart : 1);
    }

    private double AddProcess(int number)
    {
        (double start, double end) = Life();
        LabConsumer owner = new()
        {
            Kind = "process",
            Id = (_pid += 17).ToString(CultureInfo.InvariantCulture),
            Name = $"job-{number}",
            Pid = _pid,
            HomePackage = _random.Int(0, _machine.Packages),
            PssKibibytes = _random.Int(20 << 10, 2 << 20),
            StartsAt = start,
            EndsAt = end,
            HasCounters = HasCounters(),
        };
        _consumers.Add(owner);
        Style style = Draw();
        int threads = _random.Int(1, 5);
        for (int t = 0; t < threads; t++)
        {
            Add(owner, style, owner.Pid + t, owner.Name, ThreadRole.None, 0, style.Demand);
        }

        return threads * style.Demand * (style.Pattern == DemandPattern.Bursty ? style.OnPart : 1);
    }

    // A few batch jobs that between them keep a thread ready on every CPU.
    private void AddSoakers()
    {
        int jobs = Math.Min(4, _machine.Cpus);
        for (int job = 0; job < jobs; job++)
        {
            _pid += 200;
            LabConsumer owner = new() { Kind = "process", Id = _pid.ToString(CultureInfo.InvariantCulture), Name = $"batch-{job}", Pid = _pid, PssKibibytes = 1 << 20 };
            _consumers.Add(owner);
            Style style = Draw() with { Pattern = DemandPattern.Steady, Placement = Placement.Pinned };
            for (int cpu = job; cpu < _machine.Cpus; cpu += jobs)
            {
                _nextPin = cpu;
                Add(owner, style, owner.Pid + cpu, owner.Name, ThreadRole.None, 0, demand: 1);
            }
        }
    }

    private Style Draw()
    {
        InstructionClass kind = _scenario == "memory-bound" && _random.Unit() < 0.8
            ? _random.Pick(InstructionClass.Streaming, InstructionClass.PointerChasing)
            : _random.Pick(All);
        List<ClassPhysics> work = [_machine.Classes[(int)kind].Vary(_random, 0.12)];
        List<bool> vector = [kind == InstructionClass.Vector];
        if (_scenario != "steady" && _random.Unit() < 0.2)
        {
            InstructionClass other = _random.Pick(All);
            work.Add(_machine.Classes[(int)other].Vary(_random, 0.12));
            vector.Add(other == InstructionClass.Vector);
        }

        DemandPattern pattern = _scenario switch
        {
            "steady" => DemandPattern.Steady,
            "bursty" => DemandPattern.Bursty,
            "overcommitted" or "never-idle" or "smt-heavy" => _random.Pick(DemandPattern.Steady, DemandPattern.Steady, DemandPattern.Bursty),
            _ => _random.Pick(DemandPattern.Steady, DemandPattern.Bursty, DemandPattern.Wavy),
        };
        Placement placement = _scenario switch
        {
            "smt-heavy" => Placement.Pinned,
            "migrating" => Placement.Migrating,
            _ => _random.Pick(Placement.Pinned, Placement.Floating, Placement.Floating, Placement.Migrating),
        };
        double demand = _scenario switch
        {
            "smt-heavy" or "never-idle" => _random.Between(0.9, 1),
            "overcommitted" => _random.Between(0.6, 1),
            "steady" => _random.Pick(_random.Between(0.15, 0.6), 1),
            _ => _random.Pick(_random.Between(0.1, 0.6), _random.Between(0.7, 1)),
        };
        double onPart = _scenario is "overcommitted" or "never-idle" or "smt-heavy" ? 0.85 : _random.Between(0.3, 0.7);
        return new Style(pattern, placement, [.. work], [.. vector], demand, _scenario == "bursty" ? _random.Between(0.3, 3) : _random.Between(1, 5), onPart);
    }

    private void Add(LabConsumer owner, Style style, int tid, string name, ThreadRole role, int vcpu, double demand)
    {
        bool wide = style.Placement == Placement.Pinned;
        int cpu = !wide ? _random.Int(0, _machine.Cpus)
            : _scenario == "smt-heavy" ? NextOnCore()
            : _nextPin++ % _machine.Cpus;
        _threads.Add(new LabThread
        {
            Owner = owner,
            Tid = tid,
            Name = name,
            Role = role,
            Vcpu = vcpu,
            Work = style.Work,
            IsVector = style.Vector,
            Pattern = style.Pattern,
            Demand = demand,
            Period = style.Period,
            OnPart = style.OnPart,
            Placement = style.Placement,
            Cpu = cpu,
        });
    }

    // Fills both hyperthreads of a core in turn, so that neighbours come from different machines most of the time.
    private int NextOnCore()
    {
        int pin = _nextPin++ % _machine.Cpus;
        return (pin * 11 % _machine.Cores) + (pin / _machine.Cores * _machine.Cores);
    }

    private (double Start, double End) Life()
    {
        if (_scenario != "migrating" || _random.Unit() < 0.6)
        {
            return (0, double.PositiveInfinity);
        }

        return _random.Unit() < 0.5 ? (_seconds * _random.Between(0.2, 0.6), double.PositiveInfinity) : (0, _seconds * _random.Between(0.4, 0.8));
    }

    private bool HasCounters() => _scenario != "missing-counters" || _random.Unit() > 0.33;

    private string Uuid()
    {
        string hex = _random.Bits().ToString("x16", CultureInfo.InvariantCulture) + _random.Bits().ToString("x16", CultureInfo.InvariantCulture);
        return $"{hex[..8]}-{hex[8..12]}-4{hex[13..16]}-8{hex[17..20]}-{hex[20..32]}";
    }

    private sealed record Style(DemandPattern Pattern, Placement Placement, ClassPhysics[] Work, bool[] Vector, double Demand, double Period, double OnPart);
}
