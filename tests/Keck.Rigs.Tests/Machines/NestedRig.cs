using System.Globalization;

namespace Keck.Rigs.Tests;

/// <summary>
/// Rig (d): a KVM host under software emulation (L1) with systemd, libvirt, vhost-vsock, eBPF, and RAPL, power meter and cpufreq out of
/// modules of ours. It boots once and is kept as a snapshot; each rig is that snapshot, untouched by the one before.
/// </summary>
internal sealed class NestedRig : IAsyncDisposable
{
    private const string Snapshot = "warm";
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan Command = TimeSpan.FromMinutes(5);
    private static readonly Lazy<Task> SnapshotOnce = new(TakeSnapshotAsync);
    private readonly QemuMachine _machine = new();

    /// <summary>L1's serial console.</summary>
    internal LineLog Console => _machine.Console;

    /// <summary>A host that has just booted: libvirtd answers, no domain is defined, the clock is right.</summary>
    internal static async Task<NestedRig> StartAsync(CancellationToken cancellationToken)
    {
        await SnapshotOnce.Value.WaitAsync(cancellationToken);
        NestedRig rig = new();
        try
        {
            string disk = rig._machine.PathOf("disk");
            File.Copy(Preparation.Made("nested", "warm.qcow2"), disk);
            rig.Start(disk, "-loadvm", Snapshot);
            string now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
            _ = (await rig._machine.RunAsync($"date -s @{now[..^3]}.{now[^3..]}", default, Boot, cancellationToken)).Succeeded();
            return rig;
        }
        catch
        {
            await rig.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command in L1 as root.</summary>
    internal Task<CommandResult> RunAsync(string command, CancellationToken cancellationToken) =>
        _machine.RunAsync(command, default, Command, cancellationToken);

    /// <summary>Copies a file of this machine into L1.</summary>
    internal Task CopyInAsync(string file, string path, bool executable, CancellationToken cancellationToken) =>
        _machine.CopyInAsync(file, path, executable, Command, cancellationToken);

    /// <summary>Starts a KVM guest in L1; <see cref="NestedDomain.ReadyAsync"/> waits for it.</summary>
    internal async Task<NestedDomain> StartDomainAsync(DomainOptions options, CancellationToken cancellationToken)
    {
        NestedDomain domain = new(this, options);
        await domain.StartAsync(cancellationToken);
        return domain;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    private void Start(string disk, params IEnumerable<string> further)
    {
        QemuShape shape = new()
        {
            Name = "keck-l1",
            Uuid = Guid.Parse("6b65636b-0001-4000-8000-000000000001"),
            Kernel = Preparation.Made("nested", "vmlinuz"),
            Initramfs = Preparation.Made("nested", "initrd.img"),
            CommandLine = "systemd.show_status=0",
            Cpus = 2,
            MemoryMegabytes = 3072,
        };
        _machine.Start(shape, ["-drive", $"file={disk},format=qcow2,if=virtio", .. further]);
    }

    // Boots L1 once, has libvirtd ask QEMU what it can do (slow under emulation, and kept), and stores the running machine.
    private static async Task TakeSnapshotAsync()
    {
        await Preparation.NestedAsync();
        string warm = Preparation.Made("nested", "warm.qcow2");
        if (File.Exists(warm))
        {
            return;
        }

        await using NestedRig rig = new();
        string disk = warm + ".new";
        File.Delete(disk);
        await using (OwnedProcess create = OwnedProcess.Start(
            "qemu-img", "create", "-q", "-f", "qcow2", "-b", Preparation.Made("nested", "l1.ext4"), "-F", "raw", disk))
        {
            await create.WaitForExitAsync(Boot, CancellationToken.None);
        }

        rig.Start(disk);
        CommandResult state = await rig._machine.RunAsync("systemctl is-system-running --wait", default, Boot, CancellationToken.None);
        if (state.Output.Trim() != "running")
        {
            CommandResult failed = await rig.RunAsync("systemctl --failed --no-pager; journalctl -p err --no-pager", CancellationToken.None);
            throw new RigException($"L1 came up {state.Output}\n{failed.Output}");
        }

        _ = (await rig.RunAsync("virsh -c qemu:///system domcapabilities --virttype kvm >/dev/null && sync", CancellationToken.None)).Succeeded();
        await rig._machine.Monitor.RunAsync($"savevm {Snapshot}", Boot, CancellationToken.None);
        await rig._machine.Monitor.QuitAsync(CancellationToken.None);
        await rig._machine.WaitForExitAsync(Boot, CancellationToken.None);
        File.Move(disk, warm);
    }
}
