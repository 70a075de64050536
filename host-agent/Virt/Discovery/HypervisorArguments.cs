using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Keck.Virt;

/// <summary>
/// What a hypervisor's command line (<c>/proc/PID/cmdline</c>) says about its machine: QEMU under its several names, Cloud Hypervisor,
/// Firecracker. The command line is the management layer's, but names and paths in it are the owner's: everything is bounded.
/// </summary>
internal sealed record HypervisorArguments
{
    internal const int ByteLimit = 256 * 1024;
    internal const string PortName = "org.keck.energy.0";
    private const int ArgumentLimit = 8192;
    private const int VcpuLimit = 4096;
    private const uint FirstGuestCid = 3;

    /// <summary>-uuid, in canonical form; null where it is missing, no UUID, or nobody's.</summary>
    internal string? Uuid { get; init; }

    /// <summary>The UUID of -smbios type=1.</summary>
    internal string? SmbiosUuid { get; init; }

    /// <summary>-name, clean.</summary>
    internal string? Name { get; init; }

    /// <summary>-id: Proxmox's VMID; Firecracker's and Cloud Hypervisor's sandbox.</summary>
    internal string? InstanceId { get; init; }

    /// <summary>-smp; 0 where it says nothing.</summary>
    internal int Vcpus { get; init; }

    /// <summary>-m in KiB; -1 where it says nothing.</summary>
    internal long MemoryKibibytes { get; init; } = -1;

    /// <summary>The channels that the command line names whole.</summary>
    internal ImmutableArray<MachineChannel> Channels { get; init; } = [];

    /// <summary>Control sockets of vhost-user vsock devices: who listens there knows the channel.</summary>
    internal ImmutableArray<string> VhostUserSockets { get; init; } = [];

    /// <summary>Whether a monitor socket of Proxmox's is among the sockets.</summary>
    internal bool ProxmoxMonitor { get; init; }

    /// <summary>Whether it is libvirt that built the command line (its key file is named in it).</summary>
    internal bool FromLibvirt { get; init; }

    /// <summary>Reads a command line; null when it is no hypervisor's.</summary>
    internal static HypervisorArguments? Parse(ReadOnlySpan<byte> commandLine)
    {
        List<string> arguments = Split(commandLine);
        if (arguments.Count < 2)
        {
            return null;
        }

        string program = Path.GetFileName(arguments[0]);
        if (program.StartsWith("qemu-system-", StringComparison.Ordinal) || program is "qemu-kvm" or "kvm" || program.StartsWith("qemu-kvm-", StringComparison.Ordinal))
        {
            return Qemu(arguments);
        }

        return program.StartsWith("cloud-hypervisor", StringComparison.Ordinal) || program.StartsWith("firecracker", StringComparison.Ordinal) ? Small(arguments) : null;
    }

    /// <summary>The arguments of a command line, decoded; at most 8,192.</summary>
    internal static List<string> Split(ReadOnlySpan<byte> commandLine)
    {
        List<string> arguments = [];
        ReadOnlySpan<byte> text = commandLine.EndsWith((byte)0) ? commandLine[..^1] : commandLine;
        foreach (Range range in text.Split((byte)0))
        {
            if (arguments.Count == ArgumentLimit)
            {
                break;
            }

            arguments.Add(Encoding.UTF8.GetString(text[range]));
        }

        return arguments;
    }

