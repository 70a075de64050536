using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Keck.Virt.Rig;

/// <summary>
/// A libvirtd of its own, started by hand: configuration, state and sockets in a temporary folder, which it sees mounted over the system's
/// in a mount namespace. It neither meets a libvirtd of the machine nor changes anything of it, and several rigs can run at once.
/// </summary>
internal sealed partial class LibvirtRig : IAsyncDisposable
{
    private const string Prefix = "keck-libvirt-";
    private const string Emulator = "/usr/bin/qemu-system-x86_64";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly string[] Folders = ["etc", "run", "lib", "cache", "log"];

    private readonly string _root;
    private readonly List<Process> _plain = [];
    private Process? _daemon;

    private LibvirtRig(string root) => _root = root;

    /// <summary>Why the rig cannot be here; null when it can.</summary>
    internal static string? Missing =>
        !File.Exists("/usr/sbin/libvirtd") || !File.Exists("/usr/bin/virsh") ? "libvirtd is not installed (libvirt-daemon-system, libvirt-clients)"
        : !File.Exists(Emulator) ? "QEMU is not installed (qemu-system-x86)"
        : Environment.UserName != "root" ? "libvirtd and mounts need root"
        : null;

    /// <summary>Why there are no domains of real KVM; null when there are.</summary>
    internal static string? KvmMissing => File.Exists("/dev/kvm") ? null : "no /dev/kvm on this machine: domains are software-emulated only";

    /// <summary>The read-only connection.</summary>
    internal string Uri => $"qemu+unix:///system?socket={_root}/run/libvirt-sock-ro";

    /// <summary>Pid of libvirtd.</summary>
    internal int DaemonPid => _daemon!.Id;

    private string WritableUri => $"qemu+unix:///system?socket={_root}/run/libvirt-sock";

    /// <summary>Starts libvirtd; removes first what a rig left whose test was killed.</summary>
    internal static async Task<LibvirtRig> StartAsync(CancellationToken cancellationToken)
    {
        foreach (string left in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            string owner = Path.Combine(left, "owner");
            if (File.Exists(owner) && !Directory.Exists($"/proc/{await File.ReadAllTextAsync(owner, cancellationToken)}"))
            {
                KillLeft(left);
                Directory.Delete(left, recursive: true);
            }
        }

        string root = Directory.CreateTempSubdirectory(Prefix).FullName;
        await File.WriteAllTextAsync(Path.Combine(root, "owner"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture), cancellationToken);
        foreach (string folder in Folders)
        {
            _ = Directory.CreateDirectory(Path.Combine(root, folder));
        }

        // The mounts need somewhere to be.
        foreach (string place in (string[])["/etc/libvirt", "/run/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt"])
        {
            _ = Directory.CreateDirectory(place);
        }

        // As root: /dev/kvm may be root's alone, and then libvirt would probe QEMU anew for every domain.
        await File.WriteAllTextAsync(
            Path.Combine(root, "etc/qemu.conf"), "user = \"root\"\ngroup = \"root\"\nsecurity_driver = \"none\"\nnamespaces = []\nstdio_handler = \"file\"\n", cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(root, "etc/libvirtd.conf"), "auth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\n", cancellationToken);
        if (!Directory.Exists("/sys/kernel/debug/kvm"))
        {
            _ = await RunAsync("mount", ["-t", "debugfs", "debugfs", "/sys/kernel/debug"], cancellationToken);
        }

        LibvirtRig rig = new(root);
        try
        {
            await rig.StartDaemonAsync(cancellationToken);
        }
        catch
        {
            await rig.DisposeAsync();
            throw;
        }

        return rig;
    }

    /// <summary>Starts a domain that exists while it runs.</summary>
    internal async Task CreateAsync(RigDomain domain, CancellationToken cancellationToken)
    {
        string file = Path.Combine(_root, domain.Name + ".xml");
        await File.WriteAllTextAsync(file, await XmlAsync(domain, cancellationToken), cancellationToken);
        _ = await VirshAsync(cancellationToken, "create", file);
    }

    /// <summary>Makes a domain known without starting it.</summary>
    internal async Task DefineAsync(RigDomain domain, CancellationToken cancellationToken)
    {
        string file = Path.Combine(_root, domain.Name + ".xml");
        await File.WriteAllTextAsync(file, await XmlAsync(domain, cancellationToken), cancellationToken);
        _ = await VirshAsync(cancellationToken, "define", file);
    }

