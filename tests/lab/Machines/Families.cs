using System.Globalization;
using Keck.Metering;

namespace Keck.Lab;

/// <summary>Families of machines that differ in structure; a seed draws one machine of a family.</summary>
public static class Families
{
    /// <summary>The names.</summary>
    public static readonly string[] Names = ["dual-server", "big-socket", "desktop", "many-dies", "arm-server", "old-server"];

    /// <summary>What is special, in words.</summary>
    public static string Describe(string family) => family switch
    {
        "dual-server" => "two sockets, hyperthreads, turbo bins, slower clock for vector code, memory meters",
        "big-socket" => "one socket of many cores without hyperthreads, high uncore share, power limit within reach",
        "desktop" => "few cores, hyperthreads, high turbo and steep voltage, no memory meter",
        "many-dies" => "AMD-like: dies that sleep by themselves, dear I/O die, no memory meter, traffic inside the package",
        "arm-server" => "many small cores, no hyperthreads, no turbo, one clock, meters that are no RAPL and slower",
        "old-server" => "two sockets, one clock per package, leaky cores, high static power, weak sleep states",
        _ => throw new ArgumentException($"there is no family '{family}'; known are {string.Join(", ", Names)}", nameof(family)),
    };

    /// <summary>One machine.</summary>
    public static LabMachine Create(string family, int seed)
    {
        LabRandom random = new("machine", family, seed.ToString(CultureInfo.InvariantCulture));
        return family switch
        {
            "dual-server" => DualServer(seed, random),
            "big-socket" => BigSocket(seed, random),
            "desktop" => Desktop(seed, random),
            "many-dies" => ManyDies(seed, random),
            "arm-server" => ArmServer(seed, random),
            "old-server" => OldServer(seed, random),
            _ => throw new ArgumentException(Describe(family)),
        };
    }

    private static LabMachine DualServer(int seed, LabRandom r)
    {
        int cores = r.Pick(8, 12, 16);
        double top = r.Between(3.2, 3.9), all = top * r.Between(0.78, 0.9);
        return new LabMachine
        {
            Family = "dual-server",
            Seed = seed,
            Cpu = new TraceCpu("GenuineIntel", 6, 106, 6, "0xd0003b9", "Simulated dual server"),
            Packages = 2,
            CoresPerPackage = cores,
            ThreadsPerCore = 2,
            MinGigahertz = 0.8,
            BaseGigahertz = r.Between(2.0, 2.6),
            Turbo = [new(2, top), new(cores / 2, (top + all) / 2), new(cores, all)],
            VectorClock = r.Between(0.85, 0.95),
            FollowsLoad = r.Unit() < 0.4,
            PowerLimit = cores * r.Between(7, 10),
            VoltageFloor = r.Between(0.68, 0.76),
            KneeGigahertz = r.Between(1.4, 1.9),
            VoltageSlope = r.Between(0.12, 0.18),
            VoltageBend = r.Between(0.01, 0.04),
            ClockNanojoules = r.Between(0.45, 0.8),
            LeakageWatts = r.Between(0.5, 1.1),
            StaticWatts = cores * r.Between(1.2, 2.4),
            UncoreAwakeWatts = cores * r.Between(0.25, 0.6),
            AccessNanojoules = r.Between(0.6, 1.6),
            LineNanojoules = r.Between(3, 6),
            WakeMicrojoules = r.Between(15, 40),
            ShallowWatts = r.Between(0.3, 0.8),
            LinesPerSecond = r.Between(0.9e9, 1.6e9),
            HasDramMeter = true,
            DramStaticWatts = r.Between(3, 9),
            DramLineNanojoules = r.Between(8, 18),
            KelvinPerWatt = r.Between(0.12, 0.2),
            OtherWatts = r.Between(50, 120),
            SupplyWatts = 800,
            MemoryKibibytes = 256L << 20,
            Classes = Classes(r, 1),
        };
    }

