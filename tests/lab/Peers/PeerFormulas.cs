using System.Text.Json;
using Keck.Metering;

namespace Keck.Lab;

/// <summary>
/// What others' formulas would say of the same observation, in the replay's output format, without bounds. What they give to
/// nobody is <c>idle</c>, so that every tick is conserved.
/// </summary>
/// <param name="formula">One of <see cref="Names"/>.</param>
public sealed class PeerFormulas(string formula)
{
    /// <summary>
    /// <c>kepler</c>: of each zone's energy the part that CPUs were busy is active, and goes by CPU time. <c>scaphandre</c>: all
    /// energy goes by CPU time. <c>seed</c>: all energy goes by ns × f² × (1 + 0.3 IPC + 1.5 misses per instruction).
    /// </summary>
    public static readonly string[] Names = ["kepler", "scaphandre", "seed"];

    private readonly SortedDictionary<(string Kind, string Id), double> _weights = [];

    /// <summary>Writes one tick.</summary>
    public void Write(Observation observation, Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        double active = Weigh(observation);
        double sum = _weights.Values.Sum();
        json.WriteStartObject();
        json.WriteNumber("tick"u8, observation.Tick);
        json.WriteString("model"u8, formula);
        json.WriteStartArray("consumers"u8);
        Dictionary<int, long> left = [];
        foreach (ref MeterSample sample in observation.MeterSamples.Items)
        {
            if (observation.Meters[sample.Meter].Selected && sample.Microjoules >= 0)
            {
                left[sample.Meter] = sample.Microjoules;
            }
        }

        foreach (((string kind, string id), double weight) in _weights)
        {
            json.WriteStartObject();
            json.WriteString("kind"u8, kind);
            json.WriteString("id"u8, id);
            json.WriteStartObject("microjoules"u8);
            foreach (ref MeterSample sample in observation.MeterSamples.Items)
            {
                if (left.TryGetValue(sample.Meter, out long rest))
                {
                    long share = Math.Min(rest, (long)(sample.Microjoules * active * weight / sum));
                    json.WriteNumber(observation.Meters[sample.Meter].Id, share);
                    left[sample.Meter] = rest - share;
                }
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        foreach ((int meter, long rest) in left)
        {
            json.WriteStartObject();
            json.WriteString("kind"u8, "idle"u8);
            json.WriteString("id"u8, observation.Meters[meter].Id);
            json.WriteStartObject("microjoules"u8);
            json.WriteNumber(observation.Meters[meter].Id, rest);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // Weights by consumer; returns the part of the energy that goes by them.
    private double Weigh(Observation observation)
    {
        _weights.Clear();
        double busy = 0, total = 0;
        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            busy += cpu.BusyNanoseconds + cpu.InterruptNanoseconds;
            total += cpu.BusyNanoseconds + cpu.InterruptNanoseconds + cpu.IdleNanoseconds;
        }

        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            ref ThreadRow row = ref observation.ThreadTable[thread.Row];
            (string, string) owner = row.Kernel || row.Process < 0 ? ("system", "kernel")
                : observation.Machines.At(observation.ProcessTable[row.Process].Machine) is { } machine ? ("machine", machine.Uuid)
                : ("process", row.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture));
            double factor = thread is { Instructions: > 0, Cycles: > 0 }
                ? 1 + (0.3 * thread.Instructions / thread.Cycles) + (1.5 * Math.Max(0, thread.LlcMisses) / thread.Instructions)
                : 1;
            foreach (ref RunSample run in observation.Runs.Items.Slice(thread.FirstRun, thread.RunCount))
            {
                double gigahertz = run is { KiloCycles: > 0, Nanoseconds: > 0 } ? run.KiloCycles * 1e3 / run.Nanoseconds : 1;
                double weight = formula == "seed" ? run.Nanoseconds * gigahertz * gigahertz * factor : run.Nanoseconds;
                _weights[owner] = _weights.GetValueOrDefault(owner) + weight;
            }
        }

        return formula == "kepler" && total > 0 ? busy / total : 1;
    }
}
