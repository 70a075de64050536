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

    // Hosts that a machine moves between, and comes back to, before an account of them is old.
    private const int MostLeft = 8;

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
    private readonly List<BudgetEpoch> _left = [];
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

            Leave();
            bool back = Return(epoch);
            if (_epoch is not null)
            {
                if (back)
                {
                    Log.KnownEpoch(_logger);
                }
                else
                {
                    Log.NewEpoch(_logger);
                }
            }

            _epoch = epoch;
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
                Rebase();
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
                FromZero();
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

                // From here on the estimate has it all: what any host counts meanwhile must not come on top of it.
                _left.Clear();
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
            Standing(_epoch).Write(json);
            json.WriteStartArray("left"u8);
            foreach (BudgetEpoch left in _left)
            {
                json.WriteStartObject();
                left.Write(json);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    /// <summary>Goes on from where an earlier run stood: what the host counted since then is owned by nobody's runs.</summary>
    internal void Resume(JsonElement saved)
    {
        if (!saved.TryGetProperty("budget"u8, out JsonElement budget) || BudgetEpoch.Read(budget) is not { } current)
        {
            return;
        }

        lock (_gate)
        {
            if (!GoOn(current))
            {
                return;
            }

            if (budget.TryGetProperty("left"u8, out JsonElement left) && left.ValueKind == JsonValueKind.Array)
            {
                _left.AddRange(left.EnumerateArray().Select(BudgetEpoch.Read).OfType<BudgetEpoch>().Take(MostLeft));
            }

            // Until the host has been silent for long, nothing is estimated: its counters have it all.
            (_epoch, _inUse) = (current.Epoch, true);
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
                added.CountFrom(0, 0, 0);
            }

            _vcpus.Add(added);
        }
    }

    // A vCPU that has not run yet is not in the list; when it comes it has counted from zero.
    private void FromZero()
    {
        foreach (BudgetCounter vcpu in _vcpus.Where(static vcpu => vcpu.Value is null))
        {
            vcpu.CountFrom(0, 0, 0);
        }
    }

    private void Rebase()
    {
        foreach (BudgetCounter counter in Counters())
        {
            counter.CountFrom(null, 0, 0);
        }
    }

    // Another host serves this machine now. Where the counters of the one before stand is kept: the machine may come back to it.
    private void Leave()
    {
        if (_epoch is null || !_baseline || !_inUse)
        {
            return;
        }

        _left.RemoveAll(left => left.Epoch == _epoch);
        if (_left.Count == MostLeft)
        {
            _left.RemoveAt(0);
        }

        _left.Add(Standing(_epoch));
    }

    private BudgetEpoch Standing(string epoch) => new(epoch, [.. Counters().Where(static counter => counter.Value is not null).Select(static counter => counter.Standing)]);

    // Counts on where it was left, if it was: what that host counted after its last word to us has nobody's runs. Else from its first budget on.
    private bool Return(string epoch)
    {
        (_baseline, _gap) = (false, false);
        if (_left.FindIndex(left => left.Epoch == epoch) is not (>= 0 and int index))
        {
            return false;
        }

        BudgetEpoch account = _left[index];
        _left.RemoveAt(index);
        return GoOn(account);
    }

    // False where the account names a counter that there is not: then counting begins anew.
    private bool GoOn(BudgetEpoch account)
    {
        Rebase();
        foreach (BudgetStanding standing in account.Counters)
        {
            if (Named(standing.Name) is not { } counter)
            {
                Rebase();
                return false;
            }

            counter.CountFrom(standing.Microjoules, standing.Low, standing.High);
        }

        FromZero();
        (_baseline, _gap) = (true, true);
        return true;
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

        [LoggerMessage(EventId = 7005, Level = LogLevel.Information, Message = "Back at a host that this machine has left: its counters go on; what it counted after its last word to us has no owner")]
        internal static partial void KnownEpoch(ILogger logger);

        [LoggerMessage(EventId = 7003, Level = LogLevel.Warning, Message = "A counter of the host went back within its epoch: its energy since is unknown")]
        internal static partial void WentBack(ILogger logger);

        [LoggerMessage(EventId = 7004, Level = LogLevel.Warning, Message = "The host has been silent for {Minutes} min: this machine is estimated from here on, until it speaks again")]
        internal static partial void HostGone(ILogger logger, double minutes);
    }
}
