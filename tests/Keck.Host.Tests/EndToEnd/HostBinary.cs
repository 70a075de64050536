using System.Diagnostics;
using Keck.Tests;

namespace Keck.Host.Tests;

/// <summary>The native executable that <c>make publish</c> leaves in out/bin.</summary>
internal static class HostBinary
{
    internal static string Path { get; } = Repository.PathOf("out", "bin", "keck-host");

    /// <summary>Skips the test aloud where the executable has not been built.</summary>
    internal static void Require() => Assert.SkipUnless(File.Exists(Path), "make publish has not been run");

    /// <summary>Runs it to its end.</summary>
    internal static (int Code, string Output, string[] Errors) Run(params string[] arguments) => RunWith([], arguments);

    /// <summary>Runs it to its end with variables of its own.</summary>
    internal static (int Code, string Output, string[] Errors) RunWith(Dictionary<string, string> environment, params string[] arguments)
    {
        Require();
        ProcessStartInfo start = new(Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Sends a signal: <c>TERM</c>, <c>INT</c>, <c>STOP</c>, <c>CONT</c>.</summary>
    internal static void Signal(int pid, string signal)
    {
        // The shell's own kill: no other program is needed for it.
        using Process kill = Process.Start("/bin/sh", ["-c", $"kill -s {signal} {pid}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
