using System.Globalization;
using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf.Frequency;

/// <summary>APERF and MPERF through the kernel's perf <c>msr</c> PMU, one pair of events per CPU.</summary>
internal sealed class AperfReader : IFrequencyReader
{
    private readonly SafeDescriptor?[] _aperf;
    private readonly SafeDescriptor?[] _mperf;
    private readonly RatioCounter[] _counters;
    private readonly long _baseKiloHertz;

    private AperfReader(int cpus, long baseKiloHertz)
    {
        _aperf = new SafeDescriptor?[cpus];
        _mperf = new SafeDescriptor?[cpus];
        _counters = new RatioCounter[cpus];
        _baseKiloHertz = baseKiloHertz;
    }

    /// <inheritdoc/>
    public FrequencyOrigin Origin => FrequencyOrigin.Aperf;

    /// <summary>Null where the PMU lacks the events (most VMs), may not be opened, or the base frequency is unknown.</summary>
    internal static IFrequencyReader? Open(string sysRoot, Kilohertz? frequency, int cpus)
    {
        string pmu = Path.Combine(sysRoot, "bus/event_source/devices/msr");
        if (frequency is not { Value: > 0 } known || Number(Path.Combine(pmu, "type"), "") is not { } type
            || Number(Path.Combine(pmu, "events/aperf"), "event=") is not { } aperf || Number(Path.Combine(pmu, "events/mperf"), "event=") is not { } mperf)
        {
            return null;
        }

        var reader = new AperfReader(cpus, known.Value);
        bool any = false;
        for (int cpu = 0; cpu < cpus; cpu++)
        {
            reader._aperf[cpu] = PerfEvent.Open((uint)type, aperf, cpu);
            reader._mperf[cpu] = PerfEvent.Open((uint)type, mperf, cpu);
            any |= reader._mperf[cpu] is not null;
        }

        if (any)
        {
            return reader;
        }

        reader.Dispose();
        return null;
    }

    /// <summary>A number in a PMU's file, such as <c>event=0x01</c>; null where it is not there or is none.</summary>
    internal static ulong? Number(string file, string prefix)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        ReadOnlySpan<char> text = File.ReadAllText(file).AsSpan().Trim();
        if (!text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return null;
        }

        text = text[prefix.Length..];
        bool hex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return ulong.TryParse(hex ? text[2..] : text, hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null;
    }

    /// <inheritdoc/>
    public long Read(int cpu, long busyNanoseconds) =>
        (uint)cpu < (uint)_counters.Length && _aperf[cpu] is { } actual && _mperf[cpu] is { } reference
        && PerfEvent.Read(actual) is { } aperf && PerfEvent.Read(reference) is { } mperf
            ? _counters[cpu].Advance(aperf, mperf, _baseKiloHertz)
            : Unobserved.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafeDescriptor? descriptor in _aperf.Concat(_mperf))
        {
            descriptor?.Dispose();
        }
    }
}
