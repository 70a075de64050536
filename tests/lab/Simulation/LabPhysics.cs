namespace Keck.Lab;

/// <summary>
/// What happens on the machine in a step: who runs where, at which clock and voltage, and what it costs. Each amount of energy is
/// added to its package (or memory) and to its cause in the same line, so that parts and whole cannot differ.
/// </summary>
internal sealed class LabPhysics
{
    private const double Length = LabSimulation.StepNanoseconds;
    private const double Seconds = Length / 1e9;

    private readonly LabMachine _machine;
    private readonly LabLoad _load;
    private readonly LabRandom _random;
    private readonly LabScheduler _scheduler;
    private readonly CoreState[] _cores;
    private readonly DieState[] _dies;
    private readonly double[] _wanted;
    private readonly double[] _scale;
    private readonly double[] _busy;
    private readonly long[] _interrupt;
    private readonly LabConsumer _kernel;
    private long _step;

    internal LabPhysics(LabMachine machine, LabLoad load, LabRandom random)
    {
        (_machine, _load, _random) = (machine, load, random);
        _scheduler = new LabScheduler(machine, load, random);
        _cores = new CoreState[machine.Cores];
        _dies = new DieState[machine.Packages * machine.DiesPerPackage];
        _wanted = new double[machine.Cpus];
        _scale = new double[machine.Cpus];
        _busy = new double[machine.Cpus];
        _interrupt = new long[machine.Cpus];
        Packages = new PackageState[machine.Packages];
        BusyNanoseconds = new long[machine.Cpus];
        InterruptNanoseconds = new long[machine.Cpus];
        KiloCycles = new double[machine.Cpus];
        _kernel = load.Consumers[0];
        for (int core = 0; core < _cores.Length; core++)
        {
            _cores[core].Trim = 1 + (0.004 * random.Normal());
        }

        foreach (ref PackageState package in Packages.AsSpan())
        {
            (package.Throttle, package.Bandwidth, package.Celsius) = (1, 1, 35 + random.Between(0, 8));
        }
    }

    internal PackageState[] Packages { get; }

    /// <summary>Time that threads ran in this tick, by CPU.</summary>
    internal long[] BusyNanoseconds { get; }

    internal long[] InterruptNanoseconds { get; }

    /// <summary>Cycles of busy time in this tick, thousands.</summary>
    internal double[] KiloCycles { get; }

    internal double StaticPackage { get; private set; }

    internal double StaticDram { get; private set; }

    internal double Now => _step * Seconds;

    internal void BeginTick()
    {
        (StaticPackage, StaticDram) = (0, 0);
        Array.Clear(BusyNanoseconds);
        Array.Clear(InterruptNanoseconds);
        Array.Clear(KiloCycles);
        foreach (LabConsumer consumer in _load.Consumers)
        {
            (consumer.PackageMicrojoules, consumer.DramMicrojoules) = (0, 0);
        }
    }

    internal void Step()
    {
        Schedule();
        Overlap();
        Clock();
        foreach (LabThread thread in _load.Threads)
        {
            if (thread.Wanted > 0)
            {
                Run(thread);
            }
        }

        RunInterrupts();
        Rest();
        _step++;
    }

    // Who runs, and how much of each CPU: fair shares where more is wanted than there is.
    private void Schedule()
    {
        Array.Clear(_wanted);
        bool idle = Now < _load.IdleSeconds;
        foreach (LabThread thread in _load.Threads)
        {
            thread.Step(Now, Seconds, _random);
            if (idle && !thread.Kernel)
            {
                thread.Pause();
            }

            _wanted[thread.Cpu] += thread.Wanted;
        }

        if (_step % 4 == 0)
        {
            _scheduler.Balance(_wanted);
        }

        for (int cpu = 0; cpu < _wanted.Length; cpu++)
        {
            double part = Math.Min(1, _wanted[cpu]);
            _interrupt[cpu] = (long)(Length * _load.InterruptPart * (0.05 + part) * _random.Between(0.5, 1.5));
            double room = 1 - (_interrupt[cpu] / Length);
            _scale[cpu] = _wanted[cpu] > room ? room / _wanted[cpu] : 1;
            _busy[cpu] = Math.Min(_wanted[cpu], room) + (_interrupt[cpu] / Length);
        }
    }

