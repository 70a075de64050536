using System.Globalization;

namespace Keck.VsockProtocol;

/// <summary>Where a guest agent finds its host: the value of <c>--channel</c>.</summary>
/// <param name="Transport">How; null for <c>none</c> and <c>auto</c>.</param>
/// <param name="Cid">AF_VSOCK: the context id, 2 for the host.</param>
/// <param name="Port">AF_VSOCK: the port.</param>
/// <param name="Path">Unix: the socket; virtio-serial: the device.</param>
public sealed record ChannelEndpoint(ChannelTransport? Transport, uint Cid, uint Port, string Path)
{
    private const string Grammar = "expected vsock:CID:PORT (vsock:2:19269 is the host), unix:/PATH, virtio-serial:/dev/virtio-ports/NAME, auto or none";
    private const string AutoName = "auto";
    private const uint HostCid = 2; // VMADDR_CID_HOST

    /// <summary>The host agent over AF_VSOCK: <c>vsock:2:19269</c>.</summary>
    public static ChannelEndpoint Default { get; } = new(ChannelTransport.Vsock, HostCid, ChannelProtocol.Port, "");

    /// <summary>No channel: the agent does without a host.</summary>
    public static ChannelEndpoint None { get; } = new(null, 0, 0, "");

    /// <summary>Whichever channel the machine turns out to have: it has no connector until somebody has looked.</summary>
    public static ChannelEndpoint Auto { get; } = new(null, 0, 0, AutoName);

    /// <summary>Whether it is <see cref="Auto"/>.</summary>
    public bool IsAuto => Transport is null && Path == AutoName;

    /// <summary>Reads an endpoint; <paramref name="error"/> says what is wrong with it and what is allowed.</summary>
    public static bool TryParse(string text, out ChannelEndpoint endpoint, out string error)
    {
        ArgumentNullException.ThrowIfNull(text);
        (endpoint, error) = (None, "");
        if (text is "none" or AutoName)
        {
            endpoint = text == AutoName ? Auto : None;
            return true;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string rest = text[(colon + 1)..];
        switch (colon < 0 ? "" : text[..colon])
        {
            case "vsock":
                return TryVsock(text, rest, out endpoint, out error);
            case "unix":
                error = UnixPath.Fault(rest) is { } fault ? $"'{text}': {fault}" : "";
                endpoint = new ChannelEndpoint(ChannelTransport.Unix, 0, 0, rest);
                return error.Length == 0;
            case "virtio-serial":
                bool isPath = rest.StartsWith('/') && !rest.EndsWith('/') && !rest.Contains('\0', StringComparison.Ordinal);
                error = isPath ? "" : $"'{text}': the device must be an absolute path, such as /dev/virtio-ports/{ChannelProtocol.SerialPortName}";
                endpoint = new ChannelEndpoint(ChannelTransport.VirtioSerial, 0, 0, rest);
                return isPath;
            default:
                error = $"'{text}' is no channel: {Grammar}";
                return false;
        }
    }

    /// <summary>What opens connections to it; null for <c>none</c> and <c>auto</c>.</summary>
    /// <param name="random">Chooses source ports.</param>
    public IChannelConnector? Connector(Random random) => Transport switch
    {
        ChannelTransport.Vsock => new VsockConnector(Cid, Port, random),
        ChannelTransport.Unix => new UnixConnector(Path),
        ChannelTransport.VirtioSerial => new VirtioSerialConnector(Path),
        _ => null,
    };

    /// <summary>As it is written after <c>--channel</c>.</summary>
    public override string ToString() => Transport switch
    {
        ChannelTransport.Vsock => $"vsock:{Cid}:{Port}",
        ChannelTransport.Unix => $"unix:{Path}",
        ChannelTransport.VirtioSerial => $"virtio-serial:{Path}",
        _ => IsAuto ? AutoName : "none",
    };

    private static bool TryVsock(string text, string rest, out ChannelEndpoint endpoint, out string error)
    {
        (endpoint, error) = (None, "");
        string[] parts = rest.Split(':');
        if (parts.Length != 2 || !TryNumber(parts[0], out uint cid) || !TryNumber(parts[1], out uint port))
        {
            error = $"'{text}': {Grammar}";
            return false;
        }

        // 2^32 - 1 means "any" in both places, and nobody can be reached under it.
        if (cid == uint.MaxValue || port is 0 or uint.MaxValue)
        {
            error = $"'{text}': CID goes from 0 to {uint.MaxValue - 1} and PORT from 1 to {uint.MaxValue - 1}";
            return false;
        }

        endpoint = new ChannelEndpoint(ChannelTransport.Vsock, cid, port, "");
        return true;
    }

    private static bool TryNumber(string text, out uint number) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
