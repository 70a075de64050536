using System.Globalization;
using Keck.Bpf.Interop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Bpf;

/// <summary>What the run sources need, least first, and what of it is missing here.</summary>
public static class BpfDoctor
{
    /// <summary>Looks; loads the programs once where nothing stands against it, and unloads them.</summary>
    /// <param name="options">Where to look.</param>
    /// <param name="unit">The service that is to have the capabilities.</param>
    public static IReadOnlyList<CapabilityCheck> Examine(BpfOptions options, string unit = "keck-host")
    {
        ArgumentNullException.ThrowIfNull(options);
        string folder = $"/etc/systemd/system/{unit}.service.d";
        string mend = $"mkdir -p {folder} && printf '[Service]\\nAmbientCapabilities=CAP_BPF CAP_PERFMON\\n' > {folder}/bpf.conf && systemctl daemon-reload && systemctl restart {unit}";
        Capabilities capabilities = Capabilities.Effective(options.ProcRoot);
        List<CapabilityCheck> checks =
        [
            FileCheck("schedstat", Path.Combine(options.ProcRoot, "self/schedstat"), "boot a kernel with CONFIG_SCHED_INFO"),
            CgroupV2(options.SysRoot),
            FileCheck("BTF", Path.Combine(options.SysRoot, "kernel/btf/vmlinux"), "boot a kernel with CONFIG_DEBUG_INFO_BTF=y"),
            new("libbpf.so.1", LibBpf.IsPresent, LibBpf.IsPresent ? "loaded" : "not found", LibBpf.IsPresent ? "" : "apt-get install libbpf1 (or: dnf install libbpf)"),
            new("CAP_BPF", capabilities.Bpf, capabilities.Bpf ? "effective" : "missing", capabilities.Bpf ? "" : mend),
            new("CAP_PERFMON", capabilities.Perfmon, capabilities.Perfmon ? "effective" : "missing", capabilities.Perfmon ? "" : mend),
            Lockdown(options.SysRoot),
            Paranoia(options.ProcRoot, capabilities, mend),
            Tracefs(options),
        ];
        bool possible = LibBpf.IsPresent && capabilities.MayUseBpf && File.Exists(Path.Combine(options.SysRoot, "kernel/btf/vmlinux"));
        if (possible)
        {
            BpfStart start = BpfProbe.TryStart(options, NullLogger.Instance);
            using BpfRunSource? source = start.Source;
            checks.Add(source is null
                ? new("eBPF accounting", false, start.Message, start.Detail.Length > 0 ? "report this with what the verifier said: " + LastLines(start.Detail) : "")
                : new("eBPF accounting", true, string.Create(CultureInfo.InvariantCulture, $"runs; maps take {source.MapBytes} bytes; frequency from {source.Frequency}"), ""));
        }
        else
        {
            checks.Add(new("eBPF accounting", false, "not tried: see the lines above", "until then times come from schedstat and cgroups"));
        }

        return checks;
    }

    private static CapabilityCheck FileCheck(string name, string file, string mend) =>
        File.Exists(file) ? new(name, true, file, "") : new(name, false, file + " is missing", mend);

    // A second hierarchy mounted over the first would hide every controller of it: where there is one, the next boot mends it.
    private static CapabilityCheck CgroupV2(string sysRoot)
    {
        string root = Path.Combine(sysRoot, "fs/cgroup");
        bool other = Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any();
        return FileCheck(
            "cgroup v2 cpu.stat", Path.Combine(root, "cgroup.controllers"), other ? "boot with systemd.unified_cgroup_hierarchy=1" : "mount -t cgroup2 none /sys/fs/cgroup");
    }

    private static CapabilityCheck Lockdown(string sysRoot)
    {
        string file = Path.Combine(sysRoot, "kernel/security/lockdown");
        string text = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        bool confidential = text.Contains("[confidentiality]", StringComparison.Ordinal);
        return new("lockdown", !confidential, text.Length == 0 ? "off" : text, confidential ? "boot with lockdown=integrity" : "");
    }

    /// <summary>Perf counters need no more than CAP_PERFMON; without it the sysctl decides.</summary>
    private static CapabilityCheck Paranoia(string procRoot, Capabilities capabilities, string mend)
    {
        string file = Path.Combine(procRoot, "sys/kernel/perf_event_paranoid");
        string text = File.Exists(file) ? File.ReadAllText(file).Trim() : "missing";
        bool ok = File.Exists(file) && (capabilities.Perfmon || (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int level) && level <= 0));
        return new("perf events", ok, "kernel.perf_event_paranoid = " + text, ok ? "" : mend);
    }

    /// <summary>Only the frequency tracepoint is looked for there; BTF tracepoints attach without tracefs.</summary>
    private static CapabilityCheck Tracefs(BpfOptions options)
    {
        bool there = Directory.Exists(Path.Combine(options.SysRoot, "kernel/tracing/events"));
        string mounts = Path.Combine(options.ProcRoot, "self/mounts");
        bool mounted = there || (File.Exists(mounts) && File.ReadLines(mounts).Any(static line => line.Split(' ') is [_, _, "tracefs", ..]));
        return new(
            "tracefs",
            there,
            there ? "mounted" : mounted ? "mounted, but may not be read by this user (optional)" : "not mounted (optional)",
            there ? "" : mounted ? "run as root, or mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing" : "mount -t tracefs tracefs /sys/kernel/tracing");
    }

    private static string LastLines(string text) => string.Join(" | ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(3));
}
