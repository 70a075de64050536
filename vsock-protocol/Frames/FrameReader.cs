using System.Net.Sockets;

namespace Keck.VsockProtocol;

/// <summary>Reads frames off a stream. Never throws for what the peer does.</summary>
internal sealed class FrameReader(Stream stream, RateBucket? bytesPerSecond = null, RateBucket? framesPerSecond = null) : IDisposable
{
    /// <summary>Its decoder; the bounds for faults are set there.</summary>
    internal FrameDecoder Decoder { get; } = new();

    /// <summary>The next frame, or why there is none.</summary>
    internal async ValueTask<ReadOutcome> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (Decoder.TryRead(out Frame frame))
                {
                    return framesPerSecond?.TryTake(1) == false ? new ReadOutcome(ReadKind.Flood) : new ReadOutcome(ReadKind.Frame, frame);
                }

                if (Decoder.Failed)
                {
                    return new ReadOutcome(ReadKind.Garbage);
                }

                int count = await stream.ReadAsync(Decoder.Free, cancellationToken).ConfigureAwait(false);
                if (count == 0)
                {
                    return new ReadOutcome(ReadKind.End);
                }

                if (bytesPerSecond?.TryTake(count) == false)
                {
                    return new ReadOutcome(ReadKind.Flood);
                }

                Decoder.Advance(count);
            }
        }
        catch (OperationCanceledException)
        {
            return new ReadOutcome(ReadKind.Stopped);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            return new ReadOutcome(ReadKind.Cut);
        }
    }

    public void Dispose() => Decoder.Dispose();
}
