using System.Diagnostics;
using System.Text;
using Keck.Tests;

namespace Keck.Host.Tests;

/// <summary><c>keck-host top</c> of the native executable on a pseudo-terminal, which script(1) makes.</summary>
[Trait("Speed", "slow")]
public sealed class TopTerminalTests
{
    private const string Leave = "\u001b[?25h\u001b[?1049l";
    private static readonly string Binary = Repository.PathOf("out", "bin", "keck-host");

    [Fact]
    public async Task Top_Keys_SortFilterSwitchAndQuitAndTheTerminalIsAsBefore()
    {
        Assert.SkipUnless(File.Exists(Binary), "make publish has not been run");
        using Terminal terminal = new();
        await terminal.SeesAsync("POWER▾");
        await terminal.TypeAsync("e", "ENERGY▾");
        await terminal.TypeAsync("r", "ENERGY▴");
        await terminal.TypeAsync("/zulu", "filter: zulu_");
        await terminal.TypeAsync("\r", "no processes with 'zulu' in the name");
        await terminal.TypeAsync("4", "no machines with 'zulu' in the name");
        await terminal.TypeAsync("q", Leave);
        await terminal.SeesAsync("icanon:1 status:0");
    }

    [Fact]
    public async Task Top_Terminated_LeavesTheTerminalAsBefore()
    {
        Assert.SkipUnless(File.Exists(Binary), "make publish has not been run");
        using Terminal terminal = new();
        await terminal.SeesAsync("POWER▾");

        // Ctrl-C, as the terminal turns it into SIGINT.
        await terminal.TypeAsync("\u0003", Leave);
        await terminal.SeesAsync("icanon:1");
    }

    private sealed class Terminal : IDisposable
    {
        private readonly Process _script;
        private readonly StringBuilder _seen = new();
        private readonly byte[] _buffer = new byte[8192];
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

        internal Terminal()
        {
            string command = $"trap : INT; '{Binary}' top --socket none --runs schedstat --delay 0.5; s=$?; echo icanon:$(stty -a | grep -cw '[^-]icanon\\|^icanon') status:$s";
            _script = Process.Start(new ProcessStartInfo("script", ["-qefc", command, "/dev/null"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                Environment = { ["KECK_CHANNEL"] = "none", ["SHELL"] = "/bin/sh" },
            })!;
        }

        internal async Task TypeAsync(string keys, string answer)
        {
            _ = _seen.Clear();
            await _script.StandardInput.WriteAsync(keys);
            await _script.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
            await SeesAsync(answer);
        }

        internal async Task SeesAsync(string text)
        {
            char[] decoded = new char[_buffer.Length];
            while (!_seen.ToString().Contains(text, StringComparison.Ordinal))
            {
                int read = await _script.StandardOutput.BaseStream.ReadAsync(_buffer, TestContext.Current.CancellationToken);
                Assert.True(read > 0, $"the terminal closed before '{text}'; it showed: {_seen}");
                _ = _seen.Append(decoded, 0, _decoder.GetChars(_buffer, 0, read, decoded, 0));
            }
        }

        public void Dispose()
        {
            _script.Kill(entireProcessTree: true);
            _script.Dispose();
        }
    }
}
