using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using Google.Protobuf;
using Keck.VsockProtocol;

namespace Keck.Host.Tests;

/// <summary>The guest's end of a connection, played by hand.</summary>
internal sealed class RawGuest : IAsyncDisposable
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly FrameReader _reader;

    private RawGuest(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new FrameReader(_stream);
    }

    internal static Hello Hello(string? name = null) => new()
    {
        LowestVersion = 1,
        HighestVersion = 1,
        AgentVersion = "0.1.0",
        Vcpus = MadeUpMachines.Vcpus,
        NameClaim = name ?? "",
        Nonce = 7,
    };

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The guest owns its socket.")]
    internal static async Task<RawGuest> ConnectAsync(string door)
    {
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(1));
        while (true)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(door), TestContext.Current.CancellationToken);
                return new RawGuest(socket);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
            {
                // So many wait at the door that the kernel lets nobody stand in line.
                socket.Dispose();
                _ = await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Connects, greets and is welcomed.</summary>
    internal static async Task<(RawGuest Guest, Welcome Welcome)> EnterAsync(string door)
    {
        RawGuest guest = await ConnectAsync(door);
        await guest.SendAsync(Hello());
        return (guest, Assert.IsType<Welcome>(await guest.ReadAsync()));
    }

    internal async Task SendAsync(params IMessage[] messages)
    {
        foreach (IMessage message in messages)
        {
            await SendBytesAsync(FrameCodec.Encode(message));
        }
    }

    /// <summary>Sends, as far as the host takes it.</summary>
    internal async Task<bool> SendBytesAsync(byte[] bytes)
    {
        try
        {
            await _stream.WriteAsync(bytes, CancellationToken.None).AsTask().WaitAsync(HangGuard);
            return true;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return false;
        }
    }

    /// <summary>The next message; null where the host has closed the connection.</summary>
    internal async Task<IMessage?> ReadAsync()
    {
        ReadOutcome read = await _reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(HangGuard);
        return read.Kind == ReadKind.Frame ? read.Frame.Message : null;
    }

    /// <summary>The next message of a kind; those before it are dropped.</summary>
    internal async Task<T> NextAsync<T>()
        where T : class, IMessage
    {
        while (true)
        {
            IMessage? message = await ReadAsync();
            Assert.NotNull(message);
            if (message is T wanted)
            {
                return wanted;
            }
        }
    }

    /// <summary>Everything until the host closes the connection.</summary>
    internal async Task<List<IMessage>> ReadToEndAsync()
    {
        List<IMessage> messages = [];
        while (await ReadAsync() is { } message)
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>Says that nothing more will come; what the host says can still be read.</summary>
    internal void HangUp()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The host has closed it already.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _reader.Dispose();
        await _stream.DisposeAsync();
    }
}
