namespace Keck.Agent;

/// <summary>The live trace: what <c>record</c> would write, for whoever asks over HTTP.</summary>
public interface ITraceFeed
{
    /// <summary>
    /// Writes the header and then each tick as a line of NDJSON until the length is over, the agent stops or the reader goes.
    /// A slow reader is dropped, never waited for by the tick loop.
    /// </summary>
    Task StreamAsync(Stream to, TimeSpan length, CancellationToken cancellationToken);
}
