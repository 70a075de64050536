namespace Keck.Agent;

/// <summary>The pods of a Kubernetes namespace together.</summary>
internal sealed record NamespaceDocument : FigureDocument
{
    /// <summary>Absent for the pods that nobody has named yet.</summary>
    public string? Name { get; init; }

    public required int Pods { get; init; }

    public long? ActiveMicrojoules { get; init; }

    public long? IdleMicrojoules { get; init; }

    /// <summary>95 % bounds of the parts, by their member's name without <c>Microjoules</c>; absent where the machine has no meter.</summary>
    public IReadOnlyDictionary<string, BoundsDocument>? Bounds { get; init; }
}
