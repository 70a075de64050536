using System.Collections.Immutable;

namespace Keck.Virt;

/// <summary>
/// A <c>vhost-device-vsock</c> (or <c>vhost-user-vsock</c>) process: gives QEMU's guests hybrid vsock. Its command line says which
/// control socket belongs to which channel.
/// </summary>
/// <param name="Guests">Control socket and the channel behind it, one for each guest.</param>
internal sealed record VsockDaemon(ImmutableArray<(string Control, string Channel)> Guests)
{
    /// <summary>Reads a command line; null when it is no such daemon's.</summary>
    internal static VsockDaemon? Parse(ReadOnlySpan<byte> commandLine)
    {
        List<string> arguments = HypervisorArguments.Split(commandLine);
        if (Path.GetFileName(arguments[0]) is not ("vhost-device-vsock" or "vhost-user-vsock"))
        {
            return null;
        }

        List<(string Control, string Channel)> guests = [];
        string? socket = null;
        string? path = null;
        for (int i = 1; i < arguments.Count; i++)
        {
            int equals = arguments[i].IndexOf('=', StringComparison.Ordinal);
            string option = equals > 0 ? arguments[i][..equals] : arguments[i];
            string? value = equals > 0 ? arguments[i][(equals + 1)..] : i + 1 < arguments.Count ? arguments[i + 1] : null;
            switch (option)
            {
                case "--vm" when value is not null:
                    OptionList guest = OptionList.Parse(value, "guest-cid");
                    Add(guests, guest["socket"], guest["uds-path"]);
                    break;
                case "--socket":
                    socket = value;
                    break;
                case "--uds-path":
                    path = value;
                    break;
            }
        }

        Add(guests, socket, path);
        return new VsockDaemon([.. guests]);
    }

    private static void Add(List<(string Control, string Channel)> guests, string? control, string? channel)
    {
        if (control is not null && channel is not null && SafeText.Clean(channel) == channel)
        {
            guests.Add((control, channel));
        }
    }
}
