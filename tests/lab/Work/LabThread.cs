using Keck.Metering;

namespace Keck.Lab;

/// <summary>A thread: whose, what it does, how much it wants to run, and what it has run in this tick.</summary>
public sealed class LabThread
{
    private double _level;
    private double _until;
    private bool _on = true;
    private int _current;

    /// <summary>Whose it is.</summary>
    public required LabConsumer Owner { get; init; }

    /// <summary>Thread id.</summary>
    public required int Tid { get; init; }

    /// <summary>comm.</summary>
    public required string Name { get; init; }

    /// <summary>What it does for a machine.</summary>
    public ThreadRole Role { get; init; }

    /// <summary>Which vCPU.</summary>
    public int Vcpu { get; init; }

    /// <summary>Whether it is a kernel thread.</summary>
    public bool Kernel { get; init; }

    /// <summary>What it does; several are taken in turn.</summary>
    public required ClassPhysics[] Work { get; init; }

    /// <summary>Which of <see cref="Work"/> is vector code.</summary>
    public required bool[] IsVector { get; init; }

    /// <summary>How it wants to run.</summary>
    public DemandPattern Pattern { get; init; }

    /// <summary>Part of a CPU that it wants, while it wants.</summary>
    public required double Demand { get; init; }

    /// <summary>Mean length of a burst, of a phase, or of a wave, s.</summary>
    public double Period { get; init; } = 2;

    /// <summary>Part of the time that bursts take.</summary>
    public double OnPart { get; init; } = 0.5;

    /// <summary>Where it may run.</summary>
    public Placement Placement { get; init; }

    /// <summary>When it may run, for scripted loads: (from, to) in s; null for always.</summary>
    public (double From, double To)[]? Script { get; init; }

    /// <summary>The CPU it is on.</summary>
    public int Cpu { get; internal set; }

    /// <summary>What it does now.</summary>
    internal ClassPhysics Now => Work[_current];

    internal bool VectorNow => IsVector[_current];

    /// <summary>Part of a CPU it wants in this step.</summary>
    internal double Wanted { get; private set; }

    internal int Row { get; set; } = -1;

    internal double Cycles { get; set; }

    internal double InstructionsExact { get; set; }

    internal double MissesExact { get; set; }

    internal List<LabThreadRun> Runs { get; } = [];

    private double _nextPhase = double.NaN;

    internal void Step(double now, double length, LabRandom random)
    {
        if (now < Owner.StartsAt || now >= Owner.EndsAt || (Script is { } script && !Array.Exists(script, part => now >= part.From && now < part.To)))
        {
            Wanted = 0;
            return;
        }

        if (Work.Length > 1)
        {
            if (double.IsNaN(_nextPhase))
            {
                _nextPhase = now + random.Exponential(Period * 2);
            }

            if (now >= _nextPhase)
            {
                _current = (_current + 1) % Work.Length;
                _nextPhase = now + 0.5 + random.Exponential(Period * 2);
            }
        }

        switch (Pattern)
        {
            case DemandPattern.Bursty:
                if (now >= _until)
                {
                    _on = _until == 0 ? random.Unit() < OnPart : !_on;
                    _until = now + length + random.Exponential(_on ? Period * OnPart * 2 : Period * (1 - OnPart) * 2);
                }

                Wanted = _on ? Demand : 0.004;
                break;
            case DemandPattern.Wavy:
                _level += ((0 - _level) * length / 0.3) + (random.Normal() * 0.5 * Math.Sqrt(length));
                Wanted = Math.Clamp(Demand * (1 + (0.5 * Math.Sin((2 * Math.PI * now / (Period * 3)) + (Tid * 0.7))) + _level), 0.001, 1);
                break;
            default:
                Wanted = Demand;
                break;
        }
    }

    /// <summary>Keeps still in this step.</summary>
    internal void Pause() => Wanted = 0;

    /// <summary>Adds time on a CPU to this tick's runs.</summary>
    internal void Ran(int cpu, long nanoseconds, double shared, double kiloCycles)
    {
        Span<LabThreadRun> runs = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(Runs);
        foreach (ref LabThreadRun run in runs)
        {
            if (run.Cpu == cpu)
            {
                run.Nanoseconds += nanoseconds;
                run.Shared += shared;
                run.KiloCycles += kiloCycles;
                return;
            }
        }

        Runs.Add(new LabThreadRun { Cpu = cpu, Nanoseconds = nanoseconds, Shared = shared, KiloCycles = kiloCycles });
    }
}