    private void Overlap()
    {
        foreach (ref PackageState package in Packages.AsSpan())
        {
            (package.AwakeCores, package.Asleep, package.CoreTime) = (0, 1, 0);
        }

        foreach (ref DieState die in _dies.AsSpan())
        {
            (die.Asleep, die.CoreTime) = (1, 0);
        }

        for (int index = 0; index < _cores.Length; index++)
        {
            ref CoreState core = ref _cores[index];
            double first = _busy[index], second = _machine.ThreadsPerCore == 2 ? _busy[index + _machine.Cores] : 0;
            core.Both = first * second;
            core.Busy = first + second - core.Both;
            core.Load += (Math.Min(1, first + second) - core.Load) * Math.Min(1, Seconds / 0.03);
            ref PackageState package = ref Packages[_machine.PackageOf(index)];
            ref DieState die = ref _dies[_machine.DieOf(index)];
            package.AwakeCores += core.Busy;
            package.Asleep *= 1 - core.Busy;
            package.CoreTime += core.Busy;
            die.Asleep *= 1 - core.Busy;
            die.CoreTime += core.Busy;
        }
    }

    private void Clock()
    {
        double cap = Cap();
        Span<double> fastest = stackalloc double[Packages.Length];
        for (int index = 0; index < _cores.Length; index++)
        {
            ref CoreState core = ref _cores[index];
            int at = _machine.PackageOf(index);
            double clock = _machine.TurboGigahertz(Packages[at].AwakeCores);
            clock *= core.Vector ? _machine.VectorClock : 1;
            if (_machine.FollowsLoad)
            {
                clock = Math.Min(clock, _machine.MinGigahertz + ((clock - _machine.MinGigahertz) * Math.Min(1, 1.25 * core.Load)));
            }

            clock = Math.Min(clock, cap) * Packages[at].Throttle * (_machine.OneClock ? 1 : core.Trim);
            core.Gigahertz = Math.Max(_machine.MinGigahertz, clock);
            fastest[at] = Math.Max(fastest[at], core.Busy > 0.02 || !_machine.FollowsLoad ? core.Gigahertz : 0);
            (core.Vector, core.VectorNow) = (core.VectorNow, false);
        }

        for (int index = 0; index < _cores.Length; index++)
        {
            ref CoreState core = ref _cores[index];
            int at = _machine.PackageOf(index);
            core.Gigahertz = _machine.OneClock ? Math.Max(_machine.MinGigahertz, fastest[at]) : core.Gigahertz;
            double volts = _machine.Voltage(core.Gigahertz);
            core.VoltsSquare = volts * volts;
            core.LeakageWatts = _machine.Leakage(volts, Packages[at].Celsius);
        }
    }

    private double Cap()
    {
        double cap = double.MaxValue;
        foreach ((double from, double gigahertz) in _load.Caps)
        {
            cap = Now >= from ? gigahertz : cap;
        }

        return cap;
    }

    private void Run(LabThread thread)
    {
        int cpu = thread.Cpu, core = _machine.CoreOf(cpu);
        long nanoseconds = (long)(thread.Wanted * _scale[cpu] * Length);
        if (nanoseconds == 0)
        {
            return;
        }

        ref CoreState state = ref _cores[core];
        state.VectorNow |= thread.VectorNow && thread.Wanted > 0.05;
        double shared = _busy[cpu] > 0 ? nanoseconds * Math.Min(1, state.Both / _busy[cpu]) : 0;
        double cycles = nanoseconds * state.Gigahertz;
        (double instructions, double misses) = Charge(thread.Owner, thread.Now, core, nanoseconds, shared, _busy[cpu]);
        thread.Ran(cpu, nanoseconds, shared, cycles / 1e3);
        thread.Cycles += cycles;
        thread.InstructionsExact += instructions;
        thread.MissesExact += misses;
        BusyNanoseconds[cpu] += nanoseconds;
        KiloCycles[cpu] += cycles / 1e3;
    }

    private void RunInterrupts()
    {
        ClassPhysics work = _machine.Classes[(int)InstructionClass.Kernel];
        for (int cpu = 0; cpu < _interrupt.Length; cpu++)
        {
            if (_interrupt[cpu] > 0)
            {
                int core = _machine.CoreOf(cpu);
                double shared = _busy[cpu] > 0 ? _interrupt[cpu] * Math.Min(1, _cores[core].Both / _busy[cpu]) : 0;
                _ = Charge(_kernel, work, core, _interrupt[cpu], shared, _busy[cpu]);
                InterruptNanoseconds[cpu] += _interrupt[cpu];
            }
        }
    }