    private static LabMachine BigSocket(int seed, LabRandom r)
    {
        int cores = r.Pick(32, 40, 48);
        double top = r.Between(3.0, 3.5), all = top * r.Between(0.72, 0.85);
        return new LabMachine
        {
            Family = "big-socket",
            Seed = seed,
            Cpu = new TraceCpu("GenuineIntel", 6, 143, 8, "0x2b0004d0", "Simulated big socket"),
            Packages = 1,
            CoresPerPackage = cores,
            ThreadsPerCore = 1,
            MinGigahertz = 0.8,
            BaseGigahertz = r.Between(1.9, 2.3),
            Turbo = [new(4, top), new(cores / 4, (top * 0.7) + (all * 0.3)), new(cores / 2, (top * 0.3) + (all * 0.7)), new(cores, all)],
            VectorClock = r.Between(0.8, 0.9),
            FollowsLoad = r.Unit() < 0.3,
            PowerLimit = cores * r.Between(4.5, 6),
            VoltageFloor = r.Between(0.65, 0.72),
            KneeGigahertz = r.Between(1.6, 2.1),
            VoltageSlope = r.Between(0.14, 0.2),
            VoltageBend = r.Between(0.02, 0.06),
            ClockNanojoules = r.Between(0.4, 0.65),
            LeakageWatts = r.Between(0.5, 0.9),
            StaticWatts = cores * r.Between(1.0, 2.0),
            UncoreAwakeWatts = cores * r.Between(0.4, 0.8),
            AccessNanojoules = r.Between(1, 2.5),
            LineNanojoules = r.Between(4, 8),
            WakeMicrojoules = r.Between(20, 50),
            ShallowWatts = r.Between(0.2, 0.6),
            LinesPerSecond = r.Between(2e9, 3.5e9),
            HasDramMeter = true,
            DramStaticWatts = r.Between(8, 18),
            DramLineNanojoules = r.Between(7, 14),
            KelvinPerWatt = r.Between(0.08, 0.15),
            OtherWatts = r.Between(60, 140),
            SupplyWatts = 1100,
            MemoryKibibytes = 512L << 20,
            Classes = Classes(r, 1.1),
        };
    }

    private static LabMachine Desktop(int seed, LabRandom r)
    {
        int cores = r.Pick(4, 6, 8);
        double top = r.Between(4.3, 5.2), all = top * r.Between(0.85, 0.95);
        return new LabMachine
        {
            Family = "desktop",
            Seed = seed,
            Cpu = new TraceCpu("GenuineIntel", 6, 158, 10, "0xf4", "Simulated desktop"),
            Packages = 1,
            CoresPerPackage = cores,
            ThreadsPerCore = 2,
            MinGigahertz = 0.8,
            BaseGigahertz = r.Between(3.2, 3.8),
            Turbo = [new(1, top), new(cores / 2, (top + all) / 2), new(cores, all)],
            FollowsLoad = r.Unit() < 0.7,
            PowerLimit = cores * r.Between(12, 18),
            VoltageFloor = r.Between(0.62, 0.7),
            KneeGigahertz = r.Between(1.8, 2.4),
            VoltageSlope = r.Between(0.13, 0.19),
            VoltageBend = r.Between(0.01, 0.03),
            ClockNanojoules = r.Between(0.5, 0.8),
            LeakageWatts = r.Between(0.5, 1.0),
            StaticWatts = r.Between(2, 6),
            StaticPerKelvin = 0.002,
            UncoreAwakeWatts = r.Between(2, 5),
            AccessNanojoules = r.Between(0.4, 1),
            LineNanojoules = r.Between(3, 6),
            WakeMicrojoules = r.Between(10, 30),
            ShallowWatts = r.Between(0.3, 0.7),
            LinesPerSecond = r.Between(0.3e9, 0.5e9),
            HasDramMeter = false,
            DramStaticWatts = r.Between(1, 2),
            DramLineNanojoules = r.Between(8, 16),
            KelvinPerWatt = r.Between(0.3, 0.5),
            ThermalSeconds = 6,
            OtherWatts = r.Between(15, 40),
            SupplyWatts = 450,
            MemoryKibibytes = 32L << 20,
            Classes = Classes(r, 0.9),
        };
    }

