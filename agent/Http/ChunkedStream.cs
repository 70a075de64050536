using System.Globalization;
using System.Text;

namespace Keck.Agent;

/// <summary>A body whose length is not known before its end: in chunks (RFC 9112, 7.1), or as it is for a client that knows none.</summary>
/// <param name="to">Where it goes.</param>
/// <param name="chunks">Whether the client knows chunks.</param>
/// <param name="patience">How long one write may take.</param>
internal sealed class ChunkedStream(Stream to, bool chunks, TimeSpan patience) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0)
        {
            return; // A chunk of nothing would be the end.
        }

        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        if (chunks)
        {
            await to.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{buffer.Length:x}\r\n")), limit.Token);
        }

        await to.WriteAsync(buffer, limit.Token);
        if (chunks)
        {
            await to.WriteAsync("\r\n"u8.ToArray(), limit.Token);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Says that this was all.</summary>
    internal async Task EndAsync(CancellationToken cancellationToken)
    {
        if (chunks)
        {
            await to.WriteAsync("0\r\n\r\n"u8.ToArray(), cancellationToken);
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
