using System.Diagnostics.CodeAnalysis;
using Keck.Bpf.Interop;
using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Bpf;

/// <summary>Starts the in-kernel accounting where this machine and our rights allow it.</summary>
public static partial class BpfProbe
{
    private const int NoSuchCall = 38;      // <errno.h> ENOSYS
    private const int NotPermitted = 1;     // <errno.h> EPERM
    private const int AccessDenied = 13;    // <errno.h> EACCES
    private const int NotFound = 3;         // <errno.h> ESRCH: no such type in the kernel's BTF

    /// <summary>Loads and attaches the programs.</summary>
    public static BpfStart TryStart(BpfOptions options, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        BpfStart start = Start(options, logger);
        if (start.Source is { } source)
        {
            Log.Started(logger, source.MapBytes, source.Frequency);
        }
        else
        {
            Log.Absent(logger, start.Message);
        }

        return start;
    }

    // A counter that the machine does not have would stay at zero, and absent is not zero: all of them or none.
    private static IReadOnlyList<PerfCounter> Countable(BpfOptions options)
    {
        foreach (PerfCounter counter in options.Counters)
        {
            using SafeDescriptor? open = options.Topology.Cpus.IsEmpty ? null : PerfEvent.Open(counter.Type, counter.Config, options.Topology.Cpus[0].Cpu);
            if (open is null)
            {
                return [];
            }
        }

        return options.Counters;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The caller of TryStart owns the source.")]
    private static BpfStart Start(BpfOptions options, ILogger logger)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new BpfStart(null, Absence.NotPresent, "eBPF accounting needs Linux.", "");
        }

        if (!LibBpf.IsPresent)
        {
            return new BpfStart(null, Absence.NotPresent, $"{LibBpf.Library} is not installed: install libbpf (Debian: libbpf1, Fedora: libbpf).", "");
        }

        if (!File.Exists(Path.Combine(options.SysRoot, "kernel/btf/vmlinux")))
        {
            return new BpfStart(null, Absence.NotPresent, "The kernel has no BTF (/sys/kernel/btf/vmlinux): it needs CONFIG_DEBUG_INFO_BTF.", "");
        }

        try
        {
            return new BpfStart(BpfRunSource.Start(options with { Counters = Countable(options) }, logger), default, "", "");
        }
        catch (NativeException failure)
        {
            string detail = LibBpf.TakeText();
            return failure.Errno switch
            {
                NotPermitted or AccessDenied when !Capabilities.Effective(options.ProcRoot).MayUseBpf =>
                    new BpfStart(null, Absence.NotPermitted, $"Not permitted ({failure.Message}): eBPF accounting needs CAP_BPF and CAP_PERFMON.", detail),
                NotPermitted => new BpfStart(null, Absence.NotPermitted, $"Not permitted ({failure.Message}): kernel lockdown or a container's seccomp profile forbids bpf(2).", detail),
                NoSuchCall => new BpfStart(null, Absence.NotPresent, "The kernel has no bpf(2).", detail),
                NotFound => new BpfStart(null, Absence.NotPresent, $"The kernel lacks a tracepoint that the accounting needs ({failure.Message}).", detail),
                _ => new BpfStart(null, Absence.NotPresent, $"The kernel refused the accounting programs ({failure.Message}); `doctor` shows what the verifier said.", detail),
            };
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2001, Level = LogLevel.Information, Message = "eBPF accounting runs; its maps take {MapBytes} bytes; frequency from {Frequency}")]
        internal static partial void Started(ILogger logger, long mapBytes, FrequencyOrigin frequency);

        [LoggerMessage(EventId = 2002, Level = LogLevel.Warning, Message = "No eBPF accounting: {Reason}")]
        internal static partial void Absent(ILogger logger, string reason);
    }
}
