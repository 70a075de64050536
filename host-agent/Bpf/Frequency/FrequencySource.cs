using System.Diagnostics.CodeAnalysis;
using Keck.Metering;

namespace Keck.Bpf.Frequency;

/// <summary>
/// The best way that this machine has to know its CPUs' frequencies: aperf/mperf of the perf <c>msr</c> PMU · cycles counter ·
/// <c>cpu_frequency</c> tracepoint · <c>scaling_cur_freq</c> · /dev/cpu/N/msr · base frequency · none.
/// </summary>
internal sealed class FrequencySource : IDisposable
{
    private readonly IFrequencyReader? _reader;
    private readonly long[] _kiloHertz;

    private FrequencySource(IFrequencyReader? reader, FrequencyOrigin origin, int cpus)
    {
        _reader = reader;
        Origin = origin;
        _kiloHertz = new long[cpus];
    }

    /// <summary>Which way it is.</summary>
    internal FrequencyOrigin Origin { get; }

    /// <summary>Tries the ways in order.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The source owns the reader.")]
    internal static FrequencySource Open(BpfOptions options, int cpus)
    {
        if (Precise(options, cpus) is { } precise)
        {
            return new FrequencySource(precise, precise.Origin, cpus);
        }

        if (options.FrequencyTracepoint)
        {
            return new FrequencySource(null, FrequencyOrigin.Tracepoint, cpus);
        }

        IFrequencyReader? reader = CpufreqReader.Open(options.SysRoot, cpus)
            ?? MsrReader.Open(options.DevRoot, options.Topology.BaseFrequency, cpus)
            ?? BaseReader.Open(options.Topology.BaseFrequency);
        return new FrequencySource(reader, reader?.Origin ?? FrequencyOrigin.None, cpus);
    }

    /// <summary>Whether nothing better than the tracepoint is there, and a cpufreq driver that fires it.</summary>
    internal static bool WouldUseTracepoint(BpfOptions options)
    {
        using IFrequencyReader? precise = Precise(options, 1);
        return precise is null && CpufreqReader.HasDriver(options.SysRoot);
    }

    /// <summary>Puts frequencies on the CPU samples, and cycles on runs that the kernel did not weigh itself.</summary>
    internal void Apply(Observation into, int firstRun, int firstCpu)
    {
        if (Origin == FrequencyOrigin.None)
        {
            return;
        }

        Span<CpuSample> cpus = into.Cpus.Items[firstCpu..];
        Span<RunSample> runs = into.Runs.Items[firstRun..];
        if (_reader is null)
        {
            ApplyWeighed(cpus, runs);
            return;
        }

        Array.Fill(_kiloHertz, Unobserved.Value);
        foreach (ref CpuSample cpu in cpus)
        {
            long kiloHertz = _reader.Read(cpu.Cpu, cpu.BusyNanoseconds);
            if (kiloHertz > 0)
            {
                cpu.KiloHertz = _kiloHertz[cpu.Cpu] = kiloHertz;
                cpu.FrequencyOrigin = Origin;
            }
        }

        foreach (ref RunSample run in runs)
        {
            long kiloHertz = _kiloHertz[run.Cpu];
            run.KiloCycles = kiloHertz > 0 ? (long)((UInt128)(ulong)run.Nanoseconds * (ulong)kiloHertz / 1_000_000_000) : Unobserved.Value;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reader?.Dispose();

    private static IFrequencyReader? Precise(BpfOptions options, int cpus) =>
        AperfReader.Open(options.SysRoot, options.Topology.BaseFrequency, cpus) ?? CyclesReader.Open(options.SysRoot, cpus);

    /// <summary>The kernel weighed the runs: a CPU's frequency is its runs' cycles over their time.</summary>
    private void ApplyWeighed(Span<CpuSample> cpus, Span<RunSample> runs)
    {
        Array.Clear(_kiloHertz);
        foreach (ref RunSample run in runs)
        {
            _kiloHertz[run.Cpu] += Math.Max(0, run.KiloCycles);
        }

        foreach (ref CpuSample cpu in cpus)
        {
            long busy = cpu.BusyNanoseconds - cpu.LostNanoseconds;
            if (busy > 0 && _kiloHertz[cpu.Cpu] > 0)
            {
                cpu.KiloHertz = (long)((UInt128)(ulong)_kiloHertz[cpu.Cpu] * 1_000_000_000 / (ulong)busy);
                cpu.FrequencyOrigin = FrequencyOrigin.Tracepoint;
            }
        }
    }
}
