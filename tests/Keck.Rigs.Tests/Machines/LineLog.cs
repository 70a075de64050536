namespace Keck.Rigs.Tests;

/// <summary>Lines as they come from a console, and waiting for one of them. Safe to use from several threads.</summary>
internal sealed class LineLog
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    /// <summary>All lines so far.</summary>
    internal IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>The last lines, for a message.</summary>
    internal string Tail => string.Join('\n', Lines.TakeLast(40));

    internal void Add(string line) => Change(() => _lines.Add(line));

    /// <summary>No line will follow: who still waits is told.</summary>
    internal void End() => Change(() => _ended = true);

    /// <summary>The first line, of those there and those to come, that fits; throws when the log ends or the time is over.</summary>
    internal async Task<string> WaitForAsync(Predicate<string> fits, TimeSpan patience, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        for (int seen = 0; ;)
        {
            Task changed;
            bool ended;
            lock (_lock)
            {
                for (; seen < _lines.Count; seen++)
                {
                    if (fits(_lines[seen]))
                    {
                        return _lines[seen];
                    }
                }

                changed = _changed.Task;
                ended = _ended;
            }

            if (ended)
            {
                throw new RigException($"the machine ended without the line that was waited for; it said\n{Tail}");
            }

            try
            {
                await changed.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new RigException($"not the line that was waited for within {patience}; the machine said\n{Tail}");
            }
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource before;
        lock (_lock)
        {
            change();
            before = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        before.SetResult();
    }
}
