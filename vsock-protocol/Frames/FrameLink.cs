using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>One connection in use: a reader, an outbox and its writer at work.</summary>
internal sealed class FrameLink : IAsyncDisposable
{
    // A peer that does not take our farewell does not keep us.
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(1);

    private readonly ChannelConnection _connection;
    private readonly CancellationTokenSource _stop = new();
    private readonly FrameOutbox _outbox = new();
    private readonly FrameWriter _writer;
    private readonly FrameReader _reader;
    private readonly Deadline _reading;
    private readonly Deadline _flushing;
    private readonly Task _writing;

    internal FrameLink(ChannelConnection connection, TimeSpan writeTimeout, TimeProvider time, RateBucket? bytes = null, RateBucket? frames = null)
    {
        _connection = connection;
        _reader = new FrameReader(connection.Stream, bytes, frames);
        _writer = new FrameWriter(connection.Stream, _outbox, writeTimeout, time);
        _reading = new Deadline(writeTimeout, time, _stop.Token);
        _flushing = new Deadline(FarewellTimeout, time, CancellationToken.None);
        _writing = WriteAsync();
    }

    /// <summary>Limits on what may be wrong with the bytes that come.</summary>
    internal FrameDecoder Decoder => _reader.Decoder;

    /// <summary>Whether the deadline for the peer's next frame has passed.</summary>
    internal bool Silent => _reading.Passed;

    /// <summary>Why writing ended, if it did.</summary>
    internal WriteEnd? Written { get; private set; }

    /// <summary>The peer's next frame must have come within this time from now.</summary>
    internal void ExpectWithin(TimeSpan limit) => _reading.Start(limit);

    /// <summary>The next frame, or why there is none. Ends as <see cref="ReadKind.Stopped"/> by <see cref="Stop"/>, a deadline, or when writing failed.</summary>
    internal ValueTask<ReadOutcome> ReadAsync() => _reader.ReadAsync(_reading.Token);

    /// <summary>Gives a message to the writer.</summary>
    internal PostResult Post(IMessage message) => _outbox.Post(message);

    /// <summary>Ends reading; writing goes on. May be called at any time, from anywhere.</summary>
    internal void Stop()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <summary>Sends what waits, in bounded time, and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _outbox.Complete();
        _flushing.Start();
        await _writing.ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
        _flushing.Dispose();
        _reading.Dispose();
        _reader.Dispose();
        _outbox.Dispose();
        _stop.Dispose();
    }

    /// <summary>Adds what this connection has counted.</summary>
    internal ChannelCounts AddTo(ChannelCounts sum)
    {
        FrameCounts read = Decoder.Counts;
        return new ChannelCounts(
            sum.Connections,
            sum.FramesRead + read.Frames,
            sum.FramesWritten + _writer.Written,
            sum.Superseded + _outbox.Superseded,
            sum.SkippedBytes + read.SkippedBytes,
            sum.Faults + read.Faults,
            sum.UnknownFrames + read.UnknownTypes + read.UnknownVersions);
    }

    private async Task WriteAsync()
    {
        WriteEnd end = await _writer.RunAsync(_flushing.Token).ConfigureAwait(false);
        Written = end; // before reading ends, which asks for it
        if (end != WriteEnd.Done)
        {
            Stop();
        }
    }
}
