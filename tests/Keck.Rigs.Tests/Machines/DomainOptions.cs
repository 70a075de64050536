namespace Keck.Rigs.Tests;

/// <summary>What a test wants of a libvirt domain in L1.</summary>
internal sealed record DomainOptions
{
    internal required string Name { get; init; }

    internal Guid Uuid { get; init; } = Guid.NewGuid();

    internal int Cpus { get; init; } = 1;

    internal int MemoryMegabytes { get; init; } = 192;

    /// <summary>Adds the virtio-serial channel <c>org.keck.energy.0</c>, its socket where libvirt puts it by itself.</summary>
    internal bool EnergyPort { get; init; }

    /// <summary>As in <see cref="GuestOptions.Content"/>.</summary>
    internal Action<Initramfs>? Content { get; init; }

    /// <summary>As in <see cref="GuestOptions.Start"/>.</summary>
    internal string Start { get; init; } = "";

    /// <summary>XML of the domain's <c>metadata</c> element, as an owner of the machine writes it.</summary>
    internal string Metadata { get; init; } = "";
}
