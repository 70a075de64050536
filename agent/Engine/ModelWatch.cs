using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>Says why a tick's model was not a better one.</summary>
internal sealed class ModelWatch : ITickOutlet
{
    private const double NotSeen = -1;

    // Each is read by itself: of two ticks at the worst.
    private double _frequency = NotSeen;
    private double _counters = NotSeen;

    /// <inheritdoc/>
    public void OnTick(Observation observation, TickAttribution attribution)
    {
        if (attribution.Coverage is { } coverage)
        {
            Volatile.Write(ref _frequency, coverage.Frequency);
            Volatile.Write(ref _counters, coverage.Counters);
        }
    }

    /// <summary>Why, in words; null where nothing was missing for what is allowed, or nothing has run yet.</summary>
    /// <param name="limit">The most detailed model allowed.</param>
    /// <param name="runs">The run source.</param>
    /// <param name="profile">The profile in force.</param>
    internal string? Reason(ModelKind limit, RunSourceFacts runs, AgentProfile profile)
    {
        double frequency = Volatile.Read(ref _frequency), counters = Volatile.Read(ref _counters);
        if (frequency == NotSeen)
        {
            return null;
        }

        List<string> missing = [];
        if (limit >= ModelKind.FullModel && counters < DataCoverage.Needed)
        {
            string why = runs.Counters switch
            {
                CounterState.Multiplexed => "others use the CPUs' counters too (multiplexed), so that what is counted is not known",
                CounterState.Counted => "some threads have no counts",
                _ when profile.ModelLimit < ModelKind.FullModel => $"profile {profile.Kind.Name()} asks for none",
                _ when runs.Name != "ebpf" => $"the run source {runs.Name} has none",
                _ => "the CPUs' counters cannot be had here",
            };
            missing.Add(Part("counters", counters, why));
        }

        if (limit >= ModelKind.FrequencyWeighted && frequency < DataCoverage.Needed)
        {
            missing.Add(Part("frequencies", frequency, "the CPUs' speed is not known for the rest"));
        }

        return missing.Count == 0 ? null : string.Join("; ", missing);
    }

    private static string Part(string what, double part, string why) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} for {Math.Floor(part * 100):0} % of the run time, {DataCoverage.Needed * 100:0} % are needed: {why}");
}
