using System.Diagnostics;

namespace Keck.Agent.Tests;

/// <summary>Programs of the distribution that tests run.</summary>
internal static class Programs
{
    internal static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Runs to its end; both outputs together.</summary>
    internal static (int Code, string Said) Run(string name, string[] arguments, string input)
    {
        using Process process = Process.Start(new ProcessStartInfo(Find(name)!, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> said = process.StandardOutput.ReadToEndAsync();
        Task<string> complained = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        return (process.ExitCode, complained.Result + said.Result);
    }
}
