namespace Keck.Host.Tests;

/// <summary>Waits for a condition; a hang is a failure.</summary>
internal static class Until
{
    internal static async Task TrueAsync(Func<bool> condition, string what)
    {
        using CancellationTokenSource hang = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        hang.CancelAfter(TimeSpan.FromSeconds(60));
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(2));
        try
        {
            while (!condition())
            {
                _ = await poll.WaitForNextTickAsync(hang.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"never came: {what}");
        }
    }
}
