using Keck.VsockProtocol;

namespace Keck.Guest;

/// <summary>Which channel the agent takes, and why. It looks at what devices there are and dials nobody.</summary>
/// <param name="Endpoint">The channel; <see cref="ChannelEndpoint.None"/> where there is none.</param>
/// <param name="Why">The reason, in words.</param>
internal sealed record ChannelChoice(ChannelEndpoint Endpoint, string Why)
{
    /// <summary>What is configured; for <see cref="ChannelEndpoint.Auto"/> AF_VSOCK, else the virtio-serial port, else none.</summary>
    /// <param name="wanted">What is configured.</param>
    /// <param name="devRoot">What stands for /dev.</param>
    /// <param name="sysRoot">What stands for /sys.</param>
    internal static ChannelChoice Of(ChannelEndpoint wanted, string devRoot = "/dev", string sysRoot = "/sys")
    {
        if (!wanted.IsAuto)
        {
            return new ChannelChoice(wanted, "configured");
        }

        string vsock = Path.Combine(devRoot, "vsock"), port = Path.Combine(devRoot, "virtio-ports", ChannelProtocol.SerialPortName);
        if (File.Exists(vsock))
        {
            return new ChannelChoice(ChannelEndpoint.Default, $"{vsock} is there");
        }

        // Without udev nobody has made the link.
        if ((File.Exists(port) ? port : Unnamed(devRoot, sysRoot)) is { } found)
        {
            return new ChannelChoice(new ChannelEndpoint(ChannelTransport.VirtioSerial, 0, 0, found), $"there is no {vsock}, and the port {ChannelProtocol.SerialPortName} is there");
        }

        return new ChannelChoice(ChannelEndpoint.None, $"there is neither {vsock} nor a virtio-serial port {ChannelProtocol.SerialPortName}");
    }

    private static string? Unnamed(string devRoot, string sysRoot)
    {
        string ports = Path.Combine(sysRoot, "class", "virtio-ports");
        try
        {
            return Directory.Exists(ports)
                ? Directory.EnumerateDirectories(ports)
                    .Where(static port => File.Exists(Path.Combine(port, "name")) && File.ReadAllText(Path.Combine(port, "name")).Trim() == ChannelProtocol.SerialPortName)
                    .Select(port => Path.Combine(devRoot, Path.GetFileName(port))).FirstOrDefault(File.Exists)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
