namespace Keck.Agent;

/// <summary>Names of containers and pods that the ledger's ids do not carry: from a runtime socket, the kubelet or a directory.</summary>
public interface IWorkloadNames
{
    /// <summary>A pod's names, or null where nobody has told.</summary>
    PodName? Pod(string uid);

    /// <summary>A container's names, or null where nobody has told.</summary>
    ContainerName? Container(string id);
}
