namespace Keck.Metering;

/// <summary>What a thread used, and whose it is: the row may be another's by now.</summary>
internal struct ThreadSum
{
    internal int Tid;
    internal long StartNanoseconds;
    internal long Microjoules;
    internal long CpuNanoseconds;

    internal readonly ThreadTotals Totals(in ThreadRow row) => new()
    {
        Tid = Tid,
        StartNanoseconds = StartNanoseconds,
        Name = row.Name,
        Role = row.Role,
        Microjoules = Microjoules,
        CpuNanoseconds = CpuNanoseconds,
    };
}
