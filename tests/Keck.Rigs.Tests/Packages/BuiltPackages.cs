using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>What <c>make packages</c> made, and commands of this machine that look at it.</summary>
internal static class BuiltPackages
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>A package; the test is skipped where there is none.</summary>
    /// <param name="name">Such as <c>keck-host</c>.</param>
    /// <param name="extension">deb or rpm.</param>
    internal static string Path(string name, string extension)
    {
        string folder = Repository.PathOf("out", "packages");
        string? file = Directory.Exists(folder) ? Directory.GetFiles(folder, $"{name}*.{extension}").SingleOrDefault() : null;
        Assert.SkipUnless(file is not null, $"there is no {extension} of {name} in {folder}: make packages");
        return file;
    }

    /// <summary>Packs what is in out/bin once more, elsewhere and with other settings: environment of eng/package.sh.</summary>
    internal static async Task BuildAsync(string name, string folder, string settings, CancellationToken cancellationToken) =>
        _ = (await RunAsync($"OUT={folder} {settings} {Repository.PathOf("eng", "package.sh")} {name}", cancellationToken)).Succeeded();

    /// <summary>Runs a command on this machine.</summary>
    internal static async Task<CommandResult> RunAsync(string command, CancellationToken cancellationToken)
    {
        await using OwnedProcess process = OwnedProcess.Start("/bin/bash", "-c", command);
        await process.WaitForExitAsync(Patience, cancellationToken);
        return new CommandResult(command, process.ExitCode, string.Join('\n', process.Log.Lines));
    }
}
