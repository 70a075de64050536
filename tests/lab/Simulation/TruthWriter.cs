using System.Text.Json;

namespace Keck.Lab;

/// <summary>Writes the truth, one object a tick: active energy by consumer and domain, static energy by domain. µJ.</summary>
public sealed class TruthWriter : IDisposable
{
    private readonly Stream _output;
    private readonly Utf8JsonWriter _json;

    /// <summary>Writes to a stream that the caller closes.</summary>
    public TruthWriter(Stream output)
    {
        _output = output;
        _json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
    }

    /// <summary>Writes the simulation's tick.</summary>
    public void Write(LabSimulation simulation)
    {
        bool dram = simulation.Machine.HasDramMeter;
        _json.WriteStartObject();
        _json.WriteNumber("tick"u8, simulation.Observation.Tick);
        _json.WriteNumber("endNanoseconds"u8, simulation.Observation.EndNanoseconds);
        _json.WriteStartArray("consumers"u8);
        foreach (LabConsumer consumer in simulation.Truth)
        {
            if (consumer.PackageMicrojoules == 0 && consumer.DramMicrojoules == 0)
            {
                continue;
            }

            _json.WriteStartObject();
            _json.WriteString("kind"u8, consumer.Kind);
            _json.WriteString("id"u8, consumer.Id);
            Energy(consumer.PackageMicrojoules, consumer.DramMicrojoules, dram);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteStartObject("static"u8);
        Energy(simulation.StaticPackageMicrojoules, simulation.StaticDramMicrojoules, dram);
        _json.WriteEndObject();
        _json.WriteEndObject();
        _json.Flush();
        _output.WriteByte((byte)'\n');
        _json.Reset();
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    private void Energy(double package, double memory, bool dram)
    {
        _json.WriteNumber("package"u8, Math.Round(package, 3));
        if (dram)
        {
            _json.WriteNumber("dram"u8, Math.Round(memory, 3));
        }
    }
}
