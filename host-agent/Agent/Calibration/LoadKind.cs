namespace Keck.Host;

/// <summary>What a load makes the CPU do: kinds whose power differs at the same clock.</summary>
internal enum LoadKind
{
    /// <summary>Whole numbers in registers.</summary>
    Integer,

    /// <summary>Multiplications and additions of floating-point vectors.</summary>
    Vector,

    /// <summary>Memory read and written in order.</summary>
    Streaming,

    /// <summary>Memory read where the last read said.</summary>
    Chasing,

    /// <summary>SHA-256.</summary>
    Crypto,

    /// <summary>Short bursts of work, asleep between them.</summary>
    Waking,
}
