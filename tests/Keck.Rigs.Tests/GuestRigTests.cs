using System.Net.Sockets;
using System.Text;

namespace Keck.Rigs.Tests;

/// <summary>Rig (b) by itself: bytes between a guest and this machine, without anything of ours in between.</summary>
[Trait("Speed", "slow")]
public sealed class GuestRigTests
{
    private const int Port = 19269;

    [Fact]
    public async Task Vsock_GuestConnectsToTheHost_BytesGoBothWays()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using GuestRig guest = new(new GuestOptions { Vsock = true, Cid = 5 });
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(guest.VsockPath(Port)));
        listener.Listen();
        await guest.StartAsync(cancel);

        Task<CommandResult> said = guest.RunAsync($"vsock-probe connect 2 {Port} 'hello from the guest'", cancel);
        using Socket peer = await listener.AcceptAsync(cancel);
        await using NetworkStream stream = new(peer);
        using StreamReader reader = new(stream);
        Assert.Equal("hello from the guest", await reader.ReadLineAsync(cancel));
        await stream.WriteAsync("hello from the host\n"u8.ToArray(), cancel);
        peer.Shutdown(SocketShutdown.Send);

        Assert.Equal("hello from the host\n", (await said).Succeeded());
    }

    [Fact]
    public async Task Vsock_HostConnectsToTheGuest_BytesGoBothWays()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using GuestRig guest = new(new GuestOptions { Vsock = true, Start = "vsock-probe listen 5000 1 >/dev/console &" });
        await guest.StartAsync(cancel);
        _ = (await guest.RunAsync("until grep -q vsock /proc/net/protocols; do sleep 0.1; done", cancel)).Succeeded();

        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(guest.HybridPath), cancel);
        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream);
        await stream.WriteAsync("CONNECT 5000\n"u8.ToArray(), cancel);
        Assert.StartsWith("OK ", await reader.ReadLineAsync(cancel), StringComparison.Ordinal);
        await stream.WriteAsync("reading\n"u8.ToArray(), cancel);
        Assert.Equal("ack reading", await reader.ReadLineAsync(cancel));

        string line = await guest.Console.WaitForAsync(line => line.StartsWith("from ", StringComparison.Ordinal), TimeSpan.FromMinutes(1), cancel);
        Assert.Equal("from 2: reading", line);
    }

    [Fact]
    public async Task EnergyPort_HostAndGuest_BytesGoBothWays()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using GuestRig guest = new(new GuestOptions { EnergyPort = true });
        await guest.StartAsync(cancel);
        string port = (await guest.RunAsync("grep -l org.keck.energy.0 /sys/class/virtio-ports/*/name | cut -d/ -f5", cancel)).Succeeded().Trim();

        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(guest.EnergyPath), cancel);
        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream);
        await stream.WriteAsync("to the guest\n"u8.ToArray(), cancel);
        Task<CommandResult> run = guest.RunAsync($"exec 3<>/dev/{port}; head -n 1 <&3; echo from the guest >&3", cancel);

        Assert.Equal("from the guest", await reader.ReadLineAsync(cancel));
        Assert.Equal("to the guest\n", (await run).Succeeded());
    }

    [Fact]
    public async Task Content_AProgramOfThisMachine_RunsInTheGuest()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using GuestRig guest = new(new GuestOptions
        {
            Content = image => image.AddProgram("/usr/bin/env", "/opt/env").AddLibrary("libbpf.so.1").AddText("/etc/keck/note", "a note\n"),
            Start = "echo started >/run/note",
            CommandLine = "keck.test=1",
        });
        await guest.StartAsync(cancel);

        Assert.Equal("a note\nstarted\n", (await guest.RunAsync("cat /etc/keck/note /run/note", cancel)).Succeeded());
        Assert.Contains("keck.test=1", (await guest.RunAsync("/opt/env cat /proc/cmdline", cancel)).Succeeded(), StringComparison.Ordinal);
        _ = (await guest.RunAsync("ls /lib/x86_64-linux-gnu/libbpf.so.1 /usr/lib/x86_64-linux-gnu/libbpf.so.1 2>/dev/null | grep -q libbpf", cancel)).Succeeded();
        CommandResult failed = await guest.RunAsync("echo so; exit 7", cancel);
        Assert.Equal((7, "so\n"), (failed.ExitCode, failed.Output));

        string file = Path.GetTempFileName();
        byte[] blob = new byte[3_000_001];
        new Random(7).NextBytes(blob);
        await File.WriteAllBytesAsync(file, blob, cancel);
        await guest.CopyInAsync(file, "/root/deep/er/blob", executable: false, cancel);
        File.Delete(file);
        string sum = (await guest.RunAsync("sha256sum /root/deep/er/blob", cancel)).Succeeded().Split(' ')[0];
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(blob)), sum);
    }

    [Fact]
    public async Task Dispose_StartedGuest_LeavesNoProcess()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        int qemu;
        string folder;
        await using (GuestRig guest = new(new GuestOptions { Vsock = true }))
        {
            await guest.StartAsync(cancel);
            qemu = guest.ProcessId;
            folder = Path.GetDirectoryName(guest.EnergyPath)!;
            Assert.True(Directory.Exists($"/proc/{qemu}"));
            Assert.Contains("guest=guest", Encoding.UTF8.GetString(await File.ReadAllBytesAsync($"/proc/{qemu}/cmdline", cancel)), StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists($"/proc/{qemu}"));
        Assert.False(Directory.Exists(folder));
    }
}