    /// <summary>virsh with a connection that may change things; what it printed.</summary>
    internal async Task<string> VirshAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        (int code, string output) = await TryRunAsync("virsh", ["-c", WritableUri, "-q", .. arguments], cancellationToken);
        return code == 0
            ? output.Trim()
            : throw new InvalidOperationException($"virsh {string.Join(' ', arguments)}: {output}\nlibvirtd said: {await File.ReadAllTextAsync(Path.Combine(_root, "libvirtd.out"), cancellationToken)}");
    }

    /// <summary>Ends a domain at once. While libvirtd is still taking up its domains after a start, it can notice the end before its own command is done.</summary>
    internal async Task DestroyAsync(string domain, CancellationToken cancellationToken)
    {
        (int code, string output) = await TryRunAsync("virsh", ["-c", WritableUri, "-q", "destroy", domain], cancellationToken);
        if (code != 0 && !output.Contains("Domain not found", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"virsh destroy {domain}: {output}");
        }
    }

    /// <summary>Which thread runs which vCPU, in QEMU's own words.</summary>
    internal async Task<Dictionary<int, int>> VcpuThreadsAsync(string domain, CancellationToken cancellationToken) =>
        CpuLine().Matches(await VirshAsync(cancellationToken, "qemu-monitor-command", domain, "--hmp", "info cpus"))
            .ToDictionary(match => Number(match, 2), match => Number(match, 1));

    /// <summary>Which threads are iothreads, in QEMU's own words.</summary>
    internal async Task<HashSet<int>> IothreadsAsync(string domain, CancellationToken cancellationToken) =>
        [.. IothreadLine().Matches(await VirshAsync(cancellationToken, "qemu-monitor-command", domain, "{\"execute\":\"query-iothreads\"}")).Select(match => Number(match, 1))];

    /// <summary>Pid of a domain's QEMU.</summary>
    internal int Pid(string domain) => int.Parse(File.ReadAllText(Path.Combine(_root, "run/qemu", domain + ".pid")), CultureInfo.InvariantCulture);

    /// <summary>Path of a domain's channel socket, where it has one.</summary>
    internal string ChannelPath(string domain) => Path.Combine(_root, domain + ".sock");

    /// <summary>Starts a QEMU that libvirt knows nothing of, halted in a boot sector (real KVM) or in nothing (software emulation).</summary>
    internal async Task<Process> StartPlainAsync(string name, string? uuid, bool kvm, CancellationToken cancellationToken)
    {
        string disk = await DiskAsync(name, burns: false, cancellationToken);
        string[] id = uuid is null ? [] : ["-uuid", uuid];
        Process process = Process.Start(new ProcessStartInfo(
            Emulator,
            ["-name", $"guest={name}", .. id, "-accel", kvm ? "kvm" : "tcg", "-cpu", "qemu64", "-m", "32", "-smp", "2", "-display", "none", "-nodefaults", "-drive", $"file={disk},format=raw,if=ide"]))!;
        _plain.Add(process);
        return process;
    }

    /// <summary>Ends libvirtd as an update would (its domains go on).</summary>
    internal async Task StopDaemonAsync(CancellationToken cancellationToken)
    {
        _ = await RunAsync("kill", [DaemonPid.ToString(CultureInfo.InvariantCulture)], cancellationToken);
        await _daemon!.WaitForExitAsync(cancellationToken);
        _daemon.Dispose();
        _daemon = null;
    }

    /// <summary>Starts libvirtd and waits until it answers.</summary>
    internal async Task StartDaemonAsync(CancellationToken cancellationToken)
    {
        string mounts = string.Join(" && ", new[] { ("etc", "/etc/libvirt"), ("run", "/run/libvirt"), ("lib", "/var/lib/libvirt"), ("cache", "/var/cache/libvirt"), ("log", "/var/log/libvirt") }
            .Select(pair => $"mount --bind '{_root}/{pair.Item1}' {pair.Item2}"));
        string command = $"{mounts} && exec libvirtd -p '{_root}/libvirtd.pid' >>'{_root}/libvirtd.out' 2>&1";
        _daemon = Process.Start(new ProcessStartInfo("unshare", ["-m", "sh", "-c", command]))!;
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(Patience);
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(50));
        while (!File.Exists(Path.Combine(_root, "run/libvirt-sock-ro")) || (await TryRunAsync("virsh", ["-c", WritableUri, "-q", "list", "--all"], stop.Token)).Code != 0)
        {
            if (_daemon.HasExited)
            {
                throw new InvalidOperationException($"libvirtd ended: {await File.ReadAllTextAsync(Path.Combine(_root, "libvirtd.out"), cancellationToken)}");
            }

            _ = await poll.WaitForNextTickAsync(stop.Token);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Process plain in _plain)
        {
            if (!plain.HasExited)
            {
                plain.Kill();
            }

            await plain.WaitForExitAsync();
            plain.Dispose();
        }

        // libvirtd first: it would tell, log and tidy up after each machine.
        if (_daemon is { HasExited: false })
        {
            await StopDaemonAsync(CancellationToken.None);
        }

        KillLeft(_root);
        Directory.Delete(_root, recursive: true);
    }

    // Only what this folder's pid files name and what is by its name what they say it is.
    private static void KillLeft(string root)
    {
        string run = Path.Combine(root, "run/qemu");
        string[] files = [.. Directory.Exists(run) ? Directory.EnumerateFiles(run, "*.pid").Where(file => Path.GetFileName(file) != "driver.pid") : [], Path.Combine(root, "libvirtd.pid")];
        foreach (string file in files.Where(File.Exists))
        {
            if (int.TryParse(File.ReadAllText(file), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && File.Exists($"/proc/{pid}/comm")
                && File.ReadAllText($"/proc/{pid}/comm").TrimEnd() is "libvirtd" or "qemu-system-x86")
            {
                using Process left = Process.GetProcessById(pid);
                left.Kill();
                left.WaitForExit();
            }
        }
    }

    private async Task<string> DiskAsync(string name, bool burns, CancellationToken cancellationToken)
    {
        // cli; jmp $ burns a vCPU - sti; hlt; jmp back idles, woken by the timer 18 times a second.
        byte[] sector = new byte[512];
        byte[] code = burns ? [0xFA, 0xEB, 0xFE] : [0xFB, 0xF4, 0xEB, 0xFD];
        code.CopyTo(sector, 0);
        (sector[510], sector[511]) = (0x55, 0xAA);
        string path = Path.Combine(_root, name + ".img");
        await File.WriteAllBytesAsync(path, sector, cancellationToken);
        return path;
    }

    private async Task<string> XmlAsync(RigDomain domain, CancellationToken cancellationToken)
    {
        string disk = await DiskAsync(domain.Name, domain.Burns, cancellationToken);
        string cpu = domain.Kvm
            ? "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>kvm64</model><feature policy='disable' name='arch-capabilities'/></cpu>"
            : "";
        string channel = domain.Channel
            ? $"<channel type='unix'><source mode='bind' path='{ChannelPath(domain.Name)}'/><target type='virtio' name='org.keck.energy.0'/></channel>"
            : "";
        return $"""
            <domain type='{(domain.Kvm ? "kvm" : "qemu")}'>
              <name>{domain.Name}</name>
              {(domain.Metadata.Length > 0 ? $"<metadata>{domain.Metadata}</metadata>" : "")}
              <memory unit='MiB'>32</memory><vcpu>{domain.Vcpus}</vcpu>{(domain.Iothreads > 0 ? $"<iothreads>{domain.Iothreads}</iothreads>" : "")}
              <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os><features><acpi/></features>{cpu}
              <devices><emulator>{Emulator}</emulator>
                <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{disk}'/><target dev='hda' bus='ide'/></disk>
                {channel}<memballoon model='none'/>
              </devices>
            </domain>
            """;
    }

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        (int code, string output) = await TryRunAsync(program, arguments, cancellationToken);
        return code == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {output}");
    }

    private static async Task<(int Code, string Output)> TryRunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, process.ExitCode == 0 ? output : output + await errors);
    }

    [GeneratedRegex(@"CPU #(\d+): thread_id=(\d+)")]
    private static partial Regex CpuLine();

    [GeneratedRegex("\"thread-id\":(\\d+)")]
    private static partial Regex IothreadLine();
}
