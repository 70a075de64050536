namespace Keck.Rigs.Tests;

/// <summary>
/// Compares what an agent has counted of a meter with our own readings of it. Their difference is one constant K, for ever; each look
/// bounds it from both sides by cause alone: what a tree counts was read before our reading after it, and a tree that is newer than the
/// one before has read the meter after our reading before that one.
/// </summary>
internal sealed class NestedMeterCheck(string meter)
{
    private long _low = long.MinValue;
    private long _high = long.MaxValue;
    private (long Before, long Counted)? _last;

    /// <summary>How exactly K is known, µJ: what a tick's time is worth.</summary>
    internal long Width => _high - _low;

    /// <summary>What the agent has counted in all.</summary>
    internal long Counted => _last?.Counted ?? 0;

    /// <summary>Takes a look.</summary>
    /// <param name="before">Our reading before the tree was asked for, µJ.</param>
    /// <param name="counted">The meter's energy in the tree, µJ.</param>
    /// <param name="after">Our reading after it.</param>
    internal void Look(long before, long counted, long after)
    {
        _high = Math.Min(_high, after - counted);
        if (_last is { } last)
        {
            Assert.True(counted >= last.Counted, $"{meter} went back from {last.Counted} to {counted} µJ");
            if (counted > last.Counted)
            {
                _low = Math.Max(_low, last.Before - counted);
            }
        }

        if (_last is null || counted > _last.Value.Counted)
        {
            _last = (before, counted);
        }

        Assert.True(_low <= _high, $"{meter}: {_low - _high} µJ were lost or counted twice (counted {counted}, read {before} and {after})");
    }

    /// <summary>After a kill the agent may have forgotten a tick that it had shown; it has the energy all the same, as nobody's.</summary>
    internal void Killed() => _last = null;
}
