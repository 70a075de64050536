namespace Keck.Lab;

/// <summary>
/// An energy counter as hardware shows it: it moves in steps, at moments of its own about once a millisecond, and is read a
/// little before the tick's end.
/// </summary>
internal sealed class CounterMeter(double quantum, double updateNanoseconds)
{
    private long _last = -1;

    /// <summary>Reads it.</summary>
    /// <param name="microjoules">True energy since the start, at the tick's end.</param>
    /// <param name="watts">Power just before.</param>
    /// <param name="beforeEnd">How long before the end it is read, ns.</param>
    /// <param name="random">When its last update was.</param>
    /// <returns>Energy since the previous reading, µJ.</returns>
    internal long Read(double microjoules, double watts, double beforeEnd, LabRandom random)
    {
        // W × ns = nJ.
        double age = beforeEnd + (updateNanoseconds * random.Unit());
        double shown = Math.Max(0, microjoules - (watts * age / 1e3));
        long now = Math.Max(_last, (long)Math.Floor(Math.Floor(shown / quantum) * quantum));
        long difference = _last < 0 ? now : now - _last;
        _last = now;
        return difference;
    }
}
