using Keck.Metering;

namespace Keck.Bpf.Frequency;

/// <summary>The base frequency: a constant.</summary>
internal sealed class BaseReader : IFrequencyReader
{
    private readonly long _kiloHertz;

    private BaseReader(long kiloHertz) => _kiloHertz = kiloHertz;

    /// <inheritdoc/>
    public FrequencyOrigin Origin => FrequencyOrigin.Base;

    /// <summary>Null where the base frequency is unknown.</summary>
    internal static IFrequencyReader? Open(Kilohertz? frequency) => frequency is { Value: > 0 } known ? new BaseReader(known.Value) : null;

    /// <inheritdoc/>
    public long Read(int cpu, long busyNanoseconds) => _kiloHertz;

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
