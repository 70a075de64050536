using System.Text.Json;
using Keck.Metering;

namespace Keck.Lab;

/// <summary>Scores attributions in memory: what is scored is what <c>replay</c> would have written.</summary>
public static class LabScore
{
    /// <summary>Runs a simulation through the product's attribution.</summary>
    public static AccuracyReport Of(LabSimulation simulation, AttributionOptions options) => Of(simulation, Product(options))[0];

    /// <summary>Runs a simulation through anything that writes a line of a replay for an observation, several side by side.</summary>
    /// <param name="simulation">A simulation at its start.</param>
    /// <param name="estimates">Each writes one tick's line.</param>
    public static AccuracyReport[] Of(LabSimulation simulation, params IReadOnlyList<Action<Observation, Stream>> estimates)
    {
        ArgumentNullException.ThrowIfNull(simulation);
        ArgumentNullException.ThrowIfNull(estimates);
        AccuracyScorer[] scorers = [.. estimates.Select(_ => new AccuracyScorer())];
        using MemoryStream line = new();
        TickFigures truth = new();
        while (simulation.Advance())
        {
            Fill(truth, simulation);
            for (int i = 0; i < scorers.Length; i++)
            {
                line.SetLength(0);
                estimates[i](simulation.Observation, line);
                line.Position = 0;
                using FigureReader reader = FigureReader.Estimate(line, simulation.Header.Meters);
                if (!reader.Read())
                {
                    throw new InvalidOperationException("The estimate wrote no line.");
                }

                scorers[i].Add(reader.Figures, truth, simulation.Observation.Length.Nanoseconds);
                scorers[i].Conserved(IsConserved(simulation.Observation, reader.Figures));
            }
        }

        return [.. scorers.Select(scorer => scorer.Finish())];
    }

    /// <summary>The product's attribution, cold.</summary>
    public static Action<Observation, Stream> Product(AttributionOptions options)
    {
        Attributor attributor = new(options);
        return (observation, output) =>
        {
            using ReplayWriter writer = new(output);
            writer.Write(observation, attributor.Attribute(observation), IdlePolicy.Separate);
        };
    }

    /// <summary>Another project's formula.</summary>
    public static Action<Observation, Stream> Peer(string formula)
    {
        PeerFormulas peer = new(formula);
        return (observation, output) =>
        {
            using Utf8JsonWriter json = new(output);
            peer.Write(observation, json);
        };
    }

    /// <summary>The simulation's tick as a truth.</summary>
    public static void Fill(TickFigures truth, LabSimulation simulation)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(simulation);
        truth.Clear();
        truth.Tick = simulation.Observation.Tick;
        truth.EndNanoseconds = simulation.Observation.EndNanoseconds;
        truth.Static = simulation.StaticPackageMicrojoules + simulation.StaticDramMicrojoules;
        foreach (LabConsumer consumer in simulation.Truth)
        {
            if (consumer.PackageMicrojoules > 0 || consumer.DramMicrojoules > 0)
            {
                truth.Consumers.Add(new ConsumerFigure
                {
                    Kind = consumer.Kind,
                    Id = consumer.Id,
                    Package = consumer.PackageMicrojoules,
                    Dram = consumer.DramMicrojoules,
                    Low = double.NaN,
                    High = double.NaN,
                });
            }
        }
    }

    private static bool IsConserved(Observation observation, TickFigures figures)
    {
        foreach (ref MeterSample sample in observation.MeterSamples.Items)
        {
            Meter meter = observation.Meters[sample.Meter];
            if (meter.Selected && sample.Microjoules >= 0 && figures.Booked.GetValueOrDefault(meter.Id) != sample.Microjoules)
            {
                return false;
            }
        }

        return true;
    }
}
