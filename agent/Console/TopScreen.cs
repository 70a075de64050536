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
    private const string Enter = "\u001b[?1049h\u001b[?25l";
    private const string Leave = "\u001b[?25h\u001b[?1049l";
    private const int Narrowest = 20;

    private readonly Channel<ConsoleKeyInfo?> _events =
        Channel.CreateBounded<ConsoleKeyInfo?>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly PosixSignalRegistration[] _signals;
    private readonly TerminalSettings? _found;

    [SuppressMessage("Reliability", "CA2000", Justification = "The screen owns its registrations and disposes them.")]
    [SuppressMessage("Interoperability", "CA1416", Justification = "The agent runs on Linux only.")]
    internal TopScreen()
    {
        _found = LibC.GetTerminal(0, out TerminalSettings found) == 0 ? found : null;
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Redraw()),
            PosixSignalRegistration.Create(PosixSignal.SIGTSTP, _ => Console.Write(Leave)),
            PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ =>
            {
                Console.Write(Enter);
                Redraw();
            }),
        ];
        Console.Write(Enter);
        if (!Console.IsInputRedirected)
        {
            // Waits in a read that nothing can end: a thread that does not keep the process.
            new Thread(ReadKeys) { IsBackground = true, Name = "keys" }.Start();
        }
    }

    /// <summary>Shows the table until it is quit or cancelled.</summary>
    internal async Task RunAsync(IApi api, TopSelection selection, CancellationToken cancellation)
    {
        using CancellationTokenSource hangup = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using PosixSignalRegistration signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            hangup.Cancel();
        });
        while (!selection.Quit)
        {
            await DrawAsync(api, selection, hangup.Token).ConfigureAwait(false);
            selection = await NextAsync(selection, hangup.Token).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }

        Console.Write(Leave);
        if (_found is { } found)
        {
            // The thread that waits for a key keeps its own settings in force until one comes.
            _ = LibC.SetTerminal(0, LibC.WhenWritten, found);
        }
    }

    private static async Task DrawAsync(IApi api, TopSelection selection, CancellationToken cancellation)
    {
        int width = Math.Max(Narrowest, Console.WindowWidth);
        int height = Math.Max(TopTable.HeaderLines + 1, Console.WindowHeight);
        int fit = height - TopTable.HeaderLines - 1;
        string frame;
        try
        {
            frame = await TopTable.FrameAsync(api, selection, selection.Count > 0 ? Math.Min(selection.Count, fit) : fit, width, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e)
        {
            // An agent that is restarted comes back.
            frame = $"{e.Message}\ntrying again every {selection.Delay:0.#} s; q ends\n";
        }

        Console.Write("\u001b[H" + frame.Replace("\n", "\u001b[K\n", StringComparison.Ordinal) + "\u001b[J");
    }

    // The selection after the keys that came, or the same when it is time for an update or the window has changed.
    private async Task<TopSelection> NextAsync(TopSelection selection, CancellationToken cancellation)
    {
        using CancellationTokenSource update = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
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
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Time for an update.
        }

        return selection;
    }

    private void Redraw() => _ = _events.Writer.TryWrite(null);

    private void ReadKeys()
    {
        try
        {
            while (true)
            {
                _ = _events.Writer.TryWrite(Console.ReadKey(intercept: true));
            }
        }
        catch (InvalidOperationException)
        {
            // The terminal has gone: so does the process, by its signal.
        }
    }
}