    // What a piece of running costs, by cause. W × ns = nJ.
    private (double Instructions, double Misses) Charge(LabConsumer owner, ClassPhysics work, int core, double nanoseconds, double shared, double cpuBusy)
    {
        ref CoreState state = ref _cores[core];
        int packageIndex = _machine.PackageOf(core);
        ref PackageState package = ref Packages[packageIndex];
        ref DieState die = ref _dies[_machine.DieOf(core)];

        // Clock, leakage and what is awake around the core: whole where alone, half beside a busy sibling.
        double owned = nanoseconds - (shared / 2);
        double nanojoules = owned * ((_machine.ClockNanojoules * state.VoltsSquare * state.Gigahertz) + state.LeakageWatts);
        nanojoules += package.CoreTime > 0 ? owned / package.CoreTime * (1 - package.Asleep) * _machine.UncoreAwakeWatts : 0;
        nanojoules += die.CoreTime > 0 ? owned / die.CoreTime * (1 - die.Asleep) * _machine.DieAwakeWatts : 0;

        // Waking up, and dozing between bursts, where the CPU is not busy throughout.
        double gap = Math.Max(0, 1 - cpuBusy);
        double wakes = nanoseconds / 1e9 * work.WakesPerSecond * Math.Min(1, gap * 3);
        nanojoules += wakes * ((_machine.WakeMicrojoules * 1e3) + (_machine.ShallowWatts * 60_000));

        // The higher the clock, the more cycles pass while memory answers; and a full memory bus makes everybody on it wait.
        double stretch = 1 - work.MemoryBound + (work.MemoryBound * state.Gigahertz / _machine.BaseGigahertz / package.Bandwidth);
        double cycles = (nanoseconds - shared + (shared * work.SharedThroughput)) * state.Gigahertz;
        double instructions = cycles * work.Ipc / stretch;
        double misses = instructions * work.MissesPerInstruction;
        double lines = misses * work.LinesPerMiss;
        nanojoules += instructions * work.NanojoulesPerInstruction * state.VoltsSquare;
        nanojoules += (instructions * work.AccessesPerInstruction * _machine.AccessNanojoules) + (lines * _machine.LineNanojoules);
        package.Lines += lines;

        double microjoules = nanojoules / 1e3;
        package.Step += microjoules;
        owner.PackageMicrojoules += microjoules;
        if (_machine.HasDramMeter)
        {
            double memory = lines * _machine.DramLineNanojoules / 1e3;
            Packages[owner == _kernel ? packageIndex : owner.HomePackage].DramStep += memory;
            owner.DramMicrojoules += memory;
        }

        return (instructions, misses);
    }

    // Static energy, temperature, limits.
    private void Rest()
    {
        foreach (ref PackageState package in Packages.AsSpan())
        {
            double idle = _machine.Static(package.Celsius) * Length / 1e3;
            StaticPackage += idle;
            package.Step += idle;
            package.Microjoules += package.Step;
            package.Watts = package.Step * 1e3 / Length;
            if (_machine.HasDramMeter)
            {
                double memory = _machine.DramStaticWatts * Length / 1e3;
                StaticDram += memory;
                package.DramStep += memory;
                package.DramMicrojoules += package.DramStep;
                package.DramWatts = package.DramStep * 1e3 / Length;
            }

            double speed = package.Lines / Seconds / _machine.LinesPerSecond;
            double allowed = speed > 0.95 * package.Bandwidth ? Math.Min(1, package.Bandwidth * 0.95 / Math.Max(speed, 1e-9)) : 1;
            package.Bandwidth = Math.Clamp(package.Bandwidth + (0.3 * (Math.Min(1, allowed) - package.Bandwidth)), 0.1, 1);
            package.LimitedWatts += (package.Watts - package.LimitedWatts) * Math.Min(1, Seconds / 0.5);
            double over = (package.LimitedWatts - _machine.PowerLimit) / _machine.PowerLimit;
            package.Throttle = Math.Clamp(package.Throttle - (over * 0.02), 0.4, 1);
            double target = 30 + (_machine.KelvinPerWatt * package.Watts);
            package.Celsius += (target - package.Celsius) * Seconds / _machine.ThermalSeconds;
            (package.Step, package.DramStep, package.Lines) = (0, 0, 0);
        }
    }
}
