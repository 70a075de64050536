using System.IO.Pipelines;

namespace Keck.VsockProtocol.Tests;

/// <summary>Two streams joined crosswise. A writer waits while the other side has so much unread.</summary>
internal sealed class MemoryDuplex : Stream
{
    internal const int Room = 32_768;
    private readonly Stream _reading;
    private readonly Stream _writing;
    private int _closed;

    private MemoryDuplex(Pipe reading, Pipe writing) => (_reading, _writing) = (reading.Reader.AsStream(), writing.Writer.AsStream());

    internal bool IsClosed => Volatile.Read(ref _closed) != 0;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    internal static (MemoryDuplex Host, MemoryDuplex Guest) Pair()
    {
        var options = new PipeOptions(pauseWriterThreshold: Room, resumeWriterThreshold: Room / 2, useSynchronizationContext: false);
        (Pipe up, Pipe down) = (new Pipe(options), new Pipe(options));
        return (new MemoryDuplex(up, down), new MemoryDuplex(down, up));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _reading.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _writing.WriteAsync(buffer, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            _writing.Dispose();
            _reading.Dispose();
        }

        base.Dispose(disposing);
    }
}
