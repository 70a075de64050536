using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Runs the attribution over a trace: the same code as on a live machine.</summary>
public static class Replay
{
    /// <summary>Replays a trace and writes who owned its energy, one line a tick.</summary>
    /// <param name="trace">The trace, plain or gzip.</param>
    /// <param name="options">What to do otherwise than recorded.</param>
    /// <param name="output">Where the lines go.</param>
    /// <exception cref="TraceFormatException">The trace cannot be understood; the ticks before are written.</exception>
    public static ReplaySummary Run(Stream trace, ReplayOptions options, Stream output)
    {
        using TraceReader reader = new(trace);
        if (options.Profile?.Stale(reader.Header.Cpu, reader.Header.Topology) is { } stale)
        {
            throw new TraceFormatException($"the calibration does not fit this machine: {stale}");
        }

        using ReplayWriter writer = new(output);
        TraceInitialState? state = reader.Header.InitialState;
        AttributionOptions attribution = state?.Attribution ?? new AttributionOptions();
        if (state is null && reader.Header.Cpu is { } cpu)
        {
            // As the live attribution would have started.
            attribution = attribution with { IdlePrior = options.IdlePrior?.Invoke(cpu) };
        }

        if (options.OverrideModel)
        {
            attribution = attribution with { Model = options.Model };
        }

        attribution = attribution with { Signatures = options.Signatures ?? attribution.Signatures, Profile = options.Profile };
        IdlePolicy idle = options.Idle ?? state?.Idle ?? IdlePolicy.Separate;
        Attributor attributor = state is null || options.ColdStart
            ? new Attributor(attribution)
            : new Attributor(attribution, Carried(state, options.Profile), reader.Header.Meters);
        SortedDictionary<string, long> energy = new(StringComparer.Ordinal);
        long length = 0;
        while (reader.Read())
        {
            try
            {
                TickAttribution result = attributor.Attribute(reader.Observation);
                writer.Write(reader.Observation, result, idle);
                for (int k = 0; k < result.Meters.Length; k++)
                {
                    string id = result.Meters[k].Id;
                    energy[id] = energy.GetValueOrDefault(id) + result.Shares[k].Total;
                }
            }
            catch (OverflowException e)
            {
                throw new TraceFormatException($"tick {reader.Observation.Tick}: its figures are too large to be added up; no machine has such", e);
            }

            length += reader.Observation.Length.Nanoseconds;
        }

        return new ReplaySummary
        {
            Header = reader.Header,
            Ticks = reader.Ticks,
            Length = new MonotonicSpan(length),
            Energy = energy.ToImmutableSortedDictionary(pair => pair.Key, pair => new Microjoules(pair.Value), StringComparer.Ordinal),
            Idle = idle,
            Cut = reader.Cut,
        };
    }

    // What another commissioning run, or none, had left as floors is not what this one found.
    private static AttributorState Carried(TraceInitialState state, MachineProfile? profile) =>
        profile is null || profile.Hash == state.Calibration ? state.State : state.State with { Floors = profile.Floors(state.State.Floors) };
}
