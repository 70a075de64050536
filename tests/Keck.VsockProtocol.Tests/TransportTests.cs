using System.Diagnostics;
using System.Net.Sockets;
using Keck.VsockProtocol.Interop;

namespace Keck.VsockProtocol.Tests;

/// <summary>
/// The transports against the kernel. AF_VSOCK is only bound and listened on here: a connection from this machine could reach the
/// hypervisor under it. The rigs connect over it inside machines of their own.
/// </summary>
public sealed class TransportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-channel-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Socket => Path.Combine(_folder, "vm_19269");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Unix_Connection_CarriesBytesBothWaysAndNamesThePath()
    {
        await using var listener = new UnixListener(Socket);
        await using ChannelConnection guest = await new UnixConnector(Socket).ConnectAsync(Token);
        await using ChannelConnection host = await listener.AcceptAsync(Token);
        Assert.Equal(new ChannelPeer(ChannelTransport.Unix, null, null, Socket), host.Peer);
        Assert.Equal(SourcePort.Unknown, host.Peer.SourcePort);
        byte[] large = new byte[1 << 20];
        Random.Shared.NextBytes(large);
        foreach ((ChannelConnection from, ChannelConnection to) in ((ChannelConnection, ChannelConnection)[])[(guest, host), (host, guest)])
        {
            Task write = from.Stream.WriteAsync(large, Token).AsTask();
            byte[] read = new byte[large.Length];
            await to.Stream.ReadExactlyAsync(read, Token);
            await write;
            Assert.Equal(large, read);
        }
    }

    [Fact]
    public async Task UnixListener_FileMode_IsAsAsked()
    {
        await using var listener = new UnixListener(Socket, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite, new FileInfo(Socket).UnixFileMode);
    }

    [Fact]
    public async Task UnixListener_SocketOfADeadAgent_IsReplaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Socket + ".old"));
            File.Move(Socket + ".old", Socket); // closing does not find it any more
        }

        Assert.True(Path.Exists(Socket));
        await using var listener = new UnixListener(Socket);
        await using ChannelConnection guest = await new UnixConnector(Socket).ConnectAsync(Token);
    }

    [Fact]
    public async Task UnixListener_AnotherListens_Throws()
    {
        await using var first = new UnixListener(Socket);
        ChannelException error = Assert.Throws<ChannelException>(() => new UnixListener(Socket));
        Assert.Contains("another process listens there", error.Message);
        await using ChannelConnection guest = await new UnixConnector(Socket).ConnectAsync(Token);
    }

    [Fact]
    public void UnixListener_FileInTheWay_IsLeftAlone()
    {
        File.WriteAllText(Socket, "precious");
        Assert.Contains("no socket is in the way", Assert.Throws<ChannelException>(() => new UnixListener(Socket)).Message);
        Assert.Equal("precious", File.ReadAllText(Socket));
    }

    [Fact]
    public void UnixListener_NoFolder_Throws() =>
        Assert.Contains(Socket, Assert.Throws<ChannelException>(() => new UnixListener(Socket.Replace("vm_", "no/vm_", StringComparison.Ordinal))).Message.Replace("no/", "", StringComparison.Ordinal));

    [Fact]
    public async Task UnixConnector_NobodyThere_SaysWhere()
    {
        ChannelException error = await Assert.ThrowsAsync<ChannelException>(async () => await new UnixConnector(Socket).ConnectAsync(Token));
        Assert.StartsWith($"unix:{Socket}: ", error.Message);
    }

    [Fact]
    public void HybridVsock_Path_IsTheVmmsWithThePort() => Assert.Equal("/run/vm.sock_19269", UnixListener.HybridVsock("/run/vm.sock"));

    [Fact]
    public async Task VirtioSerial_Device_IsReadAndWrittenWithoutBlockingAThread()
    {
        // A FIFO opened for both is the nearest to a serial port that every machine has: what we write comes back.
        string device = Path.Combine(_folder, "port");
        using (Process made = Process.Start("mkfifo", device))
        {
            await made.WaitForExitAsync(Token);
        }

        await using ChannelConnection port = await new VirtioSerialConnector(device).ConnectAsync(Token);
        Assert.Equal(new ChannelPeer(ChannelTransport.VirtioSerial, null, null, device), port.Peer);
        byte[] read = new byte[5];
        ValueTask<int> reading = port.Stream.ReadAsync(read, Token);
        Assert.False(reading.IsCompleted);
        await port.Stream.WriteAsync("hello"u8.ToArray(), Token);
        Assert.Equal(5, await reading);
        Assert.Equal("hello"u8.ToArray(), read);

        using var cancel = new CancellationTokenSource();
        reading = port.Stream.ReadAsync(read, cancel.Token);
        await cancel.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
    }

    [Fact]
    public async Task VirtioSerial_NobodyAtTheHostsEnd_IsTheEndOfTheStream()
    {
        // /dev/null reads as a port does that no host client holds.
        await using ChannelConnection port = await new VirtioSerialConnector("/dev/null").ConnectAsync(Token);
        Assert.Equal(0, await port.Stream.ReadAsync(new byte[10], Token));
    }

    [Fact]
    public async Task VirtioSerial_NoDevice_SaysWhich()
    {
        string device = Path.Combine(_folder, "none");
        ChannelException error = await Assert.ThrowsAsync<ChannelException>(async () => await new VirtioSerialConnector(device).ConnectAsync(Token));
        Assert.Contains($"open {device}: No such file or directory", error.Message);
    }

    [Fact]
    public void VsockEndPoint_Bytes_AreTheKernels()
    {
        System.Net.SocketAddress address = new VsockEndPoint(0x11223344, 19_269).Serialize();
        Assert.Equal("28000000454b00004433221100000000", Convert.ToHexStringLower(address.Buffer.Span[..address.Size]));
        var again = (VsockEndPoint)new VsockEndPoint(0, 0).Create(address);
        Assert.Equal((0x11223344u, 19_269u), (again.Cid, again.Port));
    }

    [Fact]
    public async Task VsockListener_Port_ListensAndIsCancelled()
    {
        Assert.SkipUnless(HasVsock, "this kernel has no AF_VSOCK (module vsock)");
        await using var listener = new VsockListener(uint.MaxValue); // VMADDR_PORT_ANY: any free one
        Assert.InRange(listener.Port, ChannelProtocol.FirstUnprivilegedPort, uint.MaxValue - 1);
        using var cancel = new CancellationTokenSource();
        ValueTask<ChannelConnection> accepting = listener.AcceptAsync(cancel.Token);
        Assert.False(accepting.IsCompleted);
        await cancel.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await accepting);
        Assert.Contains($"vsock port {listener.Port}", Assert.Throws<ChannelException>(() => new VsockListener(listener.Port)).Message);
    }

    [Fact]
    public void VsockConnector_SourcePort_IsOneOfRoots()
    {
        Assert.SkipUnless(HasVsock, "this kernel has no AF_VSOCK (module vsock)");
        var connector = new VsockConnector(2, ChannelProtocol.Port, new Random(1));
        using Socket first = connector.BindPrivileged();
        VsockEndPoint local = NativeSockets.LocalOf(first);
        Assert.InRange(local.Port, 512u, 1_023u);
        // The same choice again finds the port taken, and takes another.
        using Socket second = new VsockConnector(2, ChannelProtocol.Port, new Random(1)).BindPrivileged();
        Assert.NotEqual(local.Port, NativeSockets.LocalOf(second).Port);
        Assert.Contains("getpeername", Assert.Throws<NativeException>(() => NativeSockets.PeerOf(first)).Message);
    }

    private static bool HasVsock
    {
        get
        {
            try
            {
                NativeSockets.CreateVsock().Dispose();
                return true;
            }
            catch (NativeException)
            {
                return false;
            }
        }
    }
}
