namespace Keck.Metering;

/// <summary>The leaves that share in a meter as claims of whole numbers, and their owners. Gathered once for all meters that cover the same leaves.</summary>
internal sealed class Claimants
{
    // 2^60: weights are normalised to it, so that their sum fits the fast path of the split.
    private const double WeightScale = 1L << 60;

    private readonly Column<ulong> _claims = new();
    private readonly Column<int> _ownerOf = new();

    /// <summary>Each leaf's claim; all zero where their weights are.</summary>
    internal ReadOnlySpan<ulong> Claims => _claims.Items;

    /// <summary>Sum of the claims.</summary>
    internal ulong ClaimSum { get; private set; }

    /// <summary>Index of each leaf's owner in <see cref="Owners"/>.</summary>
    internal ReadOnlySpan<int> OwnerOf => _ownerOf.Items;

    /// <summary>The owners with their sums.</summary>
    internal OwnerSums Owners { get; } = new();

    /// <summary>Whether anybody has a claim.</summary>
    internal bool Any { get; private set; }

    /// <summary>Starts to gather.</summary>
    /// <param name="leaves">How many leaves there will be.</param>
    /// <param name="weights">Sum of their weights.</param>
    /// <param name="processLimit">Process rows lie below this.</param>
    internal Filling Begin(int leaves, double weights, int processLimit)
    {
        Owners.Begin(processLimit);
        _claims.Resize(leaves);
        _ownerOf.Resize(leaves);
        ClaimSum = 0;
        Any = weights > 0;
        return new Filling(this, Any ? WeightScale / weights : 0);
    }

    /// <summary>Takes leaves in, one group after the other.</summary>
    internal ref struct Filling(Claimants into, double scale)
    {
        private int _next;

        internal void Add(ReadOnlySpan<double> weights, ReadOnlySpan<double> plains, ReadOnlySpan<double> times, ReadOnlySpan<int> owners)
        {
            into.Owners.Add(weights, plains, times, owners, into._ownerOf.Items[_next..]);
            Span<ulong> claims = into._claims.Items.Slice(_next, weights.Length);
            ulong sum = 0;
            for (int i = 0; i < claims.Length; i++)
            {
                ulong claim = unchecked((ulong)(long)(weights[i] * scale));
                claims[i] = claim;
                sum += claim;
            }

            into.ClaimSum += sum;
            _next += claims.Length;
        }
    }
}
