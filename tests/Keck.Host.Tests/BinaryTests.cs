using System.Diagnostics;
using Keck.Tests;

namespace Keck.Host.Tests;

/// <summary>The native executable, on this machine.</summary>
[Trait("Speed", "slow")]
[Trait("Needs", "bpf")]
public sealed class BinaryTests : IDisposable
{
    private static readonly string Binary = Repository.PathOf("out", "bin", "keck-host");
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-host-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void RecordAMinuteThenReplay_LiveFigures_AreReproducedByteForByte()
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        string trace = File("trace.ndjson"), live = File("live.ndjson"), first = File("first.ndjson"), second = File("second.ndjson");

        // Beside it, for less than the minute: short-lived processes, execs, and a hog that comes and goes.
        using (Process load = Process.Start("/bin/sh", ["-c", "i=0; while [ $i -lt 25 ]; do i=$((i+1)); for n in 1 2 3 4 5 6 7 8; do /bin/true; (exec /bin/true) & done; timeout 1 sh -c 'while :; do :; done'; wait; sleep 1; done"]))
        {
            Assert.Equal(0, Run("record", "--seconds", "60", "--out", trace, "--figures", live).Code);
            load.Kill(entireProcessTree: true);
        }

        Assert.Contains("\"timeout\"", System.IO.File.ReadAllText(trace), StringComparison.Ordinal);
        Assert.Equal(0, Run("replay", trace, "--out", first).Code);
        Assert.Equal(0, Run("replay", trace, "--out", second).Code);
        byte[] figures = System.IO.File.ReadAllBytes(live);
        Assert.True(figures.Count(b => b == (byte)'\n') > 10);
        Assert.Equal(figures, System.IO.File.ReadAllBytes(first));
        Assert.Equal(figures, System.IO.File.ReadAllBytes(second));

        // Cut in the middle of a line: what is whole is attributed as it was live, and one line says what is missing.
        string cut = File("cut.ndjson"), half = File("half.ndjson");
        byte[] whole = System.IO.File.ReadAllBytes(trace);
        int at = (whole.Length / 2) - (whole[(whole.Length / 2) - 1] == (byte)'\n' ? 1 : 0);
        System.IO.File.WriteAllBytes(cut, whole[..at]);
        (int code, _, string errors) = Run("replay", cut, "--out", half);
        Assert.Equal(1, code);
        Assert.Single(errors.Split('\n'), line => line.Contains(cut, StringComparison.Ordinal));
        byte[] halved = System.IO.File.ReadAllBytes(half);
        Assert.Equal(whole[..at].Count(b => b == (byte)'\n') - 1, halved.Count(b => b == (byte)'\n')); // less the header
        Assert.Equal(figures[..halved.Length], halved);
    }

    [Fact]
    public void Tree_ThisMachine_AddsUp()
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        (int code, string output, _) = Run("tree", "--seconds", "2", "--socket", "none", "--listen", "none");
        Assert.Equal(0, code);
        Assert.Contains("every level adds up to the microjoule", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Meters_ThisMachine_AreListed()
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        (int code, string output, _) = Run("meters", "--socket", "none", "--listen", "none");
        Assert.Equal(0, code);
        Assert.Contains(output.Split('\n'), line => line.StartsWith("* ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("version")]
    [InlineData("--help")]
    [InlineData("doctor")]
    [InlineData("top --once --socket none --listen none")]
    [InlineData("tree --seconds 1 --socket none --listen none")]
    [InlineData("meters --socket none --listen none")]
    public void Output_CannotBeWritten_IsSaidOnceAndFails(string call)
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        Assert.SkipUnless(System.IO.File.Exists("/dev/full"), "/dev/full is not there");
        using Process shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"exec '{Binary}' {call} > /dev/full"]) { RedirectStandardError = true })!;
        string errors = shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        Assert.Equal(1, shell.ExitCode);
        Assert.Contains("the output cannot be written", Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top --once --iterations 2 --delay 0.5 --socket none --listen none", "power is the mean of")]
    [InlineData("tree --seconds 1 --socket none --listen none", "adds up")]
    public void Output_FileThatOthersWriteToAsWell_KeepsWhatEachHasWritten(string call, string words)
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        string file = File("output.txt");
        using Process shell = Process.Start("/bin/sh", ["-c", $"( echo BEFORE; '{Binary}' {call}; echo AFTER ) > '{file}'"]);
        shell.WaitForExit();
        string text = System.IO.File.ReadAllText(file);
        Assert.StartsWith("BEFORE\n", text, StringComparison.Ordinal);
        Assert.Contains(words, text, StringComparison.Ordinal);
        Assert.EndsWith("\nAFTER\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("full")]
    [InlineData("minimal")]
    public async Task Commands_AskTheAgentThatServesTheAddress(string profile)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine, profile);
        (int code, string output, _) = Run("tree", "--socket", "none", "--listen", agent.Address.Authority);
        Assert.Equal(0, code);
        Assert.Contains("package-1", output, StringComparison.Ordinal); // Two sockets has the fixture, not this machine.
    }

    [Theory]
    [InlineData("top", "--once")]
    [InlineData("tree", "--seconds", "1")]
    [InlineData("meters")]
    [InlineData("doctor")]
    [InlineData("record", "--seconds", "1", "--out", "/dev/null")]
    public void Commands_RelativeRoots_MeterTheMachineThere(params string[] command)
    {
        using MachineTree machine = new();
        (int code, _, string[] errors) = HostBinary.Run([.. command, "--path.procfs", Relative(machine.Proc), "--path.sysfs", Relative(machine.Sys)]);
        Assert.True(code == 0, string.Join('\n', errors));
    }

    [Fact]
    public async Task Run_RelativeRoots_ServesTheMachineThere()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(
            HostBinary.Path, ["run", "--runs", "schedstat", "--estimate", "false", "--path.procfs", Relative(machine.Proc), "--path.sysfs", Relative(machine.Sys)]);
        Assert.Contains("package-1", await agent.TextAsync("/api/v1/meters"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("replay")]
    [InlineData("top", "--delay", "soon")]
    [InlineData("top", "--sort", "size")]
    [InlineData("tree", "--depth", "9")]
    [InlineData("record", "--out", "-")]
    [InlineData("run", "--profile", "huge")]
    public void WrongCalls_EndWithTwoAndAWord(params string[] arguments)
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        (int code, _, string errors) = Run(arguments);
        Assert.Equal(2, code);
        Assert.NotEmpty(errors);
    }

    [Fact]
    public async Task Top_ReaderGone_Ends()
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        using Process shell = Process.Start("/bin/sh", ["-c", $"'{Binary}' top --socket none --listen none --iterations 0 --delay 0.5 | head -n 1 > /dev/null"]);
        try
        {
            await shell.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }
        finally
        {
            shell.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public void Replay_Garbage_FailsWithOneClearLine()
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        string trace = File("garbage.ndjson");
        System.IO.File.WriteAllText(trace, "no trace\n");
        (int code, _, string errors) = Run("replay", trace, "--out", File("none.ndjson"));
        Assert.Equal(1, code);
        Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Run_AddressBeyondLoopbackWithoutSecret_RefusesAndSaysWhy()
    {
        Assert.SkipUnless(System.IO.File.Exists(Binary), "make publish has not been run");
        (int code, _, string errors) = Run("run", "--listen", "0.0.0.0:0", "--socket", "none");
        Assert.Equal(2, code);
        Assert.Contains("is not loopback", errors, StringComparison.Ordinal);
    }

    private static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);

    private string File(string name) => Path.Combine(_folder, name);

    private static (int Code, string Output, string Errors) Run(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Binary, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
