namespace Keck.Agent;

/// <summary>A machine's live threads of one role: their active energy since this agent started, of the meters that follow runs.</summary>
internal sealed record ThreadRoleDocument : FigureDocument
{
    public required string Role { get; init; }

    public required int Count { get; init; }

    public required double CpuSeconds { get; init; }
}
