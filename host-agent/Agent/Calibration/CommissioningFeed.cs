using Keck.Agent;
using Keck.Metering;

namespace Keck.Host;

/// <summary>Where the ticks of a commissioning run go: into the fit, the trace if one is kept, and at first into who else uses the machine.</summary>
internal sealed class CommissioningFeed : ITickOutlet, IDisposable
{
    private readonly Lock _gate = new();
    private readonly HostUse _use = new();
    private readonly HashSet<string> _read = [];
    private Calibrator? _calibrator;
    private TraceWriter? _trace;
    private bool _looking = true;

    /// <summary>Begins with the next tick.</summary>
    /// <param name="header">The machine.</param>
    /// <param name="trace">Where the trace goes; null for none.</param>
    internal void Begin(TraceHeader header, Stream? trace)
    {
        _calibrator = new Calibrator(header.Host, header.StartedAt, header.Cpu);
        _trace = trace is null ? null : new TraceWriter(trace, header);
    }

    public void OnTick(Observation observation, TickAttribution attribution)
    {
        lock (_gate)
        {
            _calibrator!.Add(observation);
            _trace?.Write(observation);
            if (!_looking)
            {
                return;
            }

            _use.Add(observation);
            foreach (ref MeterSample sample in observation.MeterSamples.Items)
            {
                if (sample.Microjoules > 0)
                {
                    _ = _read.Add(observation.Meters[sample.Meter].Id);
                }
            }
        }
    }

    /// <summary>Ends the look at the idle machine.</summary>
    /// <returns>Who used it, and the ids of the meters that counted energy.</returns>
    internal (HostUse Use, IReadOnlySet<string> Counted) Look()
    {
        lock (_gate)
        {
            _looking = false;
            return (_use, _read);
        }
    }

    /// <inheritdoc cref="Calibrator.Fit"/>
    internal MachineProfile Fit(bool busy) => _calibrator!.Fit(busy);

    public void Dispose() => _trace?.Dispose();
}
