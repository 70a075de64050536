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

    /// <summary>Where it stands.</summary>
    internal BudgetStanding Standing => new(Name, Value ?? 0, _low, _high);

    /// <summary>Counts on from here: the next figure's energy is the difference to these. What is pending has been told, and stays.</summary>
    internal void CountFrom(long? value, long low, long high) => (Value, _low, _high) = (value, low, high);

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
}
