namespace Keck.Metering.Tests;

/// <summary>A machine of 4 or 64 CPUs that draws 30 W and 5 W more for each CPU that is busy.</summary>
public sealed class CalibratorTests
{
    private const double StaticWatts = 30;
    private const double CpuWatts = 5;
    private const long TickNanoseconds = 250_000_000;

    private readonly Observation _observation = new()
    {
        Meters = [new Meter { Id = "package-0", Domain = EnergyDomain.Package, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true }],
    };

    private readonly Calibrator _calibrator = new("host", null, null);
    private int _thread = -1;

    [Fact]
    public void Fit_IdleThenBusy_FindsStaticPowerAndWhatACpuDraws()
    {
        Run(cpus: 4, (0.004, 10), (1, 8), (2, 8), (4, 8));
        MachineProfile profile = _calibrator.Fit();
        Assert.Equal((4, 1), (profile.Cpus, profile.Packages));
        Assert.InRange(profile.Static["package-0"].Watts, StaticWatts - 0.3, StaticWatts + 0.3);
        Assert.InRange(profile.Static["package-0"].Deviation, 0, 0.5);
        Assert.InRange(profile.Model(PowerNeeds.Time)!.Residual, 0, 0.01);
    }

    [Fact]
    public void Fit_LargeMachine_OneBusyCpuIsNotIdle()
    {
        // Long on one CPU of 64, 1.6 % of it, and only as long idle as is needed.
        Run(cpus: 64, (0.05, 8), (1, 60), (64, 16));
        Assert.InRange(_calibrator.Fit().Static["package-0"].Watts, StaticWatts - 0.3, StaticWatts + 0.3);
    }

    [Fact]
    public void Fit_NeverIdle_RefusesUnlessTheMachineMayBeBusy()
    {
        Run(cpus: 4, (0.8, 12), (2, 16), (4, 16));
        Assert.Contains("idle for 0.0 s", Assert.Throws<CalibrationException>(() => _calibrator.Fit()).Message, StringComparison.Ordinal);
        StaticPower found = _calibrator.Fit(busy: true).Static["package-0"];
        Assert.InRange(StaticWatts, found.Watts - found.Deviation, found.Watts + found.Deviation);

        // It does not pretend to know: 0.8 CPUs were busy at the least.
        Assert.InRange(found.Deviation, 0.8 * CpuWatts * 0.9, StaticWatts);
    }

    [Fact]
    public void Fit_NeverBusy_Refuses()
    {
        Run(cpus: 4, (0, 20));
        Assert.Contains("busy for 0.0 s", Assert.Throws<CalibrationException>(() => _calibrator.Fit(busy: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_EstimateOnly_Refuses()
    {
        _observation.Meters = [_observation.Meters[0] with { Quality = ReadingQuality.Estimated }];
        Run(cpus: 4, (0, 8), (4, 16));
        Assert.Contains("no measured meter", Assert.Throws<CalibrationException>(() => _calibrator.Fit()).Message, StringComparison.Ordinal);
    }

    private void Run(int cpus, params ReadOnlySpan<(double Busy, int Ticks)> parts)
    {
        _observation.Topology = new Topology(Enumerable.Range(0, cpus).Select(cpu => new CpuPlace(cpu, cpu, 0, 0)), null);
        foreach ((double busy, int ticks) in parts)
        {
            for (int i = 0; i < ticks; i++)
            {
                Tick(cpus, busy);
            }
        }
    }

    private void Tick(int cpus, double busy)
    {
        _observation.Begin(_observation.Tick + 1, _observation.EndNanoseconds);
        _observation.EndNanoseconds += TickNanoseconds;
        if (_thread < 0)
        {
            _thread = _observation.ThreadTable.Add(new ThreadRow { Tid = 7, Pid = 7, Name = "load" });
        }

        _observation.Threads.Add() = new ThreadSample
        {
            Row = _thread,
            FirstRun = 0,
            RunCount = cpus,
            Instructions = Unobserved.Value,
            Cycles = Unobserved.Value,
            LlcMisses = Unobserved.Value,
        };
        for (int cpu = 0; cpu < cpus; cpu++)
        {
            long ran = (long)(TickNanoseconds * Math.Clamp(busy - cpu, 0, 1));
            _observation.Runs.Add() = new RunSample { Cpu = cpu, Nanoseconds = ran, KiloCycles = Unobserved.Value };
            _observation.Cpus.Add() = new CpuSample { Cpu = cpu, BusyNanoseconds = ran, IdleNanoseconds = TickNanoseconds - ran, KiloHertz = Unobserved.Value };
        }

        _observation.MeterSamples.Add() = new MeterSample
        {
            Meter = 0,
            Microjoules = (long)((StaticWatts + (CpuWatts * busy)) * TickNanoseconds / 1e3),
            Milliwatts = Unobserved.Value,
            ReadNanoseconds = _observation.EndNanoseconds,
        };
        _calibrator.Add(_observation);
    }
}
