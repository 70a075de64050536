namespace Keck.VsockProtocol;

/// <summary>A token that is cancelled when a time limit passes, or with another token. Started and stopped without allocating.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly TimeSpan _limit;
    private readonly ITimer _timer;
    private int _passed;

    internal Deadline(TimeSpan limit, TimeProvider time, CancellationToken other)
    {
        _limit = limit;
        _source = CancellationTokenSource.CreateLinkedTokenSource(other);
        _timer = time.CreateTimer(static state => ((Deadline)state!).Pass(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the limit has passed (and not only the other token been cancelled).</summary>
    internal bool Passed => Volatile.Read(ref _passed) != 0;

    internal CancellationToken Token => _source.Token;

    /// <summary>Counts from now.</summary>
    internal void Start() => Start(_limit);

    /// <summary>Counts from now, with another limit.</summary>
    internal void Start(TimeSpan limit) => _ = _timer.Change(limit, Timeout.InfiniteTimeSpan);

    /// <summary>Counts no more.</summary>
    internal void Stop() => _ = _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _timer.Dispose();
        _source.Dispose();
    }

    private void Pass()
    {
        Volatile.Write(ref _passed, 1);
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The timer fired while its owner was leaving: nobody waits any more.
        }
    }
}
