namespace Keck.Agent;

/// <summary>What a series is about. Up to <see cref="Overhead"/> the id is a meter's, beyond it a consumer's.</summary>
public enum SeriesKind
{
    /// <summary>All energy of a meter.</summary>
    Domain,

    /// <summary>Its static part.</summary>
    Static,

    /// <summary>What the policy leaves to <c>idle</c>.</summary>
    Idle,

    /// <summary>Kernel threads and interrupts.</summary>
    System,

    /// <summary>Energy whose runs are unknown.</summary>
    Unattributed,

    /// <summary>Processes that ended and were let go.</summary>
    Departed,

    /// <summary>In a guest: what the hypervisor spent on it outside its vCPUs.</summary>
    Overhead,

    /// <summary>A process; id <c>pid/start</c>.</summary>
    Process,

    /// <summary>A cgroup; id its path.</summary>
    Cgroup,

    /// <summary>A container.</summary>
    Container,

    /// <summary>A pod; id its UID.</summary>
    Pod,

    /// <summary>A virtual machine; id its UUID.</summary>
    Machine,
}