    private static LabMachine ManyDies(int seed, LabRandom r)
    {
        int dies = r.Pick(4, 6, 8), cores = dies * r.Pick(4, 6);
        double top = r.Between(3.3, 3.8), all = top * r.Between(0.86, 0.95);
        return new LabMachine
        {
            Family = "many-dies",
            Seed = seed,
            Cpu = new TraceCpu("AuthenticAMD", 25, 1, 1, "0xa0011d1", "Simulated many dies"),
            Packages = 1,
            DiesPerPackage = dies,
            CoresPerPackage = cores,
            ThreadsPerCore = cores > 32 ? 1 : 2,
            MinGigahertz = 1.5,
            BaseGigahertz = r.Between(2.2, 2.8),
            Turbo = [new(cores / 4, top), new(cores / 2, (top + all) / 2), new(cores, all)],
            FollowsLoad = r.Unit() < 0.5,
            PowerLimit = cores * r.Between(5, 8),
            VoltageFloor = r.Between(0.75, 0.82),
            KneeGigahertz = r.Between(2.0, 2.5),
            VoltageSlope = r.Between(0.18, 0.28),
            VoltageBend = r.Between(0.02, 0.06),
            ClockNanojoules = r.Between(0.4, 0.6),
            LeakageWatts = r.Between(0.25, 0.6),
            StaticWatts = (dies * r.Between(1.5, 3)) + r.Between(30, 55),
            UncoreAwakeWatts = r.Between(4, 10),
            DieAwakeWatts = r.Between(1, 3),
            AccessNanojoules = r.Between(0.4, 1),
            LineNanojoules = r.Between(6, 12),
            WakeMicrojoules = r.Between(8, 25),
            ShallowWatts = r.Between(0.1, 0.4),
            LinesPerSecond = r.Between(1.6e9, 2.6e9),
            HasDramMeter = false,
            DramStaticWatts = r.Between(8, 16),
            DramLineNanojoules = r.Between(8, 14),
            KelvinPerWatt = r.Between(0.1, 0.16),
            OtherWatts = r.Between(60, 120),
            SupplyWatts = 900,
            MemoryKibibytes = 256L << 20,
            Classes = Classes(r, 1.05),
        };
    }

    private static LabMachine ArmServer(int seed, LabRandom r)
    {
        int cores = r.Pick(32, 48, 64);
        double clock = r.Between(2.4, 3.0);
        return new LabMachine
        {
            Family = "arm-server",
            Seed = seed,
            Cpu = new TraceCpu("ARM", 8, 3340, 3, null, "Simulated arm server"),
            Packages = 1,
            CoresPerPackage = cores,
            ThreadsPerCore = 1,
            MinGigahertz = 1.0,
            BaseGigahertz = clock,
            Turbo = [new(cores, clock)],
            OneClock = true,
            Settable = r.Unit() < 0.5,
            PowerLimit = cores * 6,
            VoltageFloor = r.Between(0.72, 0.8),
            KneeGigahertz = r.Between(1.8, 2.2),
            VoltageSlope = r.Between(0.1, 0.2),
            ClockNanojoules = r.Between(0.2, 0.4),
            LeakageWatts = r.Between(0.1, 0.3),
            StaticWatts = r.Between(25, 45),
            UncoreAwakeWatts = r.Between(5, 12),
            AccessNanojoules = r.Between(0.8, 2),
            LineNanojoules = r.Between(4, 9),
            WakeMicrojoules = r.Between(4, 12),
            ShallowWatts = r.Between(0.05, 0.15),
            LinesPerSecond = r.Between(2e9, 3e9),
            HasDramMeter = true,
            DramStaticWatts = r.Between(6, 14),
            DramLineNanojoules = r.Between(7, 14),
            KelvinPerWatt = r.Between(0.12, 0.2),
            Origin = EnergyOrigin.Hwmon,
            QuantumMicrojoules = 1000,
            UpdateNanoseconds = 10_000_000,
            OtherWatts = r.Between(40, 90),
            SupplyWatts = 750,
            MemoryKibibytes = 256L << 20,
            Classes = Classes(r, 0.6),
        };
    }

