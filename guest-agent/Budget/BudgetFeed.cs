using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Keck.Agent;
using Keck.Metering;
using Keck.Power;
using Keck.VsockProtocol;
using Microsoft.Extensions.Logging;

namespace Keck.Guest;

/// <summary>
/// The budget as meters: one per vCPU, and overhead, memory and static parts. The host's counters are cumulative, so a message that is
/// lost loses nothing: what it would have said is in the next. Until a host has spoken the machine is estimated, and again when it has been
/// silent for <see cref="GiveUp"/>. One thread ticks and takes messages; the rest may be called from anywhere.
/// </summary>
internal sealed partial class BudgetFeed : IMeterFeed
{
    /// <summary>Silence after which the host counts as gone and the estimate takes over.</summary>
    internal static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(10);

    private const string Overhead = "overhead";
    private const string Dram = "dram";
    private const string Static = "static";
    private const string DramStatic = Meter.StaticMemoryId;

    private readonly MeterSet _estimate;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly List<BudgetCounter> _vcpus = [];
    private readonly BudgetCounter _overhead = new(Overhead);
    private readonly BudgetCounter _dram = new(Dram);
    private readonly BudgetCounter _static = new(Static);
    private readonly BudgetCounter _dramStatic = new(DramStatic);
    private ImmutableArray<Meter> _meters = [];
    private (WireQuality, WireOrigin, int, bool) _shape;
    private string? _epoch;
    private bool _baseline;
    private bool _gap;
    private bool _inUse;
    private long _heard;
    private long _lastRead;
    private long _reached;

    /// <summary>A feed that has heard nothing.</summary>
    internal BudgetFeed(MeterSet estimate, TimeProvider time, ILogger logger) => (_estimate, _time, _logger) = (estimate, time, logger);

    /// <inheritdoc/>
    public Topology Topology => _estimate.Topology;

    /// <summary>Whether the budget is attributed; else the estimate is.</summary>
    internal bool InUse
    {
        get
        {
            lock (_gate)
            {
                return _inUse;
            }
        }
    }

    /// <summary>Energy handed to ticks since the start: vCPUs, overhead and static part; and memory with its own. µJ.</summary>
    internal (long Package, long Dram) Delivered { get; private set; }

    /// <summary>The same by meter, and up to when it reaches, ns; empty before the first tick that had any.</summary>
    internal (long ReachedNanoseconds, ImmutableArray<BudgetCount> Counters) Counts
    {
        get
        {
            lock (_gate)
            {
                return (_reached, _reached == 0 ? [] :
                [
                    .. Counters().Take(_meters.Length).Select(counter => new BudgetCount(counter.Name, counter.Delivered.Energy, counter.Delivered.Below, counter.Delivered.Above)),
                ]);
            }
        }
    }

    /// <summary>What the budget's energy is worth, by the host's word.</summary>
    internal (WireQuality Quality, WireOrigin Origin) Kind => (_shape.Item1, _shape.Item2);

    /// <summary>The host has let us in: its counters go on, or, in another epoch, begin anew.</summary>
    internal void Connected(Welcome welcome)
    {
        lock (_gate)
        {
            string epoch = Convert.ToHexStringLower(welcome.HostEpoch.Span);
            if (epoch == _epoch)
            {
                return;
            }

            if (_epoch is not null)
            {
                Log.NewEpoch(_logger);
            }

            _epoch = epoch;
            (_baseline, _gap) = (false, false);
        }
    }

    /// <summary>Takes a Budget. The first of an epoch is where counting begins.</summary>
    internal void Take(Budget budget)
    {
        lock (_gate)
        {
            _heard = _time.GetTimestamp();
            Grow(budget.VcpuActive.Count);
            if (!_inUse)
            {
                // The estimate has been attributed meanwhile: the host's figure of the same time must not come on top of it.
                (_baseline, _inUse) = (false, true);
                Log.BudgetInUse(_logger);
            }

            if (!_baseline)
            {
                Restart();
            }

            bool forward = true;
            for (int vcpu = 0; vcpu < budget.VcpuActive.Count; vcpu++)
            {
                forward &= _vcpus[vcpu].Advance(budget.VcpuActive[vcpu]);
            }

            forward &= Advance(_overhead, budget.OverheadActive) & Advance(_dram, budget.DramActive)
                & Advance(_static, budget.PackageStatic) & Advance(_dramStatic, budget.DramStatic);
            if (!forward)
            {
                Log.WentBack(_logger);
            }

            if (!_baseline)
            {
                _baseline = true;

                // A vCPU that has not run yet is not in the list; when it comes it has counted from zero.
                foreach (BudgetCounter vcpu in _vcpus.Where(static vcpu => vcpu.Value is null))
                {
                    vcpu.Restart(0, 0, 0);
                }
            }

            Shape();
        }
    }

    /// <inheritdoc/>
    public void Sample(Observation observation)
    {
        lock (_gate)
        {
            if (_inUse && _time.GetElapsedTime(_heard) > GiveUp)
            {
                (_inUse, _baseline, _gap) = (false, false, false);
                Log.HostGone(_logger, GiveUp.TotalMinutes);
            }

            if (!_inUse)
            {
                _estimate.Sample(observation);
                return;
            }

            observation.Meters = _meters;
            _lastRead = observation.EndNanoseconds;
            int meter = 0;
            bool said = false;
            foreach (BudgetCounter counter in Counters().Take(_meters.Length))
            {
                said |= counter.Said;
                Add(observation, meter++, counter);
            }

            // Energy from before this agent's start is booked with nobody's runs; from then on it is known who ran.
            _gap &= !said;
            _reached = said ? observation.EndNanoseconds : _reached;
        }
    }

