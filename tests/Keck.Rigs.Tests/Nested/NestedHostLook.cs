namespace Keck.Rigs.Tests;

/// <summary>What the host agent says at one moment.</summary>
internal sealed record NestedHostLook
{
    /// <summary>The ledger's epoch.</summary>
    internal required string Epoch { get; init; }

    /// <summary>Energy whose runs nobody knows, all meters, µJ.</summary>
    internal required long Unattributed { get; init; }

    internal required NestedMachineLook A { get; init; }

    internal required NestedMachineLook B { get; init; }
}
