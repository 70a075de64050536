using System.Threading.Channels;

namespace Keck.VsockProtocol.Tests;

/// <summary>A stream that tells when a Budget is written, and whether the write has to wait.</summary>
internal sealed class ProbeStream(Stream inner) : Stream
{
    private readonly Channel<bool> _writes = Channel.CreateUnbounded<bool>();

    /// <summary>Posts a Budget after the other until the writer waits for a peer that does not read; the last one's interval.</summary>
    internal async Task<ulong> FillAsync(ChannelSession session, Budget budget)
    {
        for (ulong interval = 1; ; interval++)
        {
            budget.Interval = interval;
            Assert.Equal(PostResult.Queued, session.Post(budget));
            if (await _writes.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))
            {
                return interval;
            }
        }
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ValueTask write = inner.WriteAsync(buffer, cancellationToken);
        // The writer hands over one frame at a time.
        if (buffer.Span[3] == (byte)FrameType.Budget)
        {
            _ = _writes.Writer.TryWrite(!write.IsCompleted);
        }

        return write;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }
}
