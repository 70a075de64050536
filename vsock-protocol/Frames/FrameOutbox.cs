using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>
/// What waits to be sent on one connection: at most one frame of each type. The rule: a newer message takes the place of an older
/// one of its type that has not gone out, and goes to the end of the line. Nothing is lost by it, since Mark, Budget, Ack and Usage
/// carry cumulative counters and the others come once. So the queue is bounded by construction, and a peer that does not read
/// gets the newest figures when it reads again. Messages are encoded when they come: the caller may use them again at once.
/// </summary>
internal sealed class FrameOutbox : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _ready = new(0, 1);
    private readonly byte[][] _frames = new byte[FrameCodec.TypeCount][];
    private readonly int[] _lengths = new int[FrameCodec.TypeCount];
    private readonly long[] _order = new long[FrameCodec.TypeCount];
    private long _next = 1;
    private bool _completed;

    internal FrameOutbox() => Array.Fill(_frames, []);

    /// <summary>Messages that a newer one took the place of.</summary>
    internal long Superseded { get; private set; }

    /// <summary>Takes a message; throws where it is larger than a frame can be.</summary>
    internal PostResult Post(IMessage message)
    {
        int type = (int)FrameCodec.TypeOf(message);
        lock (_gate)
        {
            if (_completed)
            {
                return PostResult.NotConnected;
            }

            int size = FrameCodec.SizeOf(message);
            if (_frames[type].Length < size)
            {
                _frames[type] = new byte[Math.Max(size, Math.Min(2 * _frames[type].Length, FrameCodec.HeaderSize + ChannelProtocol.MaxBody))];
            }

            FrameCodec.Encode(message, _frames[type].AsSpan(0, size));
            bool superseded = _lengths[type] > 0;
            Superseded += superseded ? 1 : 0;
            _lengths[type] = size;
            _order[type] = _next++;
            Wake();
            return superseded ? PostResult.Superseded : PostResult.Queued;
        }
    }

    /// <summary>Takes nothing more; what waits still goes out.</summary>
    internal void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            Wake();
        }
    }

    /// <summary>Waits until there may be something to take.</summary>
    internal Task WaitAsync(CancellationToken cancellationToken) => _ready.WaitAsync(cancellationToken);

    /// <summary>Takes the frame that waits longest; the caller's buffer is taken in exchange.</summary>
    /// <param name="buffer">A buffer the caller is done with; afterwards holds the frame.</param>
    /// <param name="length">Bytes of the frame.</param>
    /// <param name="completed">Whether nothing will come after what waits.</param>
    internal bool TryTake(ref byte[] buffer, out int length, out bool completed)
    {
        lock (_gate)
        {
            (length, completed) = (0, _completed);
            int oldest = 0;
            for (int type = 1; type < FrameCodec.TypeCount; type++)
            {
                if (_lengths[type] > 0 && (oldest == 0 || _order[type] < _order[oldest]))
                {
                    oldest = type;
                }
            }

            if (oldest == 0)
            {
                return false;
            }

            length = _lengths[oldest];
            _lengths[oldest] = 0;
            (buffer, _frames[oldest]) = (_frames[oldest], buffer);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ready.Dispose();

    private void Wake()
    {
        if (_ready.CurrentCount == 0)
        {
            _ = _ready.Release();
        }
    }
}
