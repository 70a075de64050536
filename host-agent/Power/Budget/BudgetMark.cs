namespace Keck.Power;

/// <summary>Where a budget's counter stood when it was last read.</summary>
/// <param name="Microjoules">Its value, µJ.</param>
/// <param name="Below">Its width below, µJ.</param>
/// <param name="Above">Its width above, µJ.</param>
/// <param name="ReachedNanoseconds">Up to when it reached, monotonic, ns.</param>
internal readonly record struct BudgetMark(long Microjoules, long Below, long Above, long ReachedNanoseconds)
{
    /// <summary>Whether it is of an earlier run: nobody looked since who ran.</summary>
    internal bool Resumed { get; init; }
}
