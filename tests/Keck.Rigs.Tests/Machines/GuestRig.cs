using System.Globalization;

namespace Keck.Rigs.Tests;

/// <summary>
/// Rig (b): a guest with Debian's cloud kernel under software emulation, with AF_VSOCK or a virtio-serial port towards this machine.
/// Made in two steps, so that a test can listen on <see cref="VsockPath"/> before the guest boots.
/// </summary>
internal sealed class GuestRig(GuestOptions options) : IAsyncDisposable
{
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Command = TimeSpan.FromMinutes(2);
    private readonly QemuMachine _machine = new();
    private OwnedProcess? _vsock;

    /// <summary>The serial console.</summary>
    internal LineLog Console => _machine.Console;

    /// <summary>QEMU on this machine.</summary>
    internal int ProcessId => _machine.ProcessId;

    /// <summary>Unix socket behind the port <c>org.keck.energy.0</c>: QEMU listens, the host side connects.</summary>
    internal string EnergyPath => _machine.PathOf("energy");

    /// <summary>Where host programs connect and say <c>CONNECT port</c> to reach a listener in the guest (hybrid vsock).</summary>
    internal string HybridPath => _machine.PathOf("vsock");

    /// <summary>Where the host side listens for the guest's connections to CID 2, this port.</summary>
    internal string VsockPath(int port) => string.Create(CultureInfo.InvariantCulture, $"{HybridPath}_{port}");

    /// <summary>Boots the guest and returns when it is ready: modules loaded, <see cref="GuestOptions.Start"/> run.</summary>
    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        await Preparation.GuestAsync();
        Initramfs content = new();
        options.Content?.Invoke(content);
        _ = content.AddText("/etc/rig/start", options.Start + "\n");
        content.Write(Preparation.Made("guest", "base.img"), _machine.PathOf("initramfs"));

        List<string> devices = [];
        if (options.Vsock)
        {
            string backend = _machine.PathOf("vhost");
            _vsock = OwnedProcess.Start(
                Preparation.Made("guest", "bin", "vhost-device-vsock"),
                "--vm", string.Create(CultureInfo.InvariantCulture, $"guest-cid={options.Cid},socket={backend},uds-path={HybridPath}"));
            await Condition.HoldsAsync(() => _vsock.HasExited || File.Exists(backend), "vhost-device-vsock's socket", Command, cancellationToken);
            if (_vsock.HasExited)
            {
                throw new RigException($"vhost-device-vsock ended:\n{_vsock.Log.Tail}");
            }

            devices.AddRange("-chardev", $"socket,id=vsock,path={backend}", "-device", "vhost-user-vsock-pci,chardev=vsock");
        }

        if (options.EnergyPort)
        {
            devices.AddRange(
                "-chardev", $"socket,id=energy,path={EnergyPath},server=on,wait=off", "-device", "virtserialport,chardev=energy,name=org.keck.energy.0");
        }

        QemuShape shape = new()
        {
            Name = options.Name,
            Uuid = options.Uuid,
            Kernel = Preparation.Made("guest", "vmlinuz"),
            Initramfs = _machine.PathOf("initramfs"),
            CommandLine = options.CommandLine,
            Cpus = options.Cpus,
            MemoryMegabytes = options.MemoryMegabytes,
        };
        _machine.Start(shape, devices);
        _ = await Console.WaitForAsync(line => line.StartsWith("RIG-READY", StringComparison.Ordinal), Boot, cancellationToken);
        if (Console.Lines.FirstOrDefault(line => line.StartsWith("RIG-FAILED", StringComparison.Ordinal)) is { } failure)
        {
            throw new RigException(failure);
        }
    }

    /// <summary>Runs a command in the guest as root, under busybox's sh.</summary>
    internal Task<CommandResult> RunAsync(string command, CancellationToken cancellationToken) =>
        _machine.RunAsync(command, default, Command, cancellationToken);

    /// <summary>Copies a file into the running guest.</summary>
    internal Task CopyInAsync(string file, string path, bool executable, CancellationToken cancellationToken) =>
        _machine.CopyInAsync(file, path, executable, Command, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // QEMU first: it would complain about a device that goes.
        await _machine.DisposeAsync();
        if (_vsock is not null)
        {
            await _vsock.DisposeAsync();
        }
    }
}
