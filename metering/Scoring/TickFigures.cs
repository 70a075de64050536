namespace Keck.Metering;

/// <summary>One tick of an estimate or of the truth. Filled again each tick.</summary>
public sealed class TickFigures
{
    /// <summary>Number of the tick.</summary>
    public long Tick { get; set; }

    /// <summary>End of the tick, ns; -1 where not told.</summary>
    public long EndNanoseconds { get; set; } = -1;

    /// <summary>Consumers, each once.</summary>
    public List<ConsumerFigure> Consumers { get; } = [];

    /// <summary>What belongs to nobody, µJ: in an estimate, all of <c>idle</c>; NaN where the truth does not tell.</summary>
    public double Static { get; set; }

    /// <summary>In an estimate: energy booked by meter, static parts included, µJ.</summary>
    public Dictionary<string, long> Booked { get; } = new(StringComparer.Ordinal);

    /// <summary>Starts another tick.</summary>
    public void Clear()
    {
        Consumers.Clear();
        Booked.Clear();
        (Tick, EndNanoseconds, Static) = (0, -1, 0);
    }
}
