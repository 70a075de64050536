using System.Globalization;

namespace Keck.Rigs.Tests;

/// <summary>
/// One QEMU process under software emulation: its folder of sockets, its console, and commands inside it. Both rigs are made of it.
/// </summary>
internal sealed class QemuMachine : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keck-rig-");
    private readonly RigChannel _channel;
    private OwnedProcess? _process;

    internal QemuMachine() => _channel = new RigChannel(PathOf("rig"), () => !HasExited);

    /// <summary>What the machine writes to its serial line, and QEMU's own complaints.</summary>
    internal LineLog Console => (_process ?? throw new InvalidOperationException("not started")).Log;

    /// <summary>The process id of QEMU itself on this machine.</summary>
    internal int ProcessId => int.Parse(File.ReadAllText(PathOf("pid")), CultureInfo.InvariantCulture);

    internal bool HasExited => _process is null || _process.HasExited;

    /// <summary>The monitor, for snapshots.</summary>
    internal QemuMonitor Monitor => new(PathOf("monitor"));

    /// <summary>A path in the machine's own folder; short, as a unix socket needs it.</summary>
    internal string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Starts QEMU; returns at once, not when the machine has booted.</summary>
    internal void Start(QemuShape shape, params IEnumerable<string> further)
    {
        string memory = string.Create(CultureInfo.InvariantCulture, $"{shape.MemoryMegabytes}M");
        string[] arguments =
        [
            "-name", $"guest={shape.Name},debug-threads=on", "-uuid", shape.Uuid.ToString(),
            "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-smp", shape.Cpus.ToString(CultureInfo.InvariantCulture), "-m", memory,
            // Shared memory is what a vhost-user device works on.
            "-object", $"memory-backend-memfd,id=ram,size={memory},share=on", "-machine", "q35,memory-backend=ram",
            "-nodefaults", "-no-reboot", "-display", "none",
            "-kernel", shape.Kernel, "-initrd", shape.Initramfs, "-append", $"console=ttyS0 quiet panic=-1 {shape.CommandLine}",
            "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
            "-device", "virtio-serial-pci",
            "-chardev", $"socket,id=rig,path={PathOf("rig")},server=on,wait=off", "-device", "virtserialport,chardev=rig,name=org.keck.rig.0",
            "-qmp", $"unix:{PathOf("monitor")},server=on,wait=off", "-pidfile", PathOf("pid"),
            .. further,
        ];
        _process = OwnedProcess.Start("qemu-system-x86_64", arguments);
    }

    /// <summary>Runs a command; when the machine has ended, says what its console said.</summary>
    internal async Task<CommandResult> RunAsync(string command, ReadOnlyMemory<byte> input, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            return await _channel.RunAsync(command, input, patience, cancellationToken);
        }
        catch (RigException silent)
        {
            throw new RigException($"{silent.Message}\nQEMU {(HasExited ? "has ended" : "runs")}; the console said\n{Console.Tail}", silent);
        }
    }

    /// <summary>Copies a file of this machine into the guest.</summary>
    internal async Task CopyInAsync(string file, string path, bool executable, TimeSpan patience, CancellationToken cancellationToken)
    {
        byte[] content = await File.ReadAllBytesAsync(file, cancellationToken);
        string quoted = Shell.Quote(path);
        CommandResult copied = await RunAsync(
            $"mkdir -p \"$(dirname {quoted})\" && cat >{quoted} && chmod {(executable ? "755" : "644")} {quoted}", content, patience, cancellationToken);
        _ = copied.Succeeded();
    }

    internal Task WaitForExitAsync(TimeSpan patience, CancellationToken cancellationToken) =>
        _process?.WaitForExitAsync(patience, cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Delete(_folder);
    }

    // A host agent that still runs binds its socket in here anew when it has gone: until the folder has.
    private static void Delete(DirectoryInfo folder)
    {
        const int Attempts = 100;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                folder.Delete(recursive: true);
                return;
            }
            catch (IOException) when (attempt < Attempts)
            {
                // Something was bound between the look and the removal.
            }
        }
    }
}
