namespace Keck.Agent;

/// <summary>A loop that has logged why it failed.</summary>
internal interface ISaysItsFailure;
