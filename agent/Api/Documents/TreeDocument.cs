namespace Keck.Agent;

/// <summary>The energy tree.</summary>
internal sealed record TreeDocument(Guid Epoch, DateTime? EpochStartedAt, DateTime At, string IdlePolicy, bool SumsUp, EnergyNode Tree);
