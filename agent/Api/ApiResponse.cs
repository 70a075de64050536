using System.Buffers;

namespace Keck.Agent;

/// <summary>An answer, for any transport to send.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="ContentType">Media type of the body.</param>
public sealed record ApiResponse(int Status, string ContentType)
{
    /// <summary>Writes the body; null for a streamed one.</summary>
    public Action<IBufferWriter<byte>>? Body { get; init; }

    /// <summary>Streams the body until it is over; null for an ordinary one.</summary>
    public Func<Stream, CancellationToken, Task>? Stream { get; init; }

    /// <summary>Value of the Allow header; null for none.</summary>
    public string? Allow { get; init; }

    /// <summary>Value of the WWW-Authenticate header; null for none.</summary>
    public string? Authenticate { get; init; }
}
