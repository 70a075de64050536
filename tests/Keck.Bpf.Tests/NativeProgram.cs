using System.Diagnostics;
using Keck.Tests;

namespace Keck.Bpf.Tests;

/// <summary>A C program of Native/, compiled once per run and talked to over its standard streams.</summary>
internal sealed class NativeProgram : IDisposable
{
    private static readonly string Folder = Directory.CreateTempSubdirectory("keck-bpf-").FullName;
    private readonly Process _process;

    internal NativeProgram(string name, params string[] arguments)
    {
        ProcessStartInfo start = new(Compile(name), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        _process = Process.Start(start)!;
    }

    internal int Pid => _process.Id;

    internal void Say(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    internal string Hear() => _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the program ended");

    /// <summary>Closes its input and waits for its end.</summary>
    internal void Finish()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    /// <summary>Runs gcc; its exit code and what it said.</summary>
    internal static (int Code, string Text) Gcc(params string[] arguments)
    {
        using Process gcc = Process.Start(new ProcessStartInfo("gcc", arguments) { RedirectStandardError = true })!;
        string text = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        return (gcc.ExitCode, text);
    }

    private static string Compile(string name)
    {
        string binary = Path.Combine(Folder, name);
        if (!File.Exists(binary))
        {
            (int code, string text) = Gcc("-O2", "-pthread", "-o", binary, Repository.PathOf("tests", "Keck.Bpf.Tests", "Native", name + ".c"));
            Assert.True(code == 0, text);
        }

        return binary;
    }
}
