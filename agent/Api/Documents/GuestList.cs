namespace Keck.Agent;

/// <summary>
/// A guest's own attribution. <see cref="Claim"/> says whose word it is: it splits the machine's energy further and is never added to it.
/// </summary>
internal sealed record GuestList
{
    public required string MachineUuid { get; init; }

    public string Claim { get; init; } = "guest";

    /// <summary>When it came.</summary>
    public required DateTime At { get; init; }

    /// <summary>The budget it splits.</summary>
    public ulong? Interval { get; init; }

    /// <summary>What the listed processes leave of the guest's total, µJ.</summary>
    public long? RestMicrojoules { get; init; }

    public required int Count { get; init; }

    public required GuestConsumerDocument[] Items { get; init; }
}
