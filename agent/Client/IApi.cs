using System.Text.Json;

namespace Keck.Agent;

/// <summary>An agent's query API: of the agent that runs as a service here, or of one inside this process.</summary>
internal interface IApi : IAsyncDisposable
{
    /// <summary>Where the figures come from, for the header of what is shown.</summary>
    string Name { get; }

    /// <summary>Whether the agent has only just begun: power is a difference, and there is none yet.</summary>
    bool IsNew => false;

    /// <summary>Asks for a document, such as <c>/api/v1/tree?depth=3</c>; throws <see cref="ApiException"/> with the problem in words.</summary>
    Task<JsonDocument> GetAsync(string target, CancellationToken cancellation);
}
