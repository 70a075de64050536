using System.CommandLine;

namespace Keck.Agent;

/// <summary>Which agent a command asks.</summary>
internal interface IApiAccess
{
    /// <summary>Opens the API, or says what is wrong and returns null.</summary>
    Task<IApi?> OpenAsync(ParseResult parsed, CancellationToken cancellation);
}
