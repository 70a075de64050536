namespace Keck.Power;

/// <summary>A source whose counters go on while nobody reads them.</summary>
internal interface IMarkedSource
{
    /// <summary>Where the counter of a meter stands; null where it was never read.</summary>
    (long Microjoules, long Nanoseconds)? Mark(int meter);

    /// <summary>
    /// Counts on from an earlier mark: the next reading covers the time since, and is unattributable, or a gap where the counter
    /// may have wrapped unseen.
    /// </summary>
    void Resume(int meter, long microjoules, long nanoseconds);
}
