using System.Collections.Immutable;

namespace Keck.Virt;

/// <summary>What libvirt says about one domain.</summary>
internal sealed record DomainFacts
{
    /// <summary>In canonical form.</summary>
    internal required string Uuid { get; init; }

    /// <summary>Clean; null where the XML has none.</summary>
    internal string? Name { get; init; }

    /// <summary>As virDomainGetState tells.</summary>
    internal MachineState State { get; init; }

    /// <summary>vCPUs that it runs with now; 0 where unknown.</summary>
    internal int Vcpus { get; init; }

    /// <summary>Memory, KiB; -1 where unknown.</summary>
    internal long MemoryKibibytes { get; init; } = -1;

    /// <summary>By the metadata's namespaces.</summary>
    internal MachineManager Manager { get; init; } = MachineManager.Libvirt;

    /// <summary>From the metadata; null where it names nobody.</summary>
    internal MachineOwner? Owner { get; init; }

    /// <summary>KubeVirt's VMI UID; null elsewhere.</summary>
    internal string? VmiUid { get; init; }

    /// <summary>The channels that the XML names.</summary>
    internal ImmutableArray<MachineChannel> Channels { get; init; } = [];
}
