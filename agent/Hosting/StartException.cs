namespace Keck.Agent;

/// <summary>Something that keeps the agent from starting, in words for the one who started it.</summary>
internal sealed class StartException(string message) : Exception(message);
