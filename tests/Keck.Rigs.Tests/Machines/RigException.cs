namespace Keck.Rigs.Tests;

/// <summary>A rig that does not do what it should: says what was waited for and the end of what the machine said.</summary>
internal sealed class RigException(string message, Exception? inner = null) : Exception(message, inner);
