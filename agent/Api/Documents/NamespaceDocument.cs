namespace Keck.Agent;

/// <summary>The pods of a Kubernetes namespace together.</summary>
internal sealed record NamespaceDocument : FigureDocument
{
    /// <summary>Absent for the pods that nobody has named yet.</summary>
    public string? Name { get; init; }

    public required int Pods { get; init; }

    public long? ActiveMicrojoules { get; init; }

    public long? IdleMicrojoules { get; init; }
}
