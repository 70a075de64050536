namespace Keck.Agent;

/// <summary>Knows no names: a machine without containers, or one where nobody may be asked.</summary>
public sealed class NoWorkloadNames : IWorkloadNames
{
    /// <inheritdoc/>
    public PodName? Pod(string uid) => null;

    /// <inheritdoc/>
    public ContainerName? Container(string id) => null;
}
