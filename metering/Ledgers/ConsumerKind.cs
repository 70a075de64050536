namespace Keck.Metering;

/// <summary>What a consumer is. The kinds are views of the same energy: processes add up to cgroups, containers and pods.</summary>
public enum ConsumerKind
{
    /// <summary>A thread group.</summary>
    Process,

    /// <summary>A cgroup, without those below it.</summary>
    Cgroup,

    /// <summary>A container.</summary>
    Container,

    /// <summary>A pod, its containers and what runs in its own cgroup.</summary>
    Pod,

    /// <summary>A virtual machine with all its threads and helpers.</summary>
    Machine,
}
