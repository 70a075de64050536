using Keck.Metering;

namespace Keck.Lab;

/// <summary>The physics of one simulated machine. All powers in W, energies in nJ, at the temperature of 50 °C where it matters.</summary>
public sealed record LabMachine
{
    /// <summary>Its family, such as <c>dual-server</c>.</summary>
    public required string Family { get; init; }

    /// <summary>Which of the family.</summary>
    public required int Seed { get; init; }

    /// <summary>What it says it is.</summary>
    public required TraceCpu Cpu { get; init; }

    /// <summary>Sockets.</summary>
    public required int Packages { get; init; }

    /// <summary>Dies in a package that wake and sleep by themselves; cores are dealt to them in turn.</summary>
    public int DiesPerPackage { get; init; } = 1;

    /// <summary>Cores of a package.</summary>
    public required int CoresPerPackage { get; init; }

    /// <summary>Hyperthreads of a core, 1 or 2.</summary>
    public required int ThreadsPerCore { get; init; }

    /// <summary>Lowest clock, GHz.</summary>
    public required double MinGigahertz { get; init; }

    /// <summary>Nominal clock, GHz.</summary>
    public required double BaseGigahertz { get; init; }

    /// <summary>Highest clock by awake cores of the package, fewest first; the last one holds for all.</summary>
    public required TurboBin[] Turbo { get; init; }

    /// <summary>Clock of a core that runs vector code, against others.</summary>
    public double VectorClock { get; init; } = 1;

    /// <summary>Whether the clock follows the core's load (schedutil) instead of staying at the highest.</summary>
    public bool FollowsLoad { get; init; }

    /// <summary>Whether all cores of a package share one clock: that of the busiest.</summary>
    public bool OneClock { get; init; }

    /// <summary>Whether frequencies can be set, as a commissioning run wants to.</summary>
    public bool Settable { get; init; } = true;

    /// <summary>Sustained power of a package, W; the clock gives way above it.</summary>
    public required double PowerLimit { get; init; }

    /// <summary>Voltage below the knee, V.</summary>
    public required double VoltageFloor { get; init; }

    /// <summary>Clock up to which the floor suffices, GHz.</summary>
    public required double KneeGigahertz { get; init; }

    /// <summary>Volts per GHz above the knee.</summary>
    public required double VoltageSlope { get; init; }

    /// <summary>Volts per GHz² above the knee.</summary>
    public double VoltageBend { get; init; }

    /// <summary>Clock tree of an awake core, nJ per cycle at 1 V.</summary>
    public required double ClockNanojoules { get; init; }

    /// <summary>Leakage of an awake core at 1 V and 50 °C, W.</summary>
    public required double LeakageWatts { get; init; }

    /// <summary>How leakage grows with voltage: a power.</summary>
    public double LeakageVoltagePower { get; init; } = 2.5;

    /// <summary>Degrees over which leakage grows e-fold.</summary>
    public double LeakageKelvin { get; init; } = 45;

    /// <summary>A package with all cores asleep at 50 °C, W.</summary>
    public required double StaticWatts { get; init; }

    /// <summary>How much of it more per degree (its own leakage).</summary>
    public double StaticPerKelvin { get; init; } = 0.0015;

    /// <summary>What the uncore draws more while any core of the package is awake, W.</summary>
    public required double UncoreAwakeWatts { get; init; }

    /// <summary>The same for one die, W.</summary>
    public double DieAwakeWatts { get; init; }

    /// <summary>A last-level access, nJ.</summary>
    public required double AccessNanojoules { get; init; }

    /// <summary>A line to or from memory, in the package, nJ.</summary>
    public required double LineNanojoules { get; init; }

    /// <summary>Waking a core, µJ.</summary>
    public required double WakeMicrojoules { get; init; }

    /// <summary>A core in a shallow idle state between two bursts, W.</summary>
    public required double ShallowWatts { get; init; }

    /// <summary>Lines per second that a package's memory moves before threads wait for it.</summary>
    public required double LinesPerSecond { get; init; }

    /// <summary>Whether memory has meters of its own.</summary>
    public required bool HasDramMeter { get; init; }

    /// <summary>Memory of a package at rest, W.</summary>
    public required double DramStaticWatts { get; init; }

    /// <summary>A line in memory, nJ.</summary>
    public required double DramLineNanojoules { get; init; }

    /// <summary>Degrees per watt of package power.</summary>
    public required double KelvinPerWatt { get; init; }

    /// <summary>Time constant of the temperature, s.</summary>
    public double ThermalSeconds { get; init; } = 12;

    /// <summary>Where the package meters come from.</summary>
    public EnergyOrigin Origin { get; init; } = EnergyOrigin.Rapl;

    /// <summary>Step of the package counters, µJ.</summary>
    public double QuantumMicrojoules { get; init; } = 1e6 / 16384;

    /// <summary>Mean time between two updates of a counter, ns.</summary>
    public double UpdateNanoseconds { get; init; } = 976_000;

    /// <summary>Fans, disks and board behind the power supply, W.</summary>
    public required double OtherWatts { get; init; }

    /// <summary>Rated power of the power supply, W.</summary>
    public required double SupplyWatts { get; init; }

    /// <summary>Memory, KiB.</summary>
    public required long MemoryKibibytes { get; init; }

    /// <summary>What each class does here; indexed by <see cref="InstructionClass"/>.</summary>
    public required ClassPhysics[] Classes { get; init; }

    /// <summary>Logical CPUs.</summary>
    public int Cpus => Packages * CoresPerPackage * ThreadsPerCore;

    /// <summary>Cores.</summary>
    public int Cores => Packages * CoresPerPackage;

    /// <summary>The core of a CPU: hyperthreads are numbered after all cores, as Linux does on x86.</summary>
    public int CoreOf(int cpu) => cpu % Cores;

    /// <summary>The package of a core.</summary>
    public int PackageOf(int core) => core / CoresPerPackage;

    /// <summary>The die of a core, counted over the machine.</summary>
    public int DieOf(int core) => (PackageOf(core) * DiesPerPackage) + (core % CoresPerPackage * DiesPerPackage / CoresPerPackage);

    /// <summary>The voltage that a clock needs.</summary>
    public double Voltage(double gigahertz)
    {
        double above = Math.Max(0, gigahertz - KneeGigahertz);
        return VoltageFloor + (VoltageSlope * above) + (VoltageBend * above * above);
    }

    /// <summary>The highest clock with so many cores of a package awake.</summary>
    public double TurboGigahertz(double awakeCores)
    {
        foreach (TurboBin bin in Turbo)
        {
            if (awakeCores <= bin.Cores + 0.5)
            {
                return bin.Gigahertz;
            }
        }

        return Turbo[^1].Gigahertz;
    }

    /// <summary>Leakage of an awake core, W.</summary>
    public double Leakage(double volts, double celsius) =>
        LeakageWatts * Math.Pow(volts, LeakageVoltagePower) * Math.Exp((celsius - 50) / LeakageKelvin);

    /// <summary>A package with all its cores asleep, W.</summary>
    public double Static(double celsius) => StaticWatts * (1 + (StaticPerKelvin * (celsius - 50)));

    /// <summary>The machine's CPUs as the kernel numbers them.</summary>
    public Topology Topology() => new(
        Enumerable.Range(0, Cpus).Select(cpu => new CpuPlace(cpu, CoreOf(cpu), PackageOf(CoreOf(cpu)), PackageOf(CoreOf(cpu)))),
        new Kilohertz((long)(BaseGigahertz * 1e6)))
    { MemoryKibibytes = MemoryKibibytes };
}
