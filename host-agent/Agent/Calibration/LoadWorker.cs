using Keck.Agent.Interop;

namespace Keck.Host;

/// <summary>A thread that puts load on one CPU for as long as it is told to. Waits asleep otherwise.</summary>
internal sealed class LoadWorker : IDisposable
{
    // Asleep for about as long as awake, a millisecond each.
    private const int BurstsAwake = 16;
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(1);

    private readonly Thread _thread;
    private readonly AutoResetEvent _begin = new(false);
    private readonly AutoResetEvent _end = new(false);
    private readonly ManualResetEvent _atRest = new(true);
    private readonly LoadKernels _kernels;
    private readonly int _cpu;
    private volatile bool _working;
    private volatile bool _over;
    private LoadKind _kind;

    /// <summary>Starts the thread, asleep.</summary>
    /// <param name="number">Its number in its name, keck-load-N.</param>
    /// <param name="cpu">Where it runs.</param>
    /// <param name="bytes">Memory that it may go through.</param>
    internal LoadWorker(int number, int cpu, int bytes)
    {
        (_cpu, _kernels) = (cpu, new LoadKernels(bytes));
        _thread = new Thread(Run) { Name = $"keck-load-{number}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Begins to work.</summary>
    internal void Begin(LoadKind kind)
    {
        _kind = kind;
        _working = true;
        _ = _atRest.Reset();
        _ = _begin.Set();
    }

    /// <summary>Ends the work; when it returns, the thread goes to sleep.</summary>
    internal void End()
    {
        _working = false;
        _ = _end.Set();
        _ = _atRest.WaitOne();
        _ = _end.Reset();
    }

    public void Dispose()
    {
        End();
        _over = true;
        _ = _begin.Set();
        _thread.Join();
        _begin.Dispose();
        _end.Dispose();
        _atRest.Dispose();
    }

    private void Run()
    {
        CurrentThread.Name(_thread.Name!);

        // Where the kernel does not let it be pinned it runs anywhere: what counts is what is observed.
        _ = CurrentThread.Pin(_cpu);
        while (_begin.WaitOne() && !_over)
        {
            for (int burst = 1; _working; burst++)
            {
                _kernels.Burst(_kind);
                if (_kind == LoadKind.Waking && burst % BurstsAwake == 0)
                {
                    _ = _end.WaitOne(Nap);
                }
            }

            _ = _atRest.Set();
        }
    }
}