    private static LabMachine OldServer(int seed, LabRandom r)
    {
        int cores = r.Pick(6, 8, 10);
        double top = r.Between(2.6, 3.2), all = top * r.Between(0.88, 0.96);
        return new LabMachine
        {
            Family = "old-server",
            Seed = seed,
            Cpu = new TraceCpu("GenuineIntel", 6, 45, 7, "0x71a", "Simulated old server"),
            Packages = 2,
            CoresPerPackage = cores,
            ThreadsPerCore = 2,
            MinGigahertz = 1.2,
            BaseGigahertz = r.Between(2.0, 2.5),
            Turbo = [new(2, top), new(cores, all)],
            OneClock = true,
            FollowsLoad = r.Unit() < 0.6,
            PowerLimit = cores * r.Between(11, 15),
            VoltageFloor = r.Between(0.85, 0.92),
            KneeGigahertz = r.Between(1.5, 1.9),
            VoltageSlope = r.Between(0.08, 0.16),
            ClockNanojoules = r.Between(0.8, 1.3),
            LeakageWatts = r.Between(1.5, 2.8),
            LeakageKelvin = 35,
            StaticWatts = cores * r.Between(2, 3.5),
            StaticPerKelvin = 0.003,
            UncoreAwakeWatts = r.Between(2, 6),
            AccessNanojoules = r.Between(1, 2.5),
            LineNanojoules = r.Between(5, 9),
            WakeMicrojoules = r.Between(5, 15),
            ShallowWatts = r.Between(1, 2),
            LinesPerSecond = r.Between(0.4e9, 0.7e9),
            HasDramMeter = true,
            DramStaticWatts = r.Between(6, 14),
            DramLineNanojoules = r.Between(14, 26),
            KelvinPerWatt = r.Between(0.18, 0.28),
            OtherWatts = r.Between(60, 120),
            SupplyWatts = 750,
            MemoryKibibytes = 128L << 20,
            Classes = Classes(r, 1.3),
        };
    }

    // What the classes do on this machine: a common core, with the machine's own taste.
    private static ClassPhysics[] Classes(LabRandom random, double energy)
    {
        ClassPhysics Of(double ipc, double nanojoules, double mpki, double lines, double apki, double shared, double bound, double wakes) => new ClassPhysics
        {
            Ipc = ipc,
            NanojoulesPerInstruction = nanojoules * energy,
            MissesPerInstruction = mpki / 1000,
            LinesPerMiss = lines,
            AccessesPerInstruction = apki / 1000,
            SharedThroughput = shared,
            MemoryBound = bound,
            WakesPerSecond = wakes,
        }.Vary(random, 0.15);
        return
        [
            Of(2.2, 0.30, 0.2, 1.3, 3, 0.62, 0.03, 200),
            Of(1.8, 0.80, 0.8, 1.8, 6, 0.58, 0.10, 150),
            Of(0.25, 0.40, 18, 1.05, 40, 0.88, 0.85, 200),
            Of(0.9, 0.50, 9, 2.4, 20, 0.60, 0.60, 200),
            Of(2.6, 0.48, 0.05, 1.2, 0.5, 0.60, 0.01, 300),
            Of(0.9, 0.42, 2.5, 1.3, 15, 0.68, 0.30, 2500),
            Of(0.35, 0.22, 0.01, 1, 0.05, 0.90, 0, 100),
            Of(0.7, 0.40, 2, 1.2, 12, 0.70, 0.20, 3000),
        ];
    }
}
