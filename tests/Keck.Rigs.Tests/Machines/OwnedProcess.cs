using System.Diagnostics;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>
/// A process of a rig that ends with it: on <see cref="DisposeAsync"/>, and through tether.sh also when the test run is killed.
/// </summary>
internal sealed class OwnedProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Process _process;
    private Task _ended = Task.CompletedTask;

    private OwnedProcess(Process process) => _process = process;

    /// <summary>What it writes to standard output and standard error.</summary>
    internal LineLog Log { get; } = new();

    internal bool HasExited => _process.HasExited;

    /// <summary>0–255; to be asked after it has ended.</summary>
    internal int ExitCode => _process.ExitCode;

    internal static OwnedProcess Start(string program, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(Repository.PathOf("tests", "rigs", "guest", "tether.sh"), [program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KECK_CHANNEL"] = "none";
        OwnedProcess owned = new(new Process { StartInfo = start });
        owned._process.OutputDataReceived += owned.Take;
        owned._process.ErrorDataReceived += owned.Take;
        _ = owned._process.Start();
        owned._process.BeginOutputReadLine();
        owned._process.BeginErrorReadLine();
        owned._ended = owned.EndLogAsync();
        return owned;
    }

    /// <summary>Waits until it has ended by itself; throws when it has not within the time.</summary>
    internal async Task WaitForExitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await _ended.WaitAsync(patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new RigException($"{_process.StartInfo.ArgumentList[0]} has not ended within {patience}; it said\n{Log.Tail}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
            await _ended.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
        }
        finally
        {
            _process.Dispose();
        }
    }

    // Process.WaitForExitAsync returns when both streams are at their end too.
    private async Task EndLogAsync()
    {
        await _process.WaitForExitAsync(CancellationToken.None);
        Log.End();
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is { } text)
        {
            Log.Add(text.TrimEnd('\r'));
        }
    }
}
