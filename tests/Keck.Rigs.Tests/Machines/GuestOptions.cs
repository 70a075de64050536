namespace Keck.Rigs.Tests;

/// <summary>What a test wants of a guest.</summary>
internal sealed record GuestOptions
{
    /// <summary>The machine's name as the host sees it.</summary>
    internal string Name { get; init; } = "guest";

    internal Guid Uuid { get; init; } = Guid.NewGuid();

    internal int Cpus { get; init; } = 2;

    internal int MemoryMegabytes { get; init; } = 256;

    /// <summary>Gives the guest a real AF_VSOCK stack through vhost-device-vsock.</summary>
    internal bool Vsock { get; init; }

    /// <summary>The guest's context id, from 3; seen by the guest only.</summary>
    internal int Cid { get; init; } = 3;

    /// <summary>Gives the guest the virtio-serial port <c>org.keck.energy.0</c>.</summary>
    internal bool EnergyPort { get; init; }

    /// <summary>Puts files into the guest: programs with their libraries, configuration.</summary>
    internal Action<Initramfs>? Content { get; init; }

    /// <summary>Lines for the guest's shell, run at boot before the guest counts as ready; what shall go on goes into the background.</summary>
    internal string Start { get; init; } = "";

    /// <summary>Appended to the kernel's command line.</summary>
    internal string CommandLine { get; init; } = "";
}
