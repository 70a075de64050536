using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Keck.Agent.Interop;

/// <summary>
/// The terminal of standard input and output. Not by <c>System.Console</c>: that has settings of its own, and puts them on
/// again when it likes (before a read, at SIGCONT, at SIGCHLD).
/// </summary>
internal sealed class Terminal : IDisposable
{
    private const int Input = 0;
    private const int Output = 1;

    private readonly Lock _gate = new();
    private readonly FileStream _input = Open(Input, FileAccess.Read);
    private readonly int _output;
    private readonly TerminalSettings? _found;

    /// <summary>Notes the settings as they are now, for <see cref="Restore"/>.</summary>
    /// <param name="output">The descriptor to write to; it stays the process's.</param>
    internal Terminal(int output = Output)
    {
        _output = output;
        _found = LibC.GetTerminal(Input, out TerminalSettings found) == 0 ? found : null;
    }

    /// <summary>Whether standard input is a terminal, so that keys may come.</summary>
    internal bool HasKeys => _found is not null;

    /// <summary>The window in characters; 80 × 24 where the terminal does not say.</summary>
    internal static (int Columns, int Rows) Size =>
        LibC.TerminalControl(Output, LibC.GetWindowSize, out WindowSize size) == 0 && size is { Columns: > 0, Rows: > 0 } ? (size.Columns, size.Rows) : (80, 24);

    /// <summary>Keys come one by one and are not shown; Ctrl-C and Ctrl-Z stay signals.</summary>
    internal void TakeKeys()
    {
        if (_found is { } settings)
        {
            settings.LocalFlags &= ~TerminalSettings.LinesAndEcho;
            settings.ReadBytes = 1;
            settings.ReadTime = 0;
            _ = LibC.SetTerminal(Input, LibC.Now, settings);
        }
    }

    /// <summary>The settings as they were found.</summary>
    internal void Restore()
    {
        if (_found is { } settings)
        {
            _ = LibC.SetTerminal(Input, LibC.Now, settings);
        }
    }

    /// <summary>Stops this process as Ctrl-Z does where nobody catches it; returns when it goes on.</summary>
    internal static void Stop() => _ = LibC.Kill(Environment.ProcessId, LibC.StopSignal);

    /// <summary>Waits for bytes of keys; 0 when no more can come.</summary>
    internal int Read(Span<byte> bytes)
    {
        try
        {
            return _input.Read(bytes);
        }
        catch (IOException)
        {
            return 0; // The terminal has gone: so does the process, by its signal.
        }
    }

    /// <summary>Why nothing more was taken; null while it is, and where the reader has simply gone.</summary>
    internal IOException? Failure { get; private set; }

    /// <summary>Writes text; false where the terminal takes no more.</summary>
    internal bool Write(string text)
    {
        try
        {
            lock (_gate)
            {
                WriteAll(Encoding.UTF8.GetBytes(text));
            }

            return true;
        }
        catch (IOException e)
        {
            Failure = e.HResult == LibC.BrokenPipe ? null : e;
            return false;
        }
    }

    public void Dispose() => _input.Dispose();

    // Not by a FileStream: into a file that writes at an offset of its own (pwrite), and whoever writes to the same one before and after would be overwritten.
    private void WriteAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint written = LibC.Write(_output, bytes, (nuint)bytes.Length);
            if (written >= 0)
            {
                bytes = bytes[(int)written..];
            }
            else if (Marshal.GetLastPInvokeError() is var error and not LibC.Interrupted)
            {
                throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
            }
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The descriptor is the process's; the stream is the owner's to dispose of.")]
    private static FileStream Open(int descriptor, FileAccess access) => new(new SafeFileHandle(descriptor, ownsHandle: false), access, bufferSize: 0);
}
