namespace Keck.Bpf;

/// <summary>What has been reported of one thread on one CPU.</summary>
internal struct EntryShadow
{
    internal ulong Nanoseconds;
    internal ulong Weighted;
    internal ulong SharedNanoseconds;

    /// <summary>CPU + 1; 0 for none.</summary>
    internal uint CpuPlusOne;
}