    /// <summary>The meters with their figures, for the API.</summary>
    internal ImmutableArray<Keck.Agent.MeterReport> Reports()
    {
        lock (_gate)
        {
            ImmutableArray<Keck.Agent.MeterReport> estimate = MeterReports.Of(_estimate.States());
            if (!_inUse)
            {
                return estimate;
            }

            TimeSpan age = _time.GetElapsedTime(_heard);
            return
            [
                .. _meters.Zip(Counters(), (meter, counter) => new Keck.Agent.MeterReport { Meter = meter, TotalMicrojoules = counter.Value, Age = age, Path = counter.Name }),
                .. estimate.Select(report => report with { Meter = report.Meter with { Selected = false, NotSelectedBecause = "the host's budget is measured nearer to the truth" } }),
            ];
        }
    }

    /// <summary>Writes where the host's counters stand.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        lock (_gate)
        {
            if (_epoch is null || !_baseline)
            {
                return;
            }

            json.WriteStartObject("budget"u8);
            json.WriteString("epoch"u8, _epoch);
            json.WriteStartArray("counters"u8);
            foreach (BudgetCounter counter in Counters())
            {
                counter.Write(json);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    /// <summary>Goes on from where an earlier run stood: what the host counted since then is owned by nobody's runs.</summary>
    internal void Resume(JsonElement saved)
    {
        if (!saved.TryGetProperty("budget"u8, out JsonElement budget) || budget.ValueKind != JsonValueKind.Object
            || !budget.TryGetProperty("epoch"u8, out JsonElement epoch) || epoch.ValueKind != JsonValueKind.String
            || !budget.TryGetProperty("counters"u8, out JsonElement counters) || counters.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        lock (_gate)
        {
            foreach (JsonElement item in counters.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("counter"u8, out JsonElement name) && Named(name.GetString() ?? "")?.Read(item) != true)
                {
                    return;
                }
            }

            // Until the host has been silent for long, nothing is estimated: its counters have it all.
            (_epoch, _baseline, _gap, _inUse) = (epoch.GetString(), true, true, true);
            _heard = _time.GetTimestamp();
            Shape();
        }
    }

    private static bool Advance(BudgetCounter counter, WireFigure? figure) => figure is null || counter.Advance(figure);

    private IEnumerable<BudgetCounter> Counters() => _vcpus.Append(_overhead).Append(_dram).Append(_static).Append(_dramStatic);

    private BudgetCounter? Named(string name)
    {
        if (name.StartsWith("vcpu-", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int vcpu) && vcpu < ChannelProtocol.MaxVcpus)
        {
            Grow(vcpu + 1);
            return _vcpus[vcpu];
        }

        return Counters().FirstOrDefault(counter => counter.Name == name);
    }

    private void Grow(int vcpus)
    {
        while (_vcpus.Count < vcpus)
        {
            BudgetCounter added = new($"vcpu-{_vcpus.Count}");
            if (_baseline)
            {
                added.Restart(0, 0, 0);
            }

            _vcpus.Add(added);
        }
    }

    private void Restart()
    {
        foreach (BudgetCounter counter in Counters())
        {
            counter.Restart(null, 0, 0);
        }
    }

    // Another quality or origin, more vCPUs, or a policy that charges static energy, are other meters.
    private void Shape()
    {
        (WireQuality quality, WireOrigin origin) = _overhead.Kind;
        bool charged = _static.Value is not null || _dramStatic.Value is not null;
        if (_shape == (quality, origin, _vcpus.Count, charged) && !_meters.IsEmpty)
        {
            return;
        }

        _shape = (quality, origin, _vcpus.Count, charged);
        _meters = BudgetMeters.Of(_vcpus.Count, quality, charged, Topology);
    }

    private void Add(Observation observation, int meter, BudgetCounter counter)
    {
        if (!counter.Said)
        {
            return;
        }

        ref MeterSample sample = ref observation.MeterSamples.Add();
        sample.Meter = meter;
        sample.Microjoules = counter.Pending;
        sample.Milliwatts = Unobserved.Value;
        sample.ReadNanoseconds = _lastRead;
        sample.Unattributable = _gap;
        (sample.Below, sample.Above) = (counter.Below, counter.Above);
        (long package, long dram) = Delivered;
        Delivered = counter == _dram || counter == _dramStatic ? (package, dram + counter.Pending) : (package + counter.Pending, dram);
        counter.Take();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 7001, Level = LogLevel.Information, Message = "The host's budget is attributed")]
        internal static partial void BudgetInUse(ILogger logger);

        [LoggerMessage(EventId = 7002, Level = LogLevel.Warning, Message = "The host has counted anew (another host, or its ledger was lost): counting begins with its next budget")]
        internal static partial void NewEpoch(ILogger logger);

        [LoggerMessage(EventId = 7003, Level = LogLevel.Warning, Message = "A counter of the host went back within its epoch: its energy since is unknown")]
        internal static partial void WentBack(ILogger logger);

        [LoggerMessage(EventId = 7004, Level = LogLevel.Warning, Message = "The host has been silent for {Minutes} min: this machine is estimated from here on, until it speaks again")]
        internal static partial void HostGone(ILogger logger, double minutes);
    }
}
