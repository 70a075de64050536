namespace Keck.Rigs.Tests;

/// <summary>What a machine is made of.</summary>
internal sealed record QemuShape
{
    /// <summary>As in QEMU's <c>-name guest=</c>, which keck-host reads.</summary>
    internal required string Name { get; init; }

    internal required Guid Uuid { get; init; }

    internal required string Kernel { get; init; }

    internal required string Initramfs { get; init; }

    /// <summary>Appended to the kernel's command line.</summary>
    internal string CommandLine { get; init; } = "";

    internal int Cpus { get; init; } = 2;

    internal int MemoryMegabytes { get; init; } = 256;
}
