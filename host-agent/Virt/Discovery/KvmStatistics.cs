using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;
using Keck.Virt.Interop;

namespace Keck.Virt;

/// <summary>
/// KVM's debugfs, <c>kernel/debug/kvm/PID-FD/</c> below the sysfs root: which processes run machines, which thread runs which vCPU,
/// how long KVM polled. Root only; not there without debugfs, partly closed under kernel lockdown. Not for two threads at once.
/// </summary>
internal sealed class KvmStatistics(string sysRoot)
{
    private const int EntryLimit = 100_000;
    private readonly string _root = Path.Combine(sysRoot, "kernel/debug/kvm");
    private readonly FileText _file = new(4096);

    /// <summary>The pids of all processes that have a KVM machine, and their directories; or why they cannot be told.</summary>
    internal Absence? List(Dictionary<int, List<string>> directories)
    {
        directories.Clear();
        try
        {
            foreach (string directory in Directory.EnumerateDirectories(_root))
            {
                string name = Path.GetFileName(directory);
                int dash = name.IndexOf('-', StringComparison.Ordinal);
                if (dash > 0 && int.TryParse(name.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && directories.Count < EntryLimit)
                {
                    if (!directories.TryGetValue(pid, out List<string>? list))
                    {
                        directories.Add(pid, list = []);
                    }

                    list.Add(directory);
                }
            }

            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return Absence.NotPermitted;
        }
        catch (IOException)
        {
            return Absence.NotPresent;
        }
    }

    /// <summary>Which thread runs which vCPU, from <c>vcpuN/pid</c>; empty where it cannot be read.</summary>
    internal ImmutableArray<VcpuThread> VcpuThreads(List<string> directories)
    {
        List<VcpuThread> threads = [];
        try
        {
            foreach (string directory in directories.SelectMany(directory => Directory.EnumerateDirectories(directory, "vcpu*")))
            {
                if (int.TryParse(Path.GetFileName(directory.AsSpan())[4..], NumberStyles.None, CultureInfo.InvariantCulture, out int vcpu)
                    && Number(Path.Combine(directory, "pid")).Value is > 0 and <= int.MaxValue and var tid)
                {
                    threads.Add(new VcpuThread((int)tid, vcpu));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The machine went away while it was read.
        }

        return [.. threads.OrderBy(thread => thread.Vcpu)];
    }

    /// <summary>Halt-polling of the machine of a process, all its vCPUs together.</summary>
    internal Reading<HaltPoll> HaltPoll(int pid)
    {
        Dictionary<int, List<string>> directories = [];
        if (List(directories) is { } absent)
        {
            return absent;
        }

        if (!directories.TryGetValue(pid, out List<string>? own))
        {
            return Absence.NotPresent;
        }

        long success = 0;
        long fail = 0;
        foreach (string directory in own)
        {
            Reading<long> good = Number(Path.Combine(directory, "halt_poll_success_ns"));
            Reading<long> bad = Number(Path.Combine(directory, "halt_poll_fail_ns"));
            if (good.Value is not { } goodTime || bad.Value is not { } badTime)
            {
                return good.Value is null ? good.Reason : bad.Reason;
            }

            (success, fail) = (success + goodTime, fail + badTime);
        }

        return new HaltPoll(success, fail);
    }

    private Reading<long> Number(string path)
    {
        if (_file.Read(path) is { } absent)
        {
            return absent;
        }

        return long.TryParse(_file.Content.TrimEnd((byte)'\n'), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : Absence.Malformed;
    }
}
