namespace Keck.Virt;

/// <summary>How a guest reaches its host.</summary>
public enum ChannelKind
{
    /// <summary>AF_VSOCK through the kernel: the peer's context id says who it is.</summary>
    Vsock,

    /// <summary>A unix socket of the hypervisor that the host side listens beside, as <c>PATH_PORT</c> (Firecracker, Cloud Hypervisor, vhost-device-vsock).</summary>
    HybridVsock,

    /// <summary>A unix socket behind the guest's virtio-serial port <c>org.keck.energy.0</c>; the host side connects to it.</summary>
    VirtioSerial,
}

/// <summary>One address by which the hypervisor attests who a guest is.</summary>
/// <param name="Kind">How it is reached.</param>
/// <param name="Cid">Context id, 3 and more, for <see cref="ChannelKind.Vsock"/>; 0 otherwise.</param>
/// <param name="Path">The socket's path on the host; null for <see cref="ChannelKind.Vsock"/>.</param>
public readonly record struct MachineChannel(ChannelKind Kind, uint Cid, string? Path);
