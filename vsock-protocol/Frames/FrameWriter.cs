using System.Net.Sockets;

namespace Keck.VsockProtocol;

/// <summary>Why writing ended.</summary>
internal enum WriteEnd
{
    /// <summary>The outbox was completed and all of it is sent, or the caller asked for the end.</summary>
    Done,

    /// <summary>The peer did not take a frame in time.</summary>
    SlowReader,

    /// <summary>The transport broke.</summary>
    Cut,
}

/// <summary>Sends what stands in an outbox, one frame at a time, each within a time limit.</summary>
internal sealed class FrameWriter(Stream stream, FrameOutbox outbox, TimeSpan limit, TimeProvider time)
{
    /// <summary>Frames that were handed to the transport.</summary>
    internal long Written { get; private set; }

    /// <summary>Runs until the outbox is completed and empty, a write fails, or the token is cancelled.</summary>
    internal async Task<WriteEnd> RunAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = [];
        using var deadline = new Deadline(limit, time, cancellationToken);
        try
        {
            while (true)
            {
                await outbox.WaitAsync(cancellationToken).ConfigureAwait(false);
                bool completed;
                while (outbox.TryTake(ref buffer, out int length, out completed))
                {
                    deadline.Start();
                    await stream.WriteAsync(buffer.AsMemory(0, length), deadline.Token).ConfigureAwait(false);
                    deadline.Stop();
                    Written++;
                }

                if (completed)
                {
                    return WriteEnd.Done;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return deadline.Passed ? WriteEnd.SlowReader : WriteEnd.Done;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            return WriteEnd.Cut;
        }
    }
}
