using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Keck.Agent.Interop;

namespace Keck.Agent;

/// <summary>
/// <c>top</c> on a terminal: draws at every update, key, and change of the window's size. The terminal is left as it was found,
/// at the end, at a signal, and while the job is stopped.
/// </summary>
internal sealed class TopScreen : IDisposable
{
    // The alternate screen and no cursor; and back (xterm, and every terminal since).
    private const string EnterScreen = "\u001b[?1049h\u001b[?25l";
    private const string LeaveScreen = "\u001b[?25h\u001b[?1049l";
    private const int Narrowest = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Channel<ConsoleKeyInfo?> _events =
        Channel.CreateBounded<ConsoleKeyInfo?>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Terminal _terminal = new();
    private readonly Lock _gate = new();
    private readonly PosixSignalRegistration[] _signals;
    private readonly CancellationTokenSource _ended;
    private bool _shown;

    /// <summary>Takes the terminal. What ends the process is caught before anything is changed: from here on it is given back.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The screen owns its registrations and disposes them.")]
    [SuppressMessage("Interoperability", "CA1416", Justification = "The agent runs on Linux only.")]
    internal TopScreen(CancellationToken cancellation)
    {
        _ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, End),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, End),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, End),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, _ => Leave()), // And ends as it does: with a core, where cores are kept.
            PosixSignalRegistration.Create(PosixSignal.SIGTSTP, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGCONT, Continue),
            PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Redraw()),
        ];
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        Enter();
        if (_terminal.HasKeys)
        {
            // Waits in a read that nothing can end: a thread that does not keep the process.
            new Thread(ReadKeys) { IsBackground = true, Name = "keys" }.Start();
        }
    }

    /// <summary>Shows the table until it is quit, or ended by a signal or the caller.</summary>
    internal async Task RunAsync(IApi api, TopSelection selection)
    {
        try
        {
            while (!selection.Quit && await DrawAsync(api, selection).ConfigureAwait(false))
            {
                selection = await NextAsync(selection).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // Ended.
        }
    }

    public void Dispose()
    {
        _ended.Cancel(); // A late SIGCONT brings nothing back.
        Leave();
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }

        _ended.Dispose();
        _terminal.Dispose();
    }

    private void Enter()
    {
        lock (_gate)
        {
            if (!_shown && !_ended.IsCancellationRequested)
            {
                _shown = true;
                _terminal.TakeKeys();
                _ = _terminal.Write(EnterScreen);
            }
        }

        Redraw();
    }

    private void Leave()
    {
        // Before the lock too: whoever holds it may be writing to a terminal that takes nothing any more.
        _terminal.Restore();
        if (!_gate.TryEnter(Patience))
        {
            return;
        }

        try
        {
            if (_shown)
            {
                _shown = false;
                _terminal.Restore();
                _ = _terminal.Write(LeaveScreen);
            }
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void End(PosixSignalContext context)
    {
        context.Cancel = true;
        try
        {
            _ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Over already.
        }

        Leave();
    }

    // The runtime does not stop for a SIGTSTP that it has caught.
    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        Leave();
        Terminal.Stop();
    }

    // Left to itself the runtime puts on the settings that it found at its own start, after ours.
    private void Continue(PosixSignalContext context)
    {
        context.Cancel = true;
        Enter();
    }

    private void OnExit(object? sender, EventArgs e) => Leave();

    // False where the terminal takes no more.
    private async Task<bool> DrawAsync(IApi api, TopSelection selection)
    {
        (int columns, int rows) = Terminal.Size;
        int width = Math.Max(Narrowest, columns);
        int fit = Math.Max(TopTable.HeaderLines + 1, rows) - TopTable.HeaderLines - 1;
        string frame;
        try
        {
            frame = await TopTable.FrameAsync(api, selection, selection.Count > 0 ? Math.Min(selection.Count, fit) : fit, width, _ended.Token).ConfigureAwait(false);
        }
        catch (ApiException e)
        {
            // An agent that is restarted comes back.
            frame = $"{e.Message}\ntrying again every {selection.Delay:0.#} s; q ends\n";
        }

        lock (_gate)
        {
            return !_shown || _terminal.Write("\u001b[H" + frame.Replace("\n", "\u001b[K\n", StringComparison.Ordinal) + "\u001b[J");
        }
    }

    // The selection after the keys that came, or the same when it is time for an update or the window has changed.
    private async Task<TopSelection> NextAsync(TopSelection selection)
    {
        using CancellationTokenSource update = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        update.CancelAfter(TimeSpan.FromSeconds(selection.Delay));
        try
        {
            ConsoleKeyInfo? key = await _events.Reader.ReadAsync(update.Token).ConfigureAwait(false);
            do
            {
                selection = key is { } pressed && !selection.Quit ? selection.With(pressed) : selection;
            }
            while (_events.Reader.TryRead(out key));
        }
        catch (OperationCanceledException) when (!_ended.IsCancellationRequested)
        {
            // Time for an update.
        }

        return selection;
    }

    private void Redraw() => _ = _events.Writer.TryWrite(null);

    private void ReadKeys()
    {
        TerminalKeys keys = new();
        Span<byte> bytes = stackalloc byte[64];
        while (_terminal.Read(bytes) is > 0 and int read)
        {
            foreach (ConsoleKeyInfo key in keys.Of(bytes[..read]))
            {
                _ = _events.Writer.TryWrite(key);
            }
        }
    }
}
