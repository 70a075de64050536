using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Keck.Host.Tests;

/// <summary><c>keck-host top</c> of the native executable on a pseudo-terminal, which script(1) makes.</summary>
[Trait("Speed", "slow")]
public sealed class TopTerminalTests
{
    private const string EnterScreen = "\u001b[?1049h";
    private const string LeaveScreen = "\u001b[?25h\u001b[?1049l";
    private const string AsBefore = "terminal:as-before status:0";

    [Fact]
    public async Task Top_Keys_SortFilterSwitchAndQuitAndTheTerminalIsAsBefore()
    {
        using Terminal terminal = new();
        await terminal.SeesAsync("POWER▾");
        await terminal.TypeAsync("e", "ENERGY▾");
        await terminal.TypeAsync("r", "ENERGY▴");
        await terminal.TypeAsync("/zulu", "filter: zulu_");
        await terminal.TypeAsync("\u001b[A\u007f\u007f", "filter: zu_");
        await terminal.TypeAsync("lu\r", "no processes with 'zulu' in the name");
        await terminal.TypeAsync("4", "no machines with 'zulu' in the name");
        await terminal.TypeAsync("q", LeaveScreen);
        await terminal.SeesAsync(AsBefore);
    }

    [Theory]
    [InlineData("POWER▾")]
    [InlineData(EnterScreen)] // As early as there is something to give back.
    public async Task Top_CtrlC_LeavesTheTerminalAsBeforeAndEndsWell(string when)
    {
        using Terminal terminal = new();
        await terminal.SeesAsync(when);
        await terminal.TypeAsync("\u0003", LeaveScreen);
        await terminal.SeesAsync(AsBefore);
    }

    [Theory]
    [InlineData("TERM", "POWER▾")]
    [InlineData("TERM", EnterScreen)]
    [InlineData("INT", "POWER▾")]
    [InlineData("HUP", "POWER▾")]
    public async Task Top_Signalled_LeavesTheTerminalAsBeforeAndEndsWell(string signal, string when)
    {
        using Terminal terminal = new();
        await terminal.SeesAsync(when);
        HostBinary.Signal(terminal.Pid(), signal);
        await terminal.SeesAsync(LeaveScreen);
        await terminal.SeesAsync(AsBefore);
    }

    [Fact]
    public async Task Top_CtrlBackslash_LeavesTheTerminalAsBefore()
    {
        using Terminal terminal = new();
        await terminal.SeesAsync("POWER▾");
        await terminal.TypeAsync("\u001c", LeaveScreen);
        await terminal.SeesAsync("terminal:as-before status:131");
    }

    [Fact]
    public async Task Top_CtrlZ_GivesTheTerminalBackUntilItIsInFrontAgain()
    {
        using Terminal terminal = new();
        await terminal.SeesAsync("POWER▾");
        await terminal.TypeAsync("\u001a", LeaveScreen);
        await terminal.SeesAsync("terminal:as-before status:147");
        await terminal.TypeAsync("\n", EnterScreen);
        await terminal.SeesAsync("POWER▾");
        await terminal.TypeAsync("e", "ENERGY▾");
        await terminal.TypeAsync("q", LeaveScreen);
        await terminal.SeesAsync(AsBefore);
    }

    // A shell on a terminal that runs top, says whether the terminal's settings are the same after it, and after Enter has it go on
    // if it is stopped. Nothing waits beyond the deadline.
    private sealed class Terminal : IDisposable
    {
        private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

        private readonly Process _script;
        private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        private readonly StringBuilder _all = new();
        private readonly byte[] _buffer = new byte[8192];
        private readonly char[] _decoded = new char[8192];
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
        private int _from;

        internal Terminal()
        {
            HostBinary.Require();
            const string Say = "[ \"$b\" = \"$(stty -g)\" ] && a=as-before || a=changed; echo terminal:$a status:$s";
            string command = "ulimit -c 0; set -m; trap : INT QUIT; stty rows 40 columns 160; b=$(stty -g); "
                + $"sh -c 'echo pid:$$.; trap - INT QUIT; exec \"{HostBinary.Path}\" top --socket none --runs schedstat --delay 0.5'; s=$?; "
                + $"{Say}; if [ $s = 147 ]; then read go; fg; s=$?; {Say}; fi";
            _deadline.CancelAfter(Deadline);
            _script = Process.Start(new ProcessStartInfo("script", ["-qefc", command, "/dev/null"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                Environment = { ["KECK_CHANNEL"] = "none", ["SHELL"] = "/bin/sh" },
            })!;
        }

        // What is answered stands after what had been seen before the keys.
        internal async Task TypeAsync(string keys, string answer)
        {
            _from = _all.Length;
            await _script.StandardInput.WriteAsync(keys);
            await _script.StandardInput.FlushAsync(_deadline.Token);
            await SeesAsync(answer);
        }

        internal int Pid()
        {
            const string Before = "pid:";
            string all = _all.ToString();
            int at = all.IndexOf(Before, StringComparison.Ordinal);
            Assert.True(at >= 0, all);
            string number = all[(at + Before.Length)..all.IndexOf('.', at)];
            return int.Parse(number, CultureInfo.InvariantCulture);
        }

        internal async Task SeesAsync(string text)
        {
            while (!_all.ToString(_from, _all.Length - _from).Contains(text, StringComparison.Ordinal))
            {
                int read;
                try
                {
                    read = await _script.StandardOutput.BaseStream.ReadAsync(_buffer, CancellationToken.None).AsTask().WaitAsync(_deadline.Token);
                }
                catch (OperationCanceledException)
                {
                    Assert.Fail($"'{text}' was not seen within {Deadline.TotalSeconds} s; the terminal showed: {_all}");
                    return;
                }

                Assert.True(read > 0, $"the terminal closed before '{text}'; it showed: {_all}");
                _ = _all.Append(_decoded, 0, _decoder.GetChars(_buffer, 0, read, _decoded, 0));
            }
        }

        public void Dispose()
        {
            _script.Kill(entireProcessTree: true);
            _script.Dispose();
            _deadline.Dispose();
        }
    }
}
