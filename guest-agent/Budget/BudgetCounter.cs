using System.Text.Json;
using Keck.VsockProtocol;

namespace Keck.Guest;

/// <summary>One of the host's cumulative counters, and what of it has not been given to a tick yet.</summary>
internal sealed class BudgetCounter(string name)
{
    private long _low;
    private long _high;

    /// <summary>Its name in the saved state, such as <c>vcpu-0</c>.</summary>
    internal string Name { get; } = name;

    /// <summary>The host's figure, µJ; null before the first of this epoch.</summary>
    internal long? Value { get; private set; }

    /// <summary>Energy not yet taken, µJ.</summary>
    internal long Pending { get; private set; }

    /// <summary>How far the truth may lie below <see cref="Pending"/>, µJ.</summary>
    internal long Below { get; private set; }

    /// <summary>How far above, µJ.</summary>
    internal long Above { get; private set; }

    /// <summary>Whether the host has said anything since the last <see cref="Take"/>.</summary>
    internal bool Said { get; private set; }

    /// <summary>Handed to ticks since the start, µJ, and the sums of its widths below and above.</summary>
    internal (long Energy, long Below, long Above) Delivered { get; private set; }

    /// <summary>What the host says of its energy.</summary>
    internal (WireQuality Quality, WireOrigin Origin) Kind { get; private set; }

    /// <summary>Counts on from here: the next figure's energy is the difference to these.</summary>
    internal void Restart(long? value, long low, long high)
    {
        (Value, _low, _high) = (value, low, high);
        (Pending, Below, Above, Said) = (0, 0, 0, false);
    }

    /// <summary>Takes the host's figure.</summary>
    /// <returns>False where the counter went back: its energy since is unknown, and it counts on from here.</returns>
    internal bool Advance(WireFigure figure)
    {
        if (!figure.HasEnergyMicrojoules)
        {
            return true;
        }

        long value = (long)figure.EnergyMicrojoules;
        long low = figure.HasLowMicrojoules ? (long)figure.LowMicrojoules : value, high = figure.HasHighMicrojoules ? (long)figure.HighMicrojoules : value;
        Kind = (figure.Quality, figure.Origin);
        bool forward = true;
        if (Value is { } before)
        {
            forward = value >= before;
            if (forward)
            {
                // The widths grow with the sum; where they shrink (a rounding), nothing is known better than before.
                Pending += value - before;
                Below += Math.Max(0, value - low - (before - _low));
                Above += Math.Max(0, high - value - (_high - before));
                Said = true;
            }
        }

        (Value, _low, _high) = (value, low, high);
        return forward;
    }

    /// <summary>Gives what is pending to a tick.</summary>
    internal void Take()
    {
        Delivered = (Delivered.Energy + Pending, Delivered.Below + Below, Delivered.Above + Above);
        (Pending, Below, Above, Said) = (0, 0, 0, false);
    }

    /// <summary>Writes where it stands: name, value and bounds.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        if (Value is not { } value)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("counter"u8, Name);
        json.WriteNumber("microjoules"u8, value);
        json.WriteNumber("low"u8, _low);
        json.WriteNumber("high"u8, _high);
        json.WriteEndObject();
    }

    /// <summary>Counts on from where it was written; false where that is not to be understood.</summary>
    internal bool Read(JsonElement item)
    {
        if (!item.TryGetProperty("microjoules"u8, out JsonElement value) || !value.TryGetInt64(out long energy) || energy < 0
            || !item.TryGetProperty("low"u8, out JsonElement below) || !below.TryGetInt64(out long low)
            || !item.TryGetProperty("high"u8, out JsonElement above) || !above.TryGetInt64(out long high))
        {
            return false;
        }

        Restart(energy, low, high);
        return true;
    }
}
