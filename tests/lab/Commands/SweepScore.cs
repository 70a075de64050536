using System.Globalization;
using Keck.Metering;

namespace Keck.Lab;

/// <summary>How close estimates came to the truth of one run.</summary>
internal sealed class SweepScore
{
    private const long WindowNanoseconds = 1_000_000_000;
    private readonly Dictionary<(string Kind, string Id), Sums> _sums = [];
    private readonly List<double> _widths = [];
    private long _windowStart;
    private double _windowOff;
    private double _windowTruth;
    private long _covered;
    private long _windows;
    private double _intervals;
    private double _intervalTruth;
    private double _static;
    private double _trueStatic;

    internal double Error { get; private set; }

    internal double DramError { get; private set; }

    internal double WindowError { get; private set; }

    internal double Coverage { get; private set; }

    internal double Width { get; private set; }

    internal double IntervalScore { get; private set; }

    internal double StaticError { get; private set; }

    internal Dictionary<(string Kind, string Id), Sums> Consumers => _sums;

    internal void Add(LabSimulation simulation, TickAttribution tick)
    {
        Observation observation = simulation.Observation;
        foreach (int process in tick.Processes.Items)
        {
            ref ProcessRow row = ref observation.ProcessTable[process];
            (string, string) key = row.Machine >= 0 ? ("machine", observation.Machines[row.Machine].Uuid) : ("process", row.Pid.ToString(CultureInfo.InvariantCulture));
            Sums sums = Of(key);
            for (int k = 0; k < tick.Meters.Length; k++)
            {
                (tick.Meters[k].Domain == EnergyDomain.Dram ? ref sums.Dram : ref sums.Package) += tick.Active(process, k);
            }

            sums.TickBounds.Add(tick.Bounds(process));
        }

        foreach (Sums sums in _sums.Values)
        {
            double active = sums.Package + sums.Dram - sums.Active;
            sums.Active += active;
            sums.WindowActive += active;
            (double low, double high) = (active - (sums.TickBounds.SystematicBelow + Math.Sqrt(sums.TickBounds.RandomSquare)), active + sums.TickBounds.SystematicAbove + Math.Sqrt(sums.TickBounds.RandomSquare));
            sums.WindowLow += Math.Max(0, low);
            sums.WindowHigh += high;
            sums.TickBounds = default;
        }

        foreach (LabConsumer consumer in simulation.Truth)
        {
            if (consumer.Kind is "machine" or "process" && consumer.PackageMicrojoules + consumer.DramMicrojoules > 0)
            {
                Sums sums = Of((consumer.Kind, consumer.Id));
                sums.TruePackage += consumer.PackageMicrojoules;
                sums.TrueDram += simulation.Machine.HasDramMeter ? consumer.DramMicrojoules : 0;
                sums.WindowTruth += consumer.PackageMicrojoules + (simulation.Machine.HasDramMeter ? consumer.DramMicrojoules : 0);
            }
        }

        for (int k = 0; k < tick.Meters.Length; k++)
        {
            _static += tick.Shares[k].Static;
        }

        _trueStatic += simulation.StaticPackageMicrojoules + simulation.StaticDramMicrojoules;
        if (observation.EndNanoseconds - _windowStart >= WindowNanoseconds)
        {
            CloseWindow();
            _windowStart = observation.EndNanoseconds;
        }
    }

    private void CloseWindow()
    {
        foreach (((string kind, string _), Sums sums) in _sums)
        {
            if (sums.WindowTruth > 1000)
            {
                if (kind == "machine")
                {
                    _windowOff += Math.Abs(sums.WindowActive - sums.WindowTruth);
                    _windowTruth += sums.WindowTruth;
                }

                _windows++;
                double truth = sums.WindowTruth, low = sums.WindowLow, high = sums.WindowHigh;
                _covered += truth >= low && truth <= high ? 1 : 0;
                _widths.Add((high - low) / truth);
                _intervals += high - low + (2 / 0.05 * (Math.Max(0, low - truth) + Math.Max(0, truth - high)));
                _intervalTruth += truth;
            }

            sums.WindowActive = sums.WindowTruth = sums.WindowLow = sums.WindowHigh = 0;
        }
    }

    internal void Close()
    {
        CloseWindow();
        Sums[] machines = [.. _sums.Where(pair => pair.Key.Kind == "machine").Select(pair => pair.Value)];
        double truth = machines.Sum(sums => sums.TruePackage + sums.TrueDram), dram = machines.Sum(sums => sums.TrueDram);
        Error = machines.Sum(sums => Math.Abs(sums.Package + sums.Dram - sums.TruePackage - sums.TrueDram)) / truth;
        DramError = dram > 0 ? machines.Sum(sums => Math.Abs(sums.Dram - sums.TrueDram)) / dram : double.NaN;
        WindowError = _windowOff / _windowTruth;
        Coverage = (double)_covered / _windows;
        _widths.Sort();
        Width = _widths[_widths.Count / 2];
        IntervalScore = _intervals / _intervalTruth;
        StaticError = (_static - _trueStatic) / _trueStatic;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"error {Error:P1} windows {WindowError:P1} coverage {Coverage:P1} width {Width:P1} dram {DramError:P1} static {StaticError:P1}");

    private Sums Of((string, string) key)
    {
        if (!_sums.TryGetValue(key, out Sums? sums))
        {
            sums = new Sums();
            _sums.Add(key, sums);
        }

        return sums;
    }

    internal sealed class Sums
    {
        internal double Package;
        internal double Dram;
        internal double TruePackage;
        internal double TrueDram;
        internal double Active;
        internal double WindowActive;
        internal double WindowTruth;
        internal double WindowLow;
        internal double WindowHigh;
        internal BoundSample TickBounds;
    }
}
