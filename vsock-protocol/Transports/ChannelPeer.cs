namespace Keck.VsockProtocol;

/// <summary>How the two ends reach each other.</summary>
public enum ChannelTransport
{
    /// <summary>AF_VSOCK: the kernel attests CID and port.</summary>
    Vsock,

    /// <summary>A unix socket: hybrid vsock (one socket per machine, made by us or the VMM), or a test.</summary>
    Unix,

    /// <summary>A virtio-serial port: no connections inside, a stream that outlives the agents at both ends.</summary>
    VirtioSerial,
}

/// <summary>What is known of a source port.</summary>
public enum SourcePort
{
    /// <summary>The transport does not show it.</summary>
    Unknown,

    /// <summary>Below 1024: only root of the guest can take it.</summary>
    Privileged,

    /// <summary>1024 or above: any process of the guest.</summary>
    Unprivileged,
}

/// <summary>Who is at the other end, as the kernel or the path of a socket attests it; never what the peer says.</summary>
/// <param name="Transport">How it is reached.</param>
/// <param name="Cid">AF_VSOCK: its context id.</param>
/// <param name="Port">AF_VSOCK: its source port.</param>
/// <param name="Path">Unix and virtio-serial: the path on this side, which belongs to one machine.</param>
public sealed record ChannelPeer(ChannelTransport Transport, uint? Cid, uint? Port, string? Path)
{
    /// <summary>Whether the other end is root of its guest.</summary>
    public SourcePort SourcePort => Port switch
    {
        null => SourcePort.Unknown,
        < ChannelProtocol.FirstUnprivilegedPort => SourcePort.Privileged,
        _ => SourcePort.Unprivileged,
    };

    /// <summary>Such as <c>vsock:42:1017</c> or <c>unix:/run/vm.sock_19269</c>; for logs.</summary>
    public override string ToString() => Transport switch
    {
        ChannelTransport.Vsock => $"vsock:{Cid}:{Port}",
        ChannelTransport.VirtioSerial => $"virtio-serial:{Path}",
        _ => $"unix:{Path}",
    };
}
