namespace Keck.Metering;

/// <summary><see cref="IntegerSplit"/> with scratch of its own, kept between ticks.</summary>
internal sealed class Splitter
{
    private readonly Column<ulong> _claims = new();
    private readonly Column<ulong> _remainders = new();
    private readonly Column<long> _parts = new();

    /// <summary>What each claim got in the last split.</summary>
    internal ReadOnlySpan<long> Parts => _parts.Items;

    /// <summary>Room for claims, to be filled before <see cref="Split(long)"/>; what it holds means nothing.</summary>
    internal Span<ulong> Claims(int count)
    {
        _claims.Resize(count);
        return _claims.Items;
    }

    /// <summary>Splits by the claims filled in; false where all are zero.</summary>
    internal bool Split(long total) => Split(total, _claims.Items, IntegerSplit.Sum(_claims.Items));

    /// <summary>Splits by these claims, whose sum is known; false where all are zero.</summary>
    internal bool Split(long total, ReadOnlySpan<ulong> claims, UInt128 sum)
    {
        _remainders.Resize(claims.Length);
        _parts.Resize(claims.Length);
        return IntegerSplit.Split(total, claims, sum, _parts.Items, _remainders.Items);
    }
}
