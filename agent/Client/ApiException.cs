namespace Keck.Agent;

/// <summary>The API could not answer, in words.</summary>
internal sealed class ApiException(string message) : Exception(message)
{
    /// <summary>Whether it wants a token, or another one.</summary>
    internal bool WantsToken { get; init; }
}
