namespace Keck.Power;

/// <summary>Why a file gave no value.</summary>
internal enum FileFault
{
    /// <summary>It gave one.</summary>
    None,

    /// <summary>The file, its directory or the device behind it is not there.</summary>
    Missing,

    /// <summary>This process may not read it.</summary>
    Denied,

    /// <summary>It has no text.</summary>
    Empty,

    /// <summary>Its text is no whole number.</summary>
    NotANumber,

    /// <summary>A sentinel: all ones of 32, 63 or 64 bits, or a negative number.</summary>
    Sentinel,

    /// <summary>The kernel answered with an error.</summary>
    Failed,
}
