using Google.Protobuf;

namespace Keck.VsockProtocol.Tests;

/// <summary>The other end of a stream, played by hand.</summary>
internal sealed class TestPeer(Stream stream) : IDisposable
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(30);
    private readonly FrameReader _reader = new(stream);

    internal ValueTask SendAsync(params ReadOnlySpan<IMessage> messages)
    {
        List<byte> bytes = [];
        foreach (IMessage message in messages)
        {
            bytes.AddRange(FrameCodec.Encode(message));
        }

        return SendBytesAsync(bytes.ToArray());
    }

    internal ValueTask SendBytesAsync(byte[] bytes) => stream.WriteAsync(bytes, CancellationToken.None);

    internal async Task<T> ReceiveAsync<T>()
        where T : IMessage
    {
        ReadOutcome read = await _reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(HangGuard);
        Assert.Equal(ReadKind.Frame, read.Kind);
        return Assert.IsType<T>(read.Frame.Message);
    }

    /// <summary>Reads on until the other side closes; everything that came before.</summary>
    internal async Task<List<IMessage>> ReadToEndAsync()
    {
        List<IMessage> messages = [];
        while (true)
        {
            ReadOutcome read = await _reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(HangGuard);
            if (read.Kind != ReadKind.Frame)
            {
                return messages;
            }

            messages.Add(read.Frame.Message);
        }
    }

    public void Dispose()
    {
        _reader.Dispose();
        stream.Dispose();
    }
}
