using System.Text.Json;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>The documents about the machine, its meters and the agent itself.</summary>
internal static class NodeView
{
    internal static NodeDocument Node(ApiView view, IAgentState state)
    {
        NodeFacts facts = view.Node;
        Reconciliation? reconciliation = state.Reconciliation();
        RunSourceFacts runs = state.Runs();
        Dictionary<string, FloorBasis> floors = state.Floors().ToDictionary(floor => floor.Meter, floor => floor.Basis, StringComparer.Ordinal);
        return new NodeDocument
        {
            Host = facts.Host,
            Agent = facts.Agent,
            Version = facts.Version,
            Kernel = facts.Kernel,
            CpuModel = facts.CpuModel,
            Cpus = view.Ledger.Topology.Cpus.Length,
            Packages = view.Ledger.Topology.PackageCount,
            Epoch = view.Ledger.Epoch,
            EpochStartedAt = view.EpochStartedAt,
            At = view.At,
            Tick = view.Ledger.Tick,
            TickSeconds = facts.TickPeriod.TotalSeconds,
            Model = view.Ledger.Model.Name(),
            ModelReason = facts.ModelReason,
            IdlePolicy = view.Policy.Name(),
            Profile = new ProfileDocument(facts.Profile.Name(), facts.ConfiguredProfile.Name(), facts.ProfileReason, facts.ProfileChanges)
            {
                ModelLimit = (facts.ModelLimit ?? AgentProfile.Of(facts.Profile).ModelLimit).Name(),
                HistorySeries = view.HistoryLayout.Series,
                RecentSeries = view.HistoryLayout.RecentSeries,
                MetricSeries = AgentProfile.Of(facts.Profile).MetricSeriesLimit,
            },
            Calibration = facts.Calibration is { } calibration
                ? new CalibrationDocument(calibration.StateName, calibration.File, calibration.Hash, calibration.CreatedAt?.UtcDateTime, calibration.NotUsedBecause)
                : null,
            IdlePrior = facts.IdlePrior is { } prior ? new IdlePriorDocument(prior.IdleToFull, prior.Least, prior.Most, prior.Source) : null,
            RunSource = new RunSourceDocument(
                runs.Name, runs.Switches, runs.MissedSwitches, runs.LostNanoseconds / 1e9, runs.UnplacedNanoseconds / 1e9, runs.UnconfirmedCuts, runs.SlotsUsed, runs.SlotLimit)
            {
                Counters = JsonNamingPolicy.CamelCase.ConvertName(runs.Counters.ToString()),
            },
            Domains =
            [
                .. Enumerable.Range(0, view.Ledger.Meters.Length).Select(view.Domain)
                    .Select(domain => domain with { StaticBasis = floors.TryGetValue(domain.Meter, out FloorBasis basis) ? LearnedView.Basis(basis) : null, ReadSkewSeconds = state.ReadSkewSeconds(domain.Meter) }),
            ],
            ErrorRatio = reconciliation?.ErrorRatio,
            GapRatio = reconciliation?.GapRatio,
            Self = Self(view, state.Self()),
        };
    }

    /// <summary>The /api/v1/meters document; <c>keck-host meters --json</c> prints it too.</summary>
    internal static MeterList Meters(IAgentState state, DateTime at) => new(at, [.. state.Meters().Select(Meter)], state.Reconciliation());

    private static SelfDocument Self(ApiView view, SelfFacts self)
    {
        AgentProfile profile = AgentProfile.Of(view.Node.Profile);
        return new SelfDocument
        {
            Pid = self.Pid,
            CpuSeconds = self.CpuNanoseconds / 1e9,
            CpuRatio = self.CpuRatio,
            ResidentBytes = self.ResidentBytes,
            AnonymousBytes = self.AnonymousBytes,
            MapBytes = self.MapBytes,
            CpuBudgetRatio = profile.CpuBudgetRatio,
            MemoryBudgetBytes = profile.MemoryBudgetBytes,
            Energy = SelfMeter.Row(view.Ledger, self.Pid) is { } row ? view.Consumer(row) : null,
        };
    }

    private static MeterDocument Meter(MeterReport report)
    {
        Meter meter = report.Meter;
        return new MeterDocument
        {
            Id = meter.Id,
            Domain = meter.Domain.Name(),
            Package = meter.Package,
            Core = meter.Core,
            Origin = meter.Origin.Name(),
            Quality = meter.Quality.Name(),
            Selected = meter.Selected,
            NotSelectedBecause = meter.NotSelectedBecause,
            Path = report.Path,
            QuantumMicrojoules = meter.Quantum?.Value,
            EnergyMicrojoules = report.TotalMicrojoules,
            Low = report.TotalMicrojoules is { } low ? (long)Math.Floor(low * meter.LowFactor) : null,
            High = report.TotalMicrojoules is { } high ? (long)Math.Ceiling(high * meter.HighFactor) : null,
            PowerWatts = report.Watts,
            PowerLowWatts = report.Watts * meter.LowFactor,
            PowerHighWatts = report.Watts * meter.HighFactor,
            AgeSeconds = report.Age?.TotalSeconds,
            Absent = report.Absent is { } absence ? JsonNamingPolicy.CamelCase.ConvertName(absence.ToString()) : null,
            LastError = report.LastError,
            Errors = report.Errors,
        };
    }
}
