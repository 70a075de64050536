namespace Keck.Virt.Tests;

/// <summary>Waits for conditions; the deadline is for a test that would never end.</summary>
internal static class Wait
{
    internal static async Task UntilAsync(Func<bool> condition, string what)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(TimeSpan.FromSeconds(90));
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            try
            {
                _ = await poll.WaitForNextTickAsync(stop.Token);
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                Assert.Fail($"did not come to pass: {what}");
            }
        }
    }
}
