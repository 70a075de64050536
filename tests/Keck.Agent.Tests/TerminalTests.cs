using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.CompilerServices;
using System.Text;
using Keck.Agent.Interop;
using Microsoft.Win32.SafeHandles;

namespace Keck.Agent.Tests;

/// <summary>Keys from bytes, and the mirrored structs against the C library's headers.</summary>
public sealed class TerminalTests
{
    [Theory]
    [InlineData("q", "q")]
    [InlineData("\r\n", "Enter Enter")]
    [InlineData("\u001b", "Escape")]
    [InlineData("\u001b\u001b", "Escape Escape")]
    [InlineData("\u007f\b", "Backspace Backspace")]
    [InlineData("a\u001b[Ab\u001b[1;5Cc\u001bOPd\u001bxe", "a b c d e")]
    [InlineData("\u001b[12", "")]
    [InlineData("\u001b[", "")]
    [InlineData("\u001bO", "")]
    [InlineData("ä€", "ä €")]
    public void Of_Bytes_GivesTheKeys(string text, string keys) => Assert.Equal(keys, Names(new TerminalKeys(), Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Of_CharacterCutInTwo_IsOneKey()
    {
        TerminalKeys keys = new();
        Assert.Equal("", Names(keys, [0xC3]));
        Assert.Equal("ä", Names(keys, [0xA4]));
    }

    [Fact]
    public void Write_FileThatOthersWriteToAsWell_KeepsWhatEachHasWritten()
    {
        string path = Path.GetTempFileName();
        try
        {
            using (SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
            using (Terminal one = new((int)file.DangerousGetHandle()))
            using (Terminal other = new((int)file.DangerousGetHandle()))
            {
                Assert.True(one.Write("before, and longer\n"));
                Assert.True(other.Write("table\n"));
                Assert.True(one.Write("after\n"));
                Assert.Null(one.Failure);
            }

            Assert.Equal("before, and longer\ntable\nafter\n", File.ReadAllText(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Write_DiskFull_SaysWhy()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "/dev/full is not there");
        using SafeFileHandle full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        using Terminal terminal = new((int)full.DangerousGetHandle());
        Assert.False(terminal.Write("table\n"));
        Assert.Contains("space", terminal.Failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ReaderGone_IsNoFailureAndTheEnd()
    {
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        pipe.ClientSafePipeHandle.Dispose();
        using Terminal terminal = new((int)pipe.SafePipeHandle.DangerousGetHandle());
        Assert.False(terminal.Write("table\n"));
        Assert.Null(terminal.Failure);
    }

    [Fact]
    public async Task Structs_AgainstTheHeaders_AreTheSame()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "no C compiler on this machine (gcc)");
        TerminalSettings settings = default;
        string source = $"""
            #include <errno.h>
            #include <signal.h>
            #include <stddef.h>
            #include <sys/ioctl.h>
            #include <termios.h>
            _Static_assert(sizeof(struct termios) <= {Unsafe.SizeOf<TerminalSettings>()}, "room");
            _Static_assert(offsetof(struct termios, c_lflag) == {Offset(ref settings, ref settings.LocalFlags)}, "c_lflag");
            _Static_assert(offsetof(struct termios, c_cc[VTIME]) == {Offset(ref settings, ref settings.ReadTime)}, "VTIME");
            _Static_assert(offsetof(struct termios, c_cc[VMIN]) == {Offset(ref settings, ref settings.ReadBytes)}, "VMIN");
            _Static_assert((ICANON | ECHO) == {TerminalSettings.LinesAndEcho}, "flags");
            _Static_assert(sizeof(struct winsize) == {Unsafe.SizeOf<WindowSize>()} && offsetof(struct winsize, ws_col) == 2, "winsize");
            _Static_assert(TCSANOW == {LibC.Now} && TIOCGWINSZ == {LibC.GetWindowSize} && SIGSTOP == {LibC.StopSignal}, "numbers");
            _Static_assert(EPIPE == {LibC.BrokenPipe} && EINTR == {LibC.Interrupted}, "errors");

            """;
        using Process gcc = Process.Start(new ProcessStartInfo("gcc", ["-fsyntax-only", "-Wall", "-Werror", "-x", "c", "-"]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        await gcc.StandardInput.WriteAsync(source);
        gcc.StandardInput.Close();
        string errors = await gcc.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await gcc.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(gcc.ExitCode == 0, errors);
    }

    private static string Names(TerminalKeys keys, byte[] bytes) =>
        string.Join(' ', keys.Of(bytes).Select(key => key.Key == ConsoleKey.None ? key.KeyChar.ToString() : key.Key.ToString()));

    private static long Offset<TField>(ref TerminalSettings settings, ref TField field) =>
        Unsafe.ByteOffset(ref Unsafe.As<TerminalSettings, byte>(ref settings), ref Unsafe.As<TField, byte>(ref field));
}
