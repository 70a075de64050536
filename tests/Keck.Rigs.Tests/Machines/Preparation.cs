using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>Runs a rig's prepare.sh, at most once a test run: what it makes below out/rigs stays for the next.</summary>
internal static class Preparation
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly Lazy<Task> GuestOnce = new(() => RunAsync("guest"));
    private static readonly Lazy<Task> NestedOnce = new(() => RunAsync("nested"));

    /// <summary>A file below out/rigs.</summary>
    internal static string Made(params string[] parts) => Repository.PathOf(["out", "rigs", .. parts]);

    internal static Task GuestAsync() => GuestOnce.Value;

    internal static Task NestedAsync() => NestedOnce.Value;

    private static async Task RunAsync(string rig)
    {
        await using OwnedProcess script = OwnedProcess.Start(Repository.PathOf("tests", "rigs", rig, "prepare.sh"));
        await script.WaitForExitAsync(Patience, CancellationToken.None);
        if (script.ExitCode != 0)
        {
            throw new RigException($"tests/rigs/{rig}/prepare.sh failed:\n{script.Log.Tail}");
        }
    }
}
