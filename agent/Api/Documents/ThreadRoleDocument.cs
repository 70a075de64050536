namespace Keck.Agent;

/// <summary>A machine's live threads of one role.</summary>
internal sealed record ThreadRoleDocument(string Role, int Count, long EnergyMicrojoules, double CpuSeconds);
