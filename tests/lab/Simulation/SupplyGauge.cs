namespace Keck.Lab;

/// <summary>The machine's power as its BMC tells it: behind the power supply, smoothed, sampled once a second and two seconds late.</summary>
internal sealed class SupplyGauge(LabMachine machine)
{
    private readonly Queue<(double At, double Watts)> _samples = new();
    private double _smooth = double.NaN;
    private double _nextSample;
    private double _nextReading = 2.5;

    internal void Step(double now, double seconds, double watts)
    {
        double load = Math.Max(0.02, (watts + machine.OtherWatts) / machine.SupplyWatts);

        // Poor at low load, best at half load, a little worse at full.
        double efficiency = 0.94 - (0.012 / load) - (0.03 * (load - 0.5) * (load - 0.5));
        double input = (watts + machine.OtherWatts) / Math.Clamp(efficiency, 0.5, 0.96);
        _smooth = double.IsNaN(_smooth) ? input : _smooth + ((input - _smooth) * Math.Min(1, seconds / 0.5));
        if (now >= _nextSample)
        {
            _samples.Enqueue((now, _smooth));
            _nextSample += 1;
        }
    }

    /// <summary>What is read at this time, mW; null where nobody asks.</summary>
    internal long? Read(double now)
    {
        if (now < _nextReading)
        {
            return null;
        }

        _nextReading += 5;
        double watts = double.NaN;
        while (_samples.TryPeek(out (double At, double Watts) sample) && sample.At <= now - 2)
        {
            watts = _samples.Dequeue().Watts;
        }

        return double.IsNaN(watts) ? null : (long)(Math.Round(watts) * 1000);
    }
}
