namespace Keck.Agent;

/// <summary>The API could not answer, in words.</summary>
internal sealed class ApiException(string message) : Exception(message);
