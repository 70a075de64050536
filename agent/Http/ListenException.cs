namespace Keck.Agent;

/// <summary>The API cannot be served as configured; the message says why and what to do. Stops the start.</summary>
public sealed class ListenException : Exception
{
    /// <inheritdoc/>
    public ListenException()
    {
    }

    /// <inheritdoc/>
    public ListenException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public ListenException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
