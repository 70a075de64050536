using System.Text.Json;
using Keck.Metering;

namespace Keck.Lab;

/// <summary>Scores attributions in memory: what is scored is what <c>replay</c> would have written.</summary>
public static class LabScore
{
    /// <summary>Runs a simulation through the product's attribution.</summary>
    public static AccuracyReport Of(LabSimulation simulation, AttributionOptions options)
    {
        Attributor attributor = new(options);
        return Of(simulation, (observation, output) =>
        {
            using ReplayWriter writer = new(output);
            writer.Write(observation, attributor.Attribute(observation), IdlePolicy.Separate);
        });
    }

    /// <summary>Runs a simulation through another project's formula.</summary>
    public static AccuracyReport OfPeer(LabSimulation simulation, string formula)
    {
        PeerFormulas peer = new(formula);
        return Of(simulation, (observation, output) =>
        {
            using Utf8JsonWriter json = new(output);
            peer.Write(observation, json);
        });
    }

    /// <summary>Runs a simulation through anything that writes a line of a replay for an observation.</summary>
    /// <param name="simulation">A simulation at its start.</param>
    /// <param name="estimate">Writes one tick's line.</param>
    public static AccuracyReport Of(LabSimulation simulation, Action<Observation, Stream> estimate)
    {
        ArgumentNullException.ThrowIfNull(simulation);
        ArgumentNullException.ThrowIfNull(estimate);
        AccuracyScorer scorer = new();
        using MemoryStream line = new();
        TickFigures truth = new();
        while (simulation.Advance())
        {
            line.SetLength(0);
            estimate(simulation.Observation, line);
            line.Position = 0;
            using FigureReader reader = FigureReader.Estimate(line, simulation.Header.Meters);
            if (!reader.Read())
            {
                throw new InvalidOperationException("The estimate wrote no line.");
            }

            Fill(truth, simulation);
            scorer.Add(reader.Figures, truth, simulation.Observation.Length.Nanoseconds);
            scorer.Conserved(IsConserved(simulation.Observation, reader.Figures));
        }

        return scorer.Finish();
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
                    Kind = consumer.Kind, Id = consumer.Id, Package = consumer.PackageMicrojoules, Dram = consumer.DramMicrojoules, Low = double.NaN, High = double.NaN,
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