    /// <summary>A context id that a guest can have: 3 to 2^32 - 2.</summary>
    internal static bool TryCid(string? text, out uint cid) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out cid) && cid is >= FirstGuestCid and < uint.MaxValue;

    /// <summary>A size as QEMU writes it, in KiB: a number with B, K, M (the default), G, T or nothing behind it.</summary>
    internal static long Kibibytes(string? text, char defaultUnit = 'M')
    {
        if (string.IsNullOrEmpty(text))
        {
            return -1;
        }

        char unit = char.ToUpperInvariant(text[^1]);
        string digits = char.IsAsciiLetter(text[^1]) ? text[..^1] : text;
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
        {
            return -1;
        }

        double kibibytes = (char.IsAsciiLetter(text[^1]) ? unit : defaultUnit) switch
        {
            'B' => number / 1024,
            'K' => number,
            'M' => number * 1024,
            'G' => number * 1024 * 1024,
            'T' => number * 1024 * 1024 * 1024,
            _ => -1,
        };
        return kibibytes is >= 1 and < (1L << 50) ? (long)kibibytes : -1;
    }

    private static HypervisorArguments Qemu(List<string> arguments)
    {
        HypervisorArguments result = new();
        Dictionary<string, string> sockets = [];
        List<string> vhostUser = [];
        List<string> ports = [];
        List<MachineChannel> channels = [];
        bool fromLibvirt = false;
        for (int i = 1; i + 1 < arguments.Count; i++)
        {
            string option = arguments[i];
            if (!option.StartsWith('-'))
            {
                continue;
            }

            string value = arguments[i + 1];
            bool known = true;
            switch (option.TrimStart('-'))
            {
                case "uuid":
                    result = result with { Uuid = MachineId.Canonical(value) };
                    break;
                case "name":
                    result = result with { Name = SafeText.Clean(OptionList.Parse(value, "guest")["guest"]) };
                    break;
                case "id":
                    result = result with { InstanceId = SafeText.Clean(value) };
                    break;
                case "smp":
                    result = result with { Vcpus = Count(OptionList.Parse(value, "cpus")) };
                    break;
                case "m":
                    result = result with { MemoryKibibytes = Kibibytes(OptionList.Parse(value, "size")["size"]) };
                    break;
                case "smbios":
                    OptionList table = OptionList.Parse(value, "file");
                    result = table["type"] == "1" ? result with { SmbiosUuid = MachineId.Canonical(table["uuid"]) ?? result.SmbiosUuid } : result;
                    break;
                case "chardev":
                    OptionList chardev = OptionList.Parse(value, "backend");
                    if (chardev["backend"] == "socket" && chardev["id"] is { } id && SocketPath(chardev["path"]) is { } path)
                    {
                        sockets[id] = path;
                    }

                    break;
                case "device":
                    Device(OptionList.Parse(value, "driver"), channels, vhostUser, ports);
                    break;
                case "object":
                    fromLibvirt |= value.Contains("masterKey0", StringComparison.Ordinal);
                    break;
                default:
                    known = false;
                    break;
            }

            // The value of a known option is not looked at again: it may look like an option.
            i += known ? 1 : 0;
        }

        channels.AddRange(ports.Where(sockets.ContainsKey).Select(id => new MachineChannel(ChannelKind.VirtioSerial, 0, sockets[id])));
        return result with
        {
            Channels = [.. channels.Distinct()],
            VhostUserSockets = [.. vhostUser.Where(sockets.ContainsKey).Select(id => sockets[id]).Distinct()],
            ProxmoxMonitor = sockets.Values.Any(path => path.Contains("/qemu-server/", StringComparison.Ordinal)),
            FromLibvirt = fromLibvirt,
        };
    }

    private static void Device(OptionList device, List<MachineChannel> channels, List<string> vhostUser, List<string> ports)
    {
        string driver = device["driver"] ?? "";
        if (driver.StartsWith("vhost-vsock-", StringComparison.Ordinal) && TryCid(device["guest-cid"], out uint cid))
        {
            channels.Add(new MachineChannel(ChannelKind.Vsock, cid, null));
        }
        else if (driver.StartsWith("vhost-user-vsock-", StringComparison.Ordinal) && device["chardev"] is { } control)
        {
            vhostUser.Add(control);
        }
        else if (driver is "virtserialport" && device["name"] == PortName && device["chardev"] is { } port)
        {
            ports.Add(port);
        }
    }

    private static int Count(OptionList smp)
    {
        if (smp["cpus"] is { } cpus)
        {
            return Number(cpus);
        }

        bool told = false;
        long product = 1;
        foreach (string level in (ReadOnlySpan<string>)["drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads"])
        {
            told |= smp[level] is not null;
            product *= smp[level] is { } text ? Number(text) : 1;
            if (product is < 1 or > VcpuLimit)
            {
                return 0;
            }
        }

        return told ? (int)product : 0;
    }

    private static int Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= 1 and <= VcpuLimit ? number : 0;

    private static string? SocketPath(string? path) =>
        path is { Length: > 0 and < 4096 } && path[0] == '/' && SafeText.Clean(path) == path ? path : null;

    private static HypervisorArguments Small(List<string> arguments)
    {
        HypervisorArguments result = new();
        for (int i = 1; i < arguments.Count; i++)
        {
            int equals = arguments[i].IndexOf('=', StringComparison.Ordinal);
            bool joined = arguments[i].StartsWith("--", StringComparison.Ordinal) && equals > 0;
            string option = joined ? arguments[i][..equals] : arguments[i];
            string? value = joined ? arguments[i][(equals + 1)..] : i + 1 < arguments.Count ? arguments[i + 1] : null;
            if (value is null)
            {
                break;
            }

            switch (option)
            {
                case "--id":
                    result = result with { InstanceId = SafeText.Clean(value) };
                    break;
                case "--api-socket" or "--api-sock" when result.InstanceId is null && Sandbox(value) is { } sandbox:
                    result = result with { InstanceId = sandbox, Name = $"sandbox-{sandbox}" };
                    break;
                case "--platform":
                    result = result with { Uuid = MachineId.Canonical(OptionList.Parse(value, "")["uuid"]) };
                    break;
                case "--cpus":
                    result = result with { Vcpus = Number(OptionList.Parse(value, "boot")["boot"]) };
                    break;
                case "--memory":
                    result = result with { MemoryKibibytes = Kibibytes(OptionList.Parse(value, "size")["size"], defaultUnit: 'B') };
                    break;
                case "--vsock" when SocketPath(OptionList.Parse(value, "cid")["socket"]) is { } socket:
                    result = result with { Channels = [new MachineChannel(ChannelKind.HybridVsock, 0, socket)] };
                    break;
            }
        }

        return result;
    }

    // Kata: …/vm/SANDBOX/clh-api.sock
    private static string? Sandbox(string path)
    {
        string[] parts = path.Split('/');
        int at = Array.LastIndexOf(parts, "vm");
        return at >= 0 && at + 2 == parts.Length - 1 ? SafeText.Clean(parts[at + 1]) : null;
    }
}
