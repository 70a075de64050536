namespace Keck.Metering;

/// <summary>What was counted in a cell.</summary>
internal struct CellCounts
{
    internal long Instructions;
    internal long LlcMisses;
    internal bool Counted;
    internal bool CountedMisses;
}
