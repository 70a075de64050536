namespace Keck.VsockProtocol;

/// <summary>The numbers that both ends of the channel agree on (docs/protocol.md).</summary>
public static class ChannelProtocol
{
    /// <summary>The protocol version that this library speaks; there is no other yet.</summary>
    public const uint Version = 1;

    /// <summary>The port that the host listens on, AF_VSOCK and hybrid vsock alike.</summary>
    public const uint Port = 19269;

    /// <summary>Name of the virtio-serial port; in the guest <c>/dev/virtio-ports/org.keck.energy.0</c>.</summary>
    public const string SerialPortName = "org.keck.energy.0";

    /// <summary>Source ports below this one are root's alone in a guest (<c>LAST_RESERVED_PORT</c> + 1 of the kernel's af_vsock.c).</summary>
    public const uint FirstUnprivilegedPort = 1024;

    /// <summary>Largest body of a frame, bytes.</summary>
    public const int MaxBody = 65_536;

    /// <summary>Most vCPUs of a machine.</summary>
    public const int MaxVcpus = 1_024;

    /// <summary>Most lines of a <see cref="Usage"/>.</summary>
    public const int MaxUsageLines = 512;

    /// <summary>Most devices of a <see cref="Usage"/>.</summary>
    public const int MaxGpus = 64;

    /// <summary>Longest text in a message, UTF-16 units.</summary>
    public const int MaxText = 256;

    /// <summary>Bytes of an epoch: a random 128-bit id of a ledger.</summary>
    public const int EpochBytes = 16;

    /// <summary>Energy towards a guest is a multiple of this, µJ: finer readings are a side channel (PLATYPUS).</summary>
    public const uint QuantumMicrojoules = 1_000;

    /// <summary>Shortest interval towards a guest, ns, for the same reason.</summary>
    public const ulong MinIntervalNanoseconds = 1_000_000_000;

    /// <summary>Most fields at the top of a body. Only those can make a parser allocate out of proportion to the bytes.</summary>
    internal const int MaxFields = 2_048;
}
