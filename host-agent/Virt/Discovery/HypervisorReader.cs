using System.Globalization;
using System.Text;
using Keck.Virt.Interop;

namespace Keck.Virt;

/// <summary>Reads what procfs tells about one process that may be a hypervisor. Not for two threads at once.</summary>
internal sealed class HypervisorReader(string procRoot)
{
    private const int AncestorLimit = 4;
    private readonly FileText _file = new(HypervisorArguments.ByteLimit);

    /// <summary>Looks at a process.</summary>
    /// <param name="pid">Which one.</param>
    /// <param name="hypervisor">The hypervisor, or null.</param>
    /// <param name="daemon">The vsock daemon with its identity, or null.</param>
    /// <returns>Whether it is one of the two.</returns>
    internal bool TryRead(int pid, out HypervisorProcess? hypervisor, out (MachineProcess Process, VsockDaemon Daemon)? daemon)
    {
        (hypervisor, daemon) = (null, null);
        if (StartTicks(pid) is not { } start || _file.Read(procRoot, pid, "cmdline") is not null || _file.Content.IsEmpty)
        {
            return false;
        }

        MachineProcess process = new(pid, start);
        if (HypervisorArguments.Parse(_file.Content) is { } arguments)
        {
            string? cgroup = _file.Read(procRoot, pid, "cgroup") is null ? MachineCgroup.OfProcess(_file.Content) : null;
            string? vmi = cgroup is not null && MachineCgroup.PodUid(cgroup) is not null ? VmiUid(pid) : null;
            // All of it is this process's only if the pid has not been given again meanwhile.
            hypervisor = StartTicks(pid) == start ? new HypervisorProcess(process, arguments, cgroup, vmi) : null;
        }
        else if (VsockDaemon.Parse(_file.Content) is { } parsed)
        {
            daemon = (process, parsed);
        }

        return hypervisor is not null || daemon is not null;
    }

    /// <summary>Start of a process, ticks of 10 ms; null when it is gone or a zombie.</summary>
    internal long? StartTicks(int pid) => Stat(pid) is { Gone: false } stat ? stat.StartTicks : null;

    // KubeVirt: QEMU's ancestor in the pod is virt-launcher(-monitor) … --uid VMI-UID …
    private string? VmiUid(int pid)
    {
        int parent = pid;
        for (int i = 0; i < AncestorLimit && Stat(parent) is { Parent: > 1 } stat; i++)
        {
            parent = stat.Parent;
            if (_file.Read(procRoot, parent, "cmdline") is not null || _file.Content.IsEmpty)
            {
                return null;
            }

            List<string> arguments = HypervisorArguments.Split(_file.Content);
            int at = arguments.IndexOf("--uid");
            if (Path.GetFileName(arguments[0]).StartsWith("virt-launcher", StringComparison.Ordinal) && at > 0 && at + 1 < arguments.Count)
            {
                return MachineId.Canonical(arguments[at + 1]);
            }
        }

        return null;
    }

    private (int Parent, long StartTicks, bool Gone)? Stat(int pid)
    {
        if (_file.Read(procRoot, pid, "stat") is not null)
        {
            return null;
        }

        // 4711 (comm may hold ") (") S 1 … : the fields begin behind the last bracket; state is field 3, parent 4, start 22.
        ReadOnlySpan<byte> text = _file.Content;
        int bracket = text.LastIndexOf((byte)')');
        if (bracket < 0 || bracket + 2 >= text.Length)
        {
            return null;
        }

        string[] fields = Encoding.ASCII.GetString(text[(bracket + 2)..]).Split(' ');
        return fields.Length > 19
            && int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int parent)
            && long.TryParse(fields[19], NumberStyles.None, CultureInfo.InvariantCulture, out long start)
                ? (parent, start, fields[0] is "Z" or "X")
                : null;
    }
}
