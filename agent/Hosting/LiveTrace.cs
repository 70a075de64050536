using System.Threading.Channels;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>The live trace over HTTP: each reader has its own writer and a short queue; a reader that cannot follow is dropped.</summary>
internal sealed class LiveTrace(AgentCore agent) : ITraceFeed
{
    // Ticks a reader may be behind; then it is too slow, and its trace ends.
    private const int QueueLength = 64;

    public async Task StreamAsync(Stream to, TimeSpan length, CancellationToken cancellationToken)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using Follower follower = new();
        agent.Engine.Attach(follower, (observation, attributor) => follower.Start(agent.TraceHeader(observation, attributor)));
        try
        {
            using ITimer timer = agent.Time.CreateTimer(static state => ((Follower)state!).End(), follower, length, Timeout.InfiniteTimeSpan);
            await foreach (byte[] lines in follower.Lines.ReadAllAsync(end.Token).ConfigureAwait(false))
            {
                await to.WriteAsync(lines, end.Token).ConfigureAwait(false);
                await to.FlushAsync(end.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            agent.Engine.Detach(follower);
        }
    }

    private sealed class Follower : ITickOutlet, IDisposable
    {
        private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(QueueLength);
        private readonly MemoryStream _buffer = new();
        private TraceWriter? _writer;

        internal ChannelReader<byte[]> Lines => _lines.Reader;

        public void OnTick(Observation observation, TickAttribution attribution)
        {
            _writer!.Write(observation);
            Hand();
        }

        public void Dispose()
        {
            _writer?.Dispose();
            _buffer.Dispose();
        }

        internal void Start(TraceHeader header)
        {
            _writer = new TraceWriter(_buffer, header);
            Hand();
        }

        internal void End() => _lines.Writer.TryComplete();

        private void Hand()
        {
            _writer!.Flush();
            if (!_lines.Writer.TryWrite(_buffer.ToArray()))
            {
                _ = _lines.Writer.TryComplete();
            }

            _buffer.SetLength(0);
        }
    }
}
