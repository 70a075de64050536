namespace Keck.Agent;

/// <summary>Idle over full power with its 95 % bounds, and where that comes from.</summary>
internal sealed record IdlePriorDocument(double IdleToFull, double Least, double Most, string Source);
