namespace Keck.Rigs.Tests;

/// <summary>Waiting for what no event tells.</summary>
internal static class Condition
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);

    /// <summary>Looks again and again until it holds; throws when it has not within the time.</summary>
    internal static Task HoldsAsync(Func<bool> holds, string what, TimeSpan patience, CancellationToken cancellationToken) =>
        HoldsAsync(() => Task.FromResult(holds()), what, patience, cancellationToken);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string, TimeSpan, CancellationToken)"/>
    internal static async Task HoldsAsync(Func<Task<bool>> holds, string what, TimeSpan patience, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        using PeriodicTimer timer = new(Between);
        try
        {
            while (!await holds())
            {
                _ = await timer.WaitForNextTickAsync(limit.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RigException($"waited {patience} for {what}");
        }
    }
}
