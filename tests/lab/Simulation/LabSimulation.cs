using System.Globalization;
using Keck.Metering;

namespace Keck.Lab;

/// <summary>
/// A machine at work whose every microjoule has a known cause. Physics goes in steps of 5 ms; what an agent would see of it is
/// handed out in ticks, as an <see cref="Metering.Observation"/>, with the truth beside it. The same arguments give the same bytes.
/// </summary>
public sealed class LabSimulation
{
    /// <summary>Length of a step, ns.</summary>
    internal const long StepNanoseconds = 5_000_000;

    private readonly LabPhysics _physics;
    private readonly LabRecorder _recorder;
    private readonly long _ticks;
    private readonly int _stepsPerTick;

    /// <summary>A run of a machine under a load.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="load">Who runs.</param>
    /// <param name="name">Goes into the random numbers, such as the scenario's name and the run's number.</param>
    /// <param name="seconds">Length.</param>
    /// <param name="tickMilliseconds">Length of a tick: a multiple of 5.</param>
    public LabSimulation(LabMachine machine, LabLoad load, string name, double seconds, int tickMilliseconds = 100)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(tickMilliseconds > 0 && tickMilliseconds % 5 == 0, true, nameof(tickMilliseconds));
        LabRandom random = new("run", machine.Family, machine.Seed.ToString(CultureInfo.InvariantCulture), name);
        Machine = machine;
        Load = load;
        _stepsPerTick = tickMilliseconds / 5;
        _ticks = (long)Math.Round(seconds * 1000 / tickMilliseconds);
        _physics = new LabPhysics(machine, load, random);
        _recorder = new LabRecorder(machine, load, random, _physics, tickMilliseconds);
    }

    /// <summary>A run of a machine of a family under a scenario.</summary>
    public static LabSimulation Create(string family, int seed, string scenario, double seconds, int run = 0, double? idleSeconds = null, int tickMilliseconds = 100)
    {
        LabMachine machine = Families.Create(family, seed);
        LabLoad load = LabScenarios.Create(machine, scenario, run, seconds, idleSeconds);
        return new LabSimulation(machine, load, string.Create(CultureInfo.InvariantCulture, $"{scenario} {run}"), seconds, tickMilliseconds);
    }

    /// <summary>The machine.</summary>
    public LabMachine Machine { get; }

    /// <summary>Who runs on it.</summary>
    public LabLoad Load { get; }

    /// <summary>What a trace of it would begin with.</summary>
    public TraceHeader Header => _recorder.Header;

    /// <summary>The tick as an agent sees it; filled again each tick.</summary>
    public Observation Observation => _recorder.Observation;

    /// <summary>Who truly owned the tick's active energy; filled again each tick.</summary>
    public IReadOnlyList<LabConsumer> Truth => Load.Consumers;

    /// <summary>Energy of the tick that belongs to nobody, packages, µJ.</summary>
    public double StaticPackageMicrojoules => _physics.StaticPackage;

    /// <summary>The memory's; 0 where it has no meter.</summary>
    public double StaticDramMicrojoules => _physics.StaticDram;

    /// <summary>True energy of a package since the start, µJ.</summary>
    internal double TruePackage(int package) => _physics.Packages[package].Microjoules;

    internal double TrueDram(int package) => _physics.Packages[package].DramMicrojoules;

    /// <summary>Runs one tick; false at the end.</summary>
    public bool Advance()
    {
        if (Observation.Tick >= _ticks)
        {
            return false;
        }

        _recorder.Begin();
        _physics.BeginTick();
        for (int i = 0; i < _stepsPerTick; i++)
        {
            _physics.Step();
            _recorder.AfterStep();
        }

        _recorder.End();
        return true;
    }
}
