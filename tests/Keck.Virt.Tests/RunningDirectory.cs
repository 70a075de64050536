using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Virt.Tests;

/// <summary>A directory that runs until disposed, and what it told meanwhile.</summary>
internal sealed class RunningDirectory : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    internal RunningDirectory(VirtOptions options)
    {
        Directory = new MachineDirectory(options, TimeProvider.System, NullLogger.Instance);
        Directory.Happened += Events.Enqueue;
        _run = Directory.RunAsync(_stop.Token);
    }

    internal MachineDirectory Directory { get; }

    internal ConcurrentQueue<MachineEvent> Events { get; } = new();

    internal MachineInventory Current => Directory.Current;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _run);
        _stop.Dispose();
    }
}
